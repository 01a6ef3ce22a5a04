"""Members of a cause that act together, on made-up drifts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spacediff.explaining.interactions import interactions_of
from spacediff.explaining.search import Subset
from spacediff.record import Fact, FactKind, Verdict, fact


def drifts(**of: float) -> Callable[[Subset], float]:
    return lambda subset: of["".join(sorted(subset)) or "none"]


def facts(drift: Callable[[Subset], float | None], cause: str, codec: float = 0.01,
          verdict: Verdict = Verdict.SETTINGS_DIFFER) -> list[Fact]:  # fmt: skip
    return interactions_of(drift, lambda _: verdict, list(cause), codec)


def test_noise_masks_the_others() -> None:
    (found,) = facts(drifts(none=1.0, a=0.4, b=0.995, ab=0.0), "ab")
    assert (found.kind, found.values["member"], found.values["total"]) == (FactKind.MASKS_OTHERS, "a", 1.0)
    assert found.values["reduction"] == pytest.approx(0.005)


def test_what_stays_a_different_sample_is_masked_whatever_its_drift() -> None:
    drift = drifts(none=1.1, a=0.8, b=0.9, ab=0.0)
    assert facts(drift, "ab", verdict=Verdict.DIFFERENT_SAMPLE)[0].kind is FactKind.ONLY_TOGETHER
    assert FactKind.MASKS_OTHERS not in {each.kind for each in facts(drift, "ab")}


@pytest.mark.parametrize(("codec", "verdict"), [(0.96, Verdict.SETTINGS_DIFFER), (0.01, Verdict.DIFFERENT_SAMPLE)])
def test_a_member_without_which_the_others_reduce_nearly_everything_masks_nothing(
    codec: float, verdict: Verdict
) -> None:
    found = facts(drifts(none=0.956, a=0.001, b=0.955, ab=0.0), "ab", codec, verdict)
    assert FactKind.ONLY_TOGETHER not in {each.kind for each in found}
    assert [each.values["member"] for each in found if each.kind is FactKind.MASKS_OTHERS] == ["a"] * (codec < 0.9)


def test_members_that_do_nothing_alone_act_only_together() -> None:
    found = facts(drifts(none=1.0, a=1.0, b=1.0, ab=0.0), "ab")
    assert found == [fact(FactKind.ONLY_TOGETHER, members=["a", "b"], reduction=0.0, total=1.0)]


@pytest.mark.parametrize(("alone", "index"), [(0.8, 0.6), (0.2, -0.6)])
def test_a_pair_that_does_more_or_less_together_than_each_by_itself(alone: float, index: float) -> None:
    (found,) = facts(drifts(none=1.0, a=alone, b=alone, ab=0.0), "ab")
    assert (found.kind, found.values["members"]) == (FactKind.PAIR_INTERACTS, ["a", "b"])
    assert found.values["index"] == pytest.approx(index)


def test_what_adds_up_or_is_within_the_codecs_loss_is_left_out() -> None:
    assert facts(drifts(none=1.0, a=0.5, b=0.5, ab=0.0), "ab") == []
    nearly = drifts(none=1.0, a=0.5, b=0.52, ab=0.0)
    assert facts(nearly, "ab", codec=0.05) == []
    assert facts(nearly, "ab", codec=0.005) != []


def test_nothing_is_reported_without_all_drifts() -> None:
    assert interactions_of(lambda s: None if len(s) == 1 else 0.0, lambda _: None, ["a", "b"], 0.0) == []
    assert interactions_of(drifts(none=1.0, a=0.0), lambda _: None, ["a"], 0.0) == []
