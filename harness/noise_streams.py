"""When do two versions of torch draw different noise from one seed? See docs/noise-streams.md."""

from __future__ import annotations

from collections.abc import Iterable

from harness.record import RunRecord

FIRST_NEW = "2.12"
"""From this version on, torch draws half-precision noise on the CPU otherwise than before."""
_HALF = {"bfloat16", "float16"}


def stream_warning(local: str, hosted: str, runs: Iterable[RunRecord]) -> str:
    """Return what the reader should know of the two sides' noise; empty when there is nothing to say.

    Args:
        local: The version of torch here, such as `2.13.0+cpu`.
        hosted: The version that the host asks for, such as `==2.4.0`; only an exact one tells.
        runs: The runs; only those that draw half-precision noise on the CPU, as this torch draws it, are concerned.
    """
    from packaging.version import InvalidVersion, Version

    pinned = hosted.removeprefix("==").strip()
    try:
        versions = Version(local), Version(pinned)
    except InvalidVersion:
        return ""
    older = [version.release < Version(FIRST_NEW).release for version in versions]
    concerned = [run.name for run in runs if _draws_half_precision_here(run)]
    if older[0] == older[1] or not concerned:
        return ""
    remedy = '; rng.stream = "torch<=2.11" draws here as the host does' if older[1] else ""
    return (
        f"the host asks for torch {pinned}, here is {local}: on the CPU they draw other half-precision noise from one "
        f"seed ({', '.join(concerned)}){remedy}"
    )


def _draws_half_precision_here(run: RunRecord) -> bool:
    noise = run.trace.noise if run.trace else None
    stream = run.settings.get("rng.stream")
    told = stream is not None and not str(stream.value).startswith("torch ")
    return noise is not None and noise.device == "cpu" and noise.dtype in _HALF and not told
