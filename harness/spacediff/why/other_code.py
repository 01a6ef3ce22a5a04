"""Pipelines whose call is not diffusers': of another package, perhaps under a name of diffusers, or of the source.

What such a call does and which defaults it has is in code that is not compared, so two of them may differ although all
their settings agree.
"""

from __future__ import annotations

from spacediff.reading import Reading
from spacediff.settings import Origin
from spacediff.why.effects import Agreement, Effect

_KIND = "pipeline of other code"


def pipeline_of_other_code(script: Reading, space: Reading) -> list[Effect]:
    """Return that the call of one side, or of both, is not diffusers'; empty if both are."""
    ours, theirs = _lines(script), _lines(space)
    if not ours and not theirs:
        return []
    agreement = Agreement.UNDECIDED if ours and theirs else Agreement.SCRIPT_ONLY if ours else Agreement.SPACE_ONLY
    return [Effect(_KIND, agreement, ours, theirs, known=None, certain=agreement is not Agreement.UNDECIDED)]


def has_unknown_default(path: str, reading: Reading) -> bool:
    """Return whether the default of a call's argument is unknown, since the call is of other code and names none."""
    return (
        path.startswith("call.")
        and _is_of_other_code(reading)
        and path.removeprefix("call.") not in reading.own_defaults
    )


def _is_of_other_code(reading: Reading) -> bool:
    pipeline = reading.settings.get("model.pipeline")
    return pipeline is not None and pipeline.origin is Origin.READ and not reading.signature


def _lines(reading: Reading) -> tuple[str, ...]:
    if not _is_of_other_code(reading):
        return ()
    pipeline = reading.settings["model.pipeline"]
    return (f"the call of {pipeline.value} is not one of the installed diffusers ({pipeline.where})",)
