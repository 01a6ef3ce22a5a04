"""The values that the runs of a search really had: what is declared on one side only may be no difference."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.record import CauseRecord, Role, RunRecord, SettingRecord, Standing, SuspectRecord
from spacediff.record.derived.suspects import with_effective_values
from spacediff.settings import Origin
from spacediff.wording import cause_sentences

PATH = "scheduler.timestep_spacing"


def run(name: str, value: Any, origin: Origin, prompt: str = "p") -> RunRecord:
    settings = {PATH: SettingRecord(value=value, origin=origin)}
    return RunRecord(
        key=name, name=name, role=Role.VARIANT, prompt=prompt, source="diffusers", measured=True, settings=settings
    )


def searched(standing: Standing, start: RunRecord, target: RunRecord) -> CauseRecord:
    suspect = SuspectRecord(path=PATH, start=None, target="trailing", standing=standing)
    other = SuspectRecord(path="call.eta", start=0, target=1, standing=Standing.NO_EFFECT)
    guilty = SuspectRecord(path="call.guidance_scale", start=6, target=7, standing=Standing.CAUSE)
    cause = CauseRecord(
        prompt="p", start="baseline", target="as-hosted", finished=True, suspects=[guilty, suspect, other]
    )
    return with_effective_values(cause, [start, target, run("baseline", "elsewhere", Origin.DEFAULT, prompt="q")])


def test_a_default_that_the_other_side_declares_is_no_difference() -> None:
    start, target = run("baseline", "trailing", Origin.DEFAULT), run("as-hosted", "trailing", Origin.DECLARED)
    cause = searched(Standing.NO_EFFECT, start, target)
    assert [each.equal for each in cause.suspects] == [False, True, False]
    assert cause.suspects[1].start_setting == start.settings[PATH]
    assert cause.standing(Standing.NO_EFFECT) == ["call.eta"]
    assert "One other difference makes no difference." in cause_sentences(cause, "the Space")


@pytest.mark.parametrize(
    ("value", "origin", "standing"),
    [
        ("linspace", Origin.DEFAULT, Standing.NO_EFFECT),
        (None, Origin.UNKNOWN, Standing.NO_EFFECT),  # an unknown value never counts as equal
        ("trailing", Origin.DEFAULT, Standing.CAUSE),  # what a run shows to matter stays
    ],
)
def test_what_differs_is_unknown_or_matters_stays_a_difference(value: Any, origin: Origin, standing: Standing) -> None:
    cause = searched(standing, run("baseline", value, origin), run("as-hosted", "trailing", Origin.DECLARED))
    assert not any(each.equal for each in cause.suspects)
    assert PATH in cause.standing(standing)
