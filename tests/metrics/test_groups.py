from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from spacediff.group_sizes import MEASURES_OF_CLIPS, MEASURES_OF_PICTURES, fewest_clips, smallest_p
from spacediff.metrics.clip_features import GROUP_MEASURES
from spacediff.metrics.groups import (
    GroupTest,
    clips_to_exclude,
    clips_to_find,
    compare_distances,
    compare_spread,
    compare_values,
    detectable_effect,
    holm,
)

RNG = np.random.default_rng(3)
ONE, OTHER = RNG.normal(size=6), RNG.normal(0.8, size=6)


def between(values: np.ndarray) -> np.ndarray:
    distances: np.ndarray = np.abs(values[:, None] - values[None, :])
    return distances


def test_p_of_values_is_that_of_the_exact_rank_sum_test() -> None:
    expected = stats.mannwhitneyu(OTHER, ONE, method="exact").pvalue
    assert compare_values(ONE.tolist(), OTHER.tolist()).p == pytest.approx(expected)


def test_the_effect_counts_the_pairs_in_which_the_candidate_is_higher() -> None:
    wins = sum(np.sign(theirs - ours) for ours, theirs in itertools.product(ONE, OTHER))
    found = compare_values(ONE.tolist(), OTHER.tolist())
    assert found.effect == pytest.approx(wins / 36)
    assert found.interval is not None
    assert -1 <= found.interval[0] < (found.effect or 0) < found.interval[1] <= 1


def test_groups_that_do_not_overlap_have_the_smallest_p_and_equal_values_the_largest() -> None:
    apart = compare_values([1.0, 2, 3, 4], [5.0, 6, 7, 8])
    assert apart.p == pytest.approx(smallest_p(4, 4)) == pytest.approx(2 / math.comb(8, 4))
    assert (apart.effect, apart.interval) == (1, (0, 1))
    assert compare_values([5.0, 5, 5, 5], [5.0, 5, 5, 5]).p == 1


def test_the_interval_holds_the_true_effect_in_nine_of_ten_audits() -> None:
    true = 2 * stats.norm.cdf(0.5 / math.sqrt(2)) - 1
    draws = np.random.default_rng(0)
    intervals = [
        compare_values(draws.normal(size=5).tolist(), draws.normal(0.5, size=5).tolist()).interval for _ in range(150)
    ]
    inside = sum(low <= true <= high for low, high in filter(None, intervals))
    assert stats.binom.sf(inside, 150, 0.9) < 0.9999  # not far above
    assert stats.binom.cdf(inside, 150, 0.9) > 0.001


def test_clips_that_are_more_alike_are_less_diverse() -> None:
    values = np.r_[np.linspace(0, 10, 6), np.linspace(4.9, 5.1, 6)]
    assert compare_spread(between(values), 6).p == pytest.approx(smallest_p(6, 6))
    assert compare_spread(between(np.r_[ONE, ONE + 0.01]), 6).p > 0.5


def test_the_energy_distance_is_that_of_its_definition_and_sees_a_shift() -> None:
    distances = between(np.r_[ONE, OTHER])

    def energy(first: list[int], second: list[int]) -> float:
        def within(group: list[int]) -> float:
            return float(np.mean([distances[a, b] for a in group for b in group if a != b]))

        across = float(np.mean([distances[a, b] for a in first for b in second]))
        return 2 * across - within(first) - within(second)

    seen = energy([*range(6)], [*range(6, 12)])
    divided = [
        energy([*each], [n for n in range(12) if n not in each]) for each in itertools.combinations(range(12), 6)
    ]
    expected = float(np.mean([each >= seen - 1e-12 for each in divided]))
    assert compare_distances(distances, 6).p == pytest.approx(expected)
    assert compare_distances(between(np.r_[ONE, ONE + 50]), 6).p == pytest.approx(smallest_p(6, 6))


def test_no_more_tests_than_promised_are_false() -> None:
    draws = np.random.default_rng(1)
    false = sum(compare_values(*draws.normal(size=(2, 5)).tolist()).p <= 0.05 for _ in range(200))
    assert stats.binom.sf(false - 1, 200, 0.05) > 0.001


def test_p_values_are_adjusted_as_r_does() -> None:
    """R 4.3: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_the_fewest_clips_are_those_whose_smallest_p_is_small_enough() -> None:
    assert fewest_clips(1) == 4  # 2 / 70; three a side give 2 / 20 at best
    assert fewest_clips(9) == 6  # 9 * 2 / 924; five a side give 9 * 2 / 252
    assert fewest_clips(1000) is None


def test_the_number_of_clips_is_that_of_noether() -> None:
    """Noether 1987: N = (1.960 + 0.842)² / (12 · ¼ · (0.7 - 0.5)²) = 65.4 for P(X < Y) = 0.7, alpha 0.05, power 0.8."""
    assert detectable_effect((33, 33), 1) == pytest.approx(0.4, abs=0.003)
    assert detectable_effect((8, 8), 9) is None
    seen = GroupTest(p=0.2, effect=0.4, deviations=0.2 * math.sqrt(6 * 20))  # ranks of twenty a side
    assert clips_to_find(seen, (20, 20), 1) == 33
    assert clips_to_find(GroupTest(p=1.0, effect=0.0, deviations=0.0), (20, 20), 1) is None
    assert clips_to_find(GroupTest(p=0.9, effect=0.01, deviations=0.05), (20, 20), 1) is None


def test_an_effect_is_excluded_with_more_clips_unless_it_is_there() -> None:
    seen = GroupTest(p=0.5, effect=0.1, interval=(-0.3, 0.5))
    assert clips_to_exclude(seen, (8, 8), 0.35) == 21  # 8 * (0.4 / 0.25)² = 20.5
    assert clips_to_exclude(seen, (8, 8), 0.5) is None  # it is within already
    assert clips_to_exclude(GroupTest(p=0.01, effect=0.6, interval=(0.4, 0.8)), (8, 8), 0.5) is None


def test_a_scenario_is_checked_for_as_many_tests_as_there_are_measures() -> None:
    assert len(GROUP_MEASURES) + 2 == MEASURES_OF_CLIPS  # with diversity and likeness
    assert sum(not each.between for each in GROUP_MEASURES) + 2 == MEASURES_OF_PICTURES


def test_large_groups_are_tested_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacediff.metrics.groups.MOST_DIVISIONS", 2_000)  # more take no more memory
    distances = between(np.random.default_rng(0).normal(size=256))
    tracemalloc.start()
    try:
        compare_distances(distances, 128)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100e6  # 2,000 divisions at once take 262 MB for the distances between the groups


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_has_no_rank(value: float) -> None:
    with pytest.raises(ValueError, match="no finite number"):
        compare_values([1.0, 2, value, 3], [4.0, 5, 6, 7])
