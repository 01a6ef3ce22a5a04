"""The settings that differ from an observed reference, in the terminal."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.cli.console import Terminal
from spacediff.cli.differing import show_differing
from spacediff.record import WITHHELD, OverviewRecord, Role, RunRecord, SettingRecord, TraceRecord
from spacediff.record.derived.setting_groups import setting_groups
from spacediff.settings import Origin
from support.synthetic_audit import setting

TRACE = TraceRecord()
UNKNOWN = SettingRecord(value=None, origin=Origin.UNKNOWN)
PRIVATE = SettingRecord(value=None, origin=Origin.UNKNOWN, where=WITHHELD)


def run(name: str, role: Role, source: Any, **settings: SettingRecord) -> RunRecord:
    return RunRecord(key=name, name=name, role=role, prompt="p", source=source, measured=True, settings=settings)


def printed(capsys: pytest.CaptureFixture[str], reference: RunRecord, *runs: RunRecord) -> str:
    baseline = next((each for each in runs if each.role is Role.BASELINE), None)
    shown = [each.model_copy(update={"setting_groups": setting_groups(each, baseline, reference)}) for each in runs]
    show_differing(Terminal(), [reference, *shown], "reference", OverviewRecord(prompt="p", selected=runs[0].name))
    return capsys.readouterr().out


@pytest.mark.parametrize("source", ["space", "command", "recording"])
def test_what_differs_from_an_observed_reference_is_listed_for_the_run_shown_first(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = run("reference", Role.REFERENCE, source, a=setting("DPM"), b=setting(7.0), c=setting(1), d=PRIVATE)
    theirs = theirs.model_copy(update={"trace": None if source == "recording" else TRACE})
    baseline = run("baseline", Role.BASELINE, "diffusers", a=setting("DDIM"), b=setting(3), c=setting(1.0),
                   d=setting(1), e=UNKNOWN, f=setting(2))  # fmt: skip
    variant = run("dpm", Role.VARIANT, "diffusers", a=setting("DPM"), b=setting(3), c=setting(1))
    assert printed(capsys, theirs, baseline, variant) == (
        "settings of baseline that differ from reference\n"
        "  a: DPM in the reference, DDIM in the baseline\n"
        "  b: 7.0 in the reference, 3 in the baseline\n"
        "  not compared, since a private recording withholds them: d\n"
        "  not known: e\n"
    )


def test_a_variant_that_is_shown_first_is_compared_by_all_that_the_reference_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs = run("reference", Role.REFERENCE, "recording", a=setting(1), b=setting(2))
    baseline = run("baseline", Role.BASELINE, "diffusers", a=setting(0), b=setting(0))
    variant = run("variant", Role.VARIANT, "diffusers", a=setting(1), b=setting(3), c=setting(4))
    said = printed(capsys, theirs, variant, baseline)
    assert said == "settings of variant that differ from reference\n  b: 2 in the reference, 3 in the variant\n"


def test_where_nothing_is_known_to_differ_it_is_said_of_what_that_holds(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = run("reference", Role.REFERENCE, "recording", a=setting(1))
    said = printed(capsys, theirs, run("baseline", Role.BASELINE, "diffusers", a=setting(1), b=setting(2)))
    assert said == "settings of baseline that differ from reference: none of those that are known of both\n"


@pytest.mark.parametrize("source", ["diffusers", "script", "space", "video"])
def test_of_a_reference_that_was_not_observed_there_is_no_list(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = run("reference", Role.REFERENCE, source, a=setting(1))
    theirs = theirs.model_copy(update={"trace": TRACE if source in {"diffusers", "script"} else None})
    assert printed(capsys, theirs, run("baseline", Role.BASELINE, "diffusers", a=setting(2))) == ""


def test_names_of_a_strangers_recording_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = run("reference", Role.REFERENCE, "recording", **{"call.\x1b[2J": setting(7.0)})
    mine = run("mine", Role.BASELINE, "recording", **{"call.\x1b[2J": setting(3.0)})
    out = printed(capsys, theirs, mine)
    assert "call. [2J: 7.0 in the reference" in out
    assert "\x1b" not in out
