"""What an audit leaves open, as phrases of one line: `Not measured: the hardware of the Space; …`."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import AuditRecord, Fact, FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, listed, number_word
from spacediff.wording.vocabulary import says, sentence

_MOST_NAMES = 3
"""Runs that are named; of more, the number."""


def left_open_text(record: AuditRecord) -> str:
    """Say in one line what an audit did not measure; empty where it has no prompt."""
    found = [left_open_phrase(each) for each in record.left_open]
    return f"{'; '.join(found)}." if found else ""


def left_open_phrase(left_open: Fact) -> str:
    """Name one thing that an audit leaves open, as it stands in a line: `the hardware of the Space`."""
    return sentence(left_open).removesuffix(".")


@says(FactKind.OPEN_APPROXIMATIONS)
def _approximations(*, count: int) -> str:
    return f"{counted(count, 'thing')} that the scenario leaves out"


@says(FactKind.OPEN_INTERRUPTED)
def _interrupted() -> str:
    return "what had not run when the audit was interrupted"


@says(FactKind.OPEN_RUNS)
def _runs(*, runs: Sequence[str]) -> str:
    return listed(runs) if len(runs) <= _MOST_NAMES else f"{len(runs)} runs, such as {runs[0]}"


@says(FactKind.OPEN_HOSTED)
def _hosted() -> str:
    return "a Space (the reference was generated on this machine)"


@says(FactKind.OPEN_SETTINGS)
def _settings(*, unknown: int, of: int) -> str:
    return f"{unknown} of {nouns().there}'s {of} settings" if of else "the settings that made the files"


@says(FactKind.OPEN_LIBRARIES)
def _libraries(*, libraries: Sequence[str]) -> str:
    return f"{nouns().there}'s versions of {listed(libraries)}"


@says(FactKind.OPEN_HARDWARE)
def _hardware() -> str:
    return f"{nouns().there}'s hardware"


@says(FactKind.OPEN_REVISION)
def _revision() -> str:
    return f"{nouns().there}'s checkpoint revision"


@says(FactKind.OPEN_REPEAT)
def _repeat() -> str:
    return f"whether {nouns().there} repeats itself"


@says(FactKind.OPEN_PROMPT_TEXT)
def _prompt_text() -> str:
    return f"whether {nouns().there} changed the prompt"


@says(FactKind.OPEN_DRIFT)
def _drift(*, rerun: bool, seeds: bool) -> str:
    missing = [name for name, measured in (("re-run", rerun), ("different seed", seeds)) if not measured]
    why = f"no {' and no '.join(missing)}" if missing else "floor and ceiling do not separate"
    return f"the drift ({why})"


@says(FactKind.OPEN_METRICS)
def _metrics(*, metrics: Sequence[str]) -> str:
    return listed(metrics)


@says(FactKind.OPEN_CONTENTS)
def _contents() -> str:
    return f"what the {nouns().clips} show"


@says(FactKind.OPEN_SOUND)
def _sound() -> str:
    return "sound"


@says(FactKind.OPEN_END)
def _end(*, frames: int) -> str:
    return f"what follows after {counted(frames, nouns().frame)}"


@says(FactKind.OPEN_PROBES)
def _probes(*, early: int) -> str:
    return f"the {nouns().clips} of {counted(early, 'probe')} that ended early"


@says(FactKind.OPEN_PROMPTS)
def _prompts(*, prompts: int, seeds: int) -> str:
    rests_on = [
        f"{number_word(count)} {noun}{'s' * (count != 1)}" for count, noun in ((prompts, "prompt"), (seeds, "seed"))
    ]
    return f"other prompts and seeds (this is {', '.join(rests_on)})"


@says(FactKind.OPEN_CLIPS)
def _clips() -> str:
    clip = nouns()
    return f"other {clip.clips} (this is one pair)"
