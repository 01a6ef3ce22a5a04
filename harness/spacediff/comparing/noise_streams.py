"""When do two versions of torch draw different noise from one seed? See docs/noise-streams.md."""

from __future__ import annotations

from collections.abc import Iterable

from spacediff.record import Fact, FactKind, RunRecord, fact
from spacediff.settings import OLDER_TORCH

_MINORS = [(1, 13), *((2, minor) for minor in range(30)), (3, 0)]
_FIRST_NEW = (2, 12)
"""From this version on, torch draws half-precision noise on the CPU otherwise than before."""
_HALF = {"bfloat16", "float16"}


def stream_warning(local: str, hosted: str, runs: Iterable[RunRecord]) -> list[Fact]:
    """Return the warning that the two sides draw different noise from one seed; empty when they do not.

    Args:
        local: The version of torch here, such as `2.13.0+cpu`.
        hosted: The versions that the Space asks for, such as `==2.4.0`, or the version that a program has; says nothing
            when they lie on both sides.
        runs: The runs; only those that draw half-precision noise on the CPU, as this torch draws it, are concerned.
    """
    here, there = _is_older(f"~={local.split('+', maxsplit=1)[0]}"), _is_older(_asked(hosted))
    concerned = [run.name for run in runs if _draws_half_precision_here(run)]
    if here is None or there is None or here == there or not concerned:
        return []
    stream = OLDER_TORCH if there else ""
    hosted = hosted.removeprefix("==")
    return [fact(FactKind.NOISE_STREAMS_DIFFER, hosted=hosted, local=local, runs=concerned, stream=stream)]


def _asked(versions: str) -> str:
    """Return versions as a specifier; an installed version, such as `2.11.0+cu126`, asks for itself."""
    return f"=={versions.split('+', maxsplit=1)[0]}" if versions[:1].isdigit() else versions


def _is_older(specifier: str) -> bool | None:
    """Whether all versions that a specifier allows draw as up to 2.11; None when it allows newer ones too, or none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    sides = {minor < _FIRST_NEW for minor in _MINORS if any(allowed.contains(v) for v in _patches(*minor))}
    return sides.pop() if len(sides) == 1 else None


def _patches(major: int, minor: int) -> list[str]:
    return [f"{major}.{minor}.{patch}" for patch in range(10)]


def _draws_half_precision_here(run: RunRecord) -> bool:
    noise = run.trace.noise if run.trace else None
    stream, dtype = run.settings.get("rng.stream"), run.settings.get("rng.dtype")
    replaced = stream is not None and not str(stream.value).startswith("torch ")
    drawn_in = dtype.value if dtype is not None else noise and noise.dtype
    return noise is not None and noise.device == "cpu" and drawn_in in _HALF and not replaced
