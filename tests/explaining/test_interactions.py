"""Members of a cause that act together, on made-up drifts."""

from __future__ import annotations

from collections.abc import Callable

from spacediff.explaining.interactions import interactions_of
from spacediff.explaining.search import Subset
from spacediff.record import Verdict


def drifts(**of: float) -> Callable[[Subset], float]:
    return lambda subset: of["".join(sorted(subset)) or "none"]


def sentences(drift: Callable[[Subset], float | None], cause: str, codec: float = 0.01,
              verdict: Verdict = Verdict.SETTINGS_DIFFER) -> list[str]:  # fmt: skip
    return [each.sentence for each in interactions_of(drift, lambda _: verdict, list(cause), codec)]


def test_noise_hides_the_rest() -> None:
    found = sentences(drifts(none=1.0, a=0.4, b=0.995, ab=0.0), "ab")
    assert found == ["a hides the rest: without it the others take off 0.005 of 1.000"]


def test_what_stays_another_sample_is_hidden_whatever_its_drift() -> None:
    drift = drifts(none=1.1, a=0.4, b=0.9, ab=0.0)
    assert sentences(drift, "ab", verdict=Verdict.DIFFERENT_SAMPLE)[0].startswith("only together")
    assert "hides" not in sentences(drift, "ab")[0]


def test_members_that_do_nothing_alone_are_told_together() -> None:
    found = sentences(drifts(none=1.0, a=1.0, b=1.0, ab=0.0), "ab")
    assert found == ["only together: with any one left out, the others take off nothing at most, of 1.000"]


def test_a_pair_that_does_more_together_and_one_that_does_less() -> None:
    assert sentences(drifts(none=1.0, a=0.8, b=0.8, ab=0.0), "ab") == [
        "a and b take off 0.600 more together than each by itself"
    ]
    assert sentences(drifts(none=1.0, a=0.2, b=0.2, ab=0.0), "ab") == [
        "a and b take off 0.600 less together than each by itself"
    ]


def test_what_adds_up_or_is_within_the_codec_is_not_told() -> None:
    assert sentences(drifts(none=1.0, a=0.5, b=0.5, ab=0.0), "ab") == []
    nearly = drifts(none=1.0, a=0.5, b=0.52, ab=0.0)
    assert sentences(nearly, "ab", codec=0.05) == []
    assert sentences(nearly, "ab", codec=0.005) != []


def test_nothing_is_told_without_all_drifts() -> None:
    assert interactions_of(lambda s: None if len(s) == 1 else 0.0, lambda _: None, ["a", "b"], 0.0) == []
    assert interactions_of(drifts(none=1.0, a=0.0), lambda _: None, ["a"], 0.0) == []
