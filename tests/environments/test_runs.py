"""The runs of a baseline under several releases."""

from __future__ import annotations

import pytest

from spacediff.environments.releases import Release
from spacediff.environments.runs import in_range, plan_releases, run_names
from spacediff.errors import InvalidArgument
from spacediff.plan import Plan, plan_scenario
from spacediff.record import Role
from spacediff.scenario.scenario import parse_scenario
from support.scenarios import DESIGN, HERE, MINIMAL

RELEASES = [Release(each) for each in ("0.35.0", "0.36.0", "0.36.1", "0.37.0")]


def planned(text: str) -> Plan:
    names = run_names("diffusers", ["0.36.0", "0.37.0"])
    return plan_releases(plan_scenario(parse_scenario(text, HERE)), "diffusers", names)


def test_a_range_includes_both_ends() -> None:
    assert in_range(RELEASES, "diffusers", "0.36") == ["0.36.0", "0.36.1", "0.37.0"]
    assert in_range(RELEASES, "diffusers", "0.36.0", "0.36.1") == ["0.36.0", "0.36.1"]


@pytest.mark.parametrize(("first", "last"), [("0.38", None), ("0.36", "0.35"), ("new", None), ("0.36", "x")])
def test_a_range_without_releases_is_refused(first: str, last: str | None) -> None:
    with pytest.raises(InvalidArgument):
        in_range(RELEASES, "diffusers", first, last)


def test_a_reversed_range_is_said_to_be_reversed() -> None:
    with pytest.raises(InvalidArgument, match=r"the range is reversed: 0\.40 is newer than 0\.36") as caught:
        in_range(RELEASES, "diffusers", "0.40", "0.36")
    assert caught.value.hint == "name the older one first: from 0.36 to 0.40"


def test_too_many_releases_are_refused_by_their_number() -> None:
    with pytest.raises(InvalidArgument, match="has 70 releases"):
        in_range([Release(f"1.{n}") for n in range(70)], "diffusers", "1")


def test_the_baseline_runs_once_under_each_release_and_the_oldest_is_the_reference() -> None:
    plan = planned(MINIMAL)
    assert [(run.name, run.role, run.settings.value("env.diffusers")) for run in plan.runs] == [
        ("diffusers-0.36.0", Role.BASELINE, "0.36.0"),
        ("diffusers-0.37.0", Role.VARIANT, "0.37.0"),
    ]
    assert plan.reference == "diffusers-0.36.0"


def test_space_gate_variants_and_search_of_the_scenario_are_left_out() -> None:
    plan = planned(DESIGN)
    assert {run.source for run in plan.runs} == {"diffusers"}
    assert {run.against for run in plan.runs} == {""}
    assert (len(plan.runs), plan.gate, plan.explain) == (2, None, None)


def test_a_version_of_the_scenario_gives_way_and_other_packages_stay() -> None:
    text = MINIMAL + '[baseline.env]\ndiffusers = "0.1"\ntransformers = "4.57.3"\n'
    settings = planned(text).runs[1].settings
    assert (settings.value("env.diffusers"), settings.value("env.transformers")) == ("0.37.0", "4.57.3")
