"""The search on made-up worlds, where the cause is known; audits with real clips are in test_explain.py."""

from __future__ import annotations

import itertools
import math
import random
import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacediff.explaining.search import (
    MOST_FOR_SHAPLEY,
    BudgetSpentError,
    Search,
    Subset,
    interaction_indices,
    shapley_values,
    subsets_to_weigh,
)

NAMES = [f"setting.{n}" for n in range(24)]


def searched(suspects: list[str], cause: set[str]) -> tuple[Subset, int]:
    """Search a world in which exactly these settings are needed; return what was found, and the tests it took."""
    count = 0

    def reaches(subset: Subset) -> bool:
        nonlocal count
        count += 1
        return cause <= subset

    return Search(suspects, reaches).run(), count


@pytest.mark.parametrize("suspects", range(1, 25))
def test_one_cause_takes_no_more_than_the_logarithm_and_three(suspects: int) -> None:
    for cause in NAMES[:suspects]:
        found, count = searched(NAMES[:suspects], {cause})
        assert found == {cause}
        assert count + 2 <= math.ceil(math.log2(suspects)) + 3, "the two ends are generations too"


@given(st.data())
def test_any_cause_is_found_exactly(data: st.DataObject) -> None:
    suspects = NAMES[: data.draw(st.integers(1, 16))]
    cause = data.draw(st.sets(st.sampled_from(suspects), min_size=1, max_size=5))
    found, _ = searched(suspects, cause)
    assert found == cause


@pytest.mark.parametrize(("size", "most"), [(1, 24), (2, 14), (3, 11), (4, 10)])
def test_never_more_tests_than_plain_delta_debugging(size: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """picire's `DD` is the delta debugging of Zeller and Hildebrandt; both know how the two ends come out."""
    versions = types.ModuleType("pkg_resources")  # picire looks up its version in what setuptools no longer brings
    versions.get_distribution = lambda _: types.SimpleNamespace(version="")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pkg_resources", versions)
    import picire

    ours, theirs = [], []
    for suspects in range(size, most + 1):
        for cause in itertools.combinations(NAMES[:suspects], size):
            found, count = searched(NAMES[:suspects], {*cause})
            assert found == {*cause}
            ours.append(count)
            theirs.append(_plain_delta_debugging(picire, NAMES[:suspects], {*cause}))
    assert all(mine <= other for mine, other in zip(ours, theirs, strict=True))
    assert sum(ours) < sum(theirs)


def _plain_delta_debugging(picire: Any, suspects: list[str], needed: set[str]) -> int:
    tested: set[frozenset[str]] = {frozenset(suspects), frozenset()}

    def test(config: list[str], _: object) -> object:
        tested.add(frozenset(config))
        return picire.Outcome.FAIL if needed <= set(config) else picire.Outcome.PASS

    assert set(picire.DD(test)(suspects)) == needed
    return len(tested) - 2


def test_of_two_ways_to_the_other_end_one_is_found() -> None:
    found = Search(NAMES[:6], lambda s: {NAMES[1], NAMES[4]} <= s or NAMES[5] in s).run()
    assert found in ({NAMES[1], NAMES[4]}, {NAMES[5]})


def test_a_suspect_that_undoes_another_does_not_mislead() -> None:
    """With b changed a second time by c: a and b reach the end, and so does everything, but not a, b and c alone."""
    a, b, c, d = NAMES[:4]

    def reaches(subset: Subset) -> bool:
        return {a, b} <= subset and (c not in subset or d in subset)

    search = Search([a, b, c, d], reaches)
    search.run()
    found = search.confirm()
    assert reaches(found)
    assert not any(reaches(found - {member}) for member in found)


@pytest.mark.parametrize("block", range(4))
def test_whatever_undoes_what_no_member_of_the_cause_is_needless(block: int) -> None:
    """Tables of any shape: what is found reaches, without any one member it does not, nor does any part if weighed."""
    chance = random.Random(block)  # noqa: S311 - made-up tables, the same each time
    for _ in range(500):
        names = NAMES[: chance.randint(1, 5)]
        parts = [frozenset(some) for size in range(len(names) + 1) for some in itertools.combinations(names, size)]
        table: dict[Subset, bool | None] = {part: chance.choice([True, False, False, None]) for part in parts}
        table |= {frozenset(): False, frozenset(names): True}
        asked: list[Subset] = []

        def reaches(
            subset: Subset, asked: list[Subset] = asked, table: dict[Subset, bool | None] = table
        ) -> bool | None:
            asked.append(subset)
            return table[subset]

        search = Search(names, reaches)
        search.run()
        found = search.confirm()
        assert table[found]
        assert not any(table[found - {member}] for member in found)
        weighed = search.weigh()
        assert weighed <= found
        assert table[weighed]
        assert not any(table[weighed - {member}] for member in weighed)
        if len(weighed) <= MOST_FOR_SHAPLEY:
            assert not any(table[part] for part in parts if part < weighed)
        assert len({*asked}) == len(asked), "each subset is tested once"


def test_a_smaller_set_that_the_weighing_shows_is_the_cause() -> None:
    a, b, c, d = NAMES[:4]
    search = Search([a, b, c, d], lambda s: s in ({b}, {a, b, c}, {a, b, c, d}))
    search.run()
    assert search.confirm() == {a, b, c}
    assert search.weigh() == {b}


def test_what_leaves_no_clip_tells_nothing_of_other_sets() -> None:
    a, b, c, d = NAMES[:4]
    search = Search([a, b, c, d], lambda s: None if s == {a, b} else a in s)
    search.run()
    assert search.confirm() == {a}
    assert search.tested[frozenset({a, b})] is None
    parts: dict[Subset, bool | None] = {frozenset({a, b}): None, frozenset({c, d}): False}
    known = Search([a, b, c, d], bool, parts).known_outcome
    assert (known(frozenset({a})), known(frozenset({c}))) == (None, False)


def test_nothing_differs_means_no_test() -> None:
    assert searched([], set()) == (frozenset(), 0)


def test_a_spent_budget_leaves_the_best_so_far() -> None:
    count = 0

    def reaches(subset: Subset) -> bool:
        nonlocal count
        if count == 3:
            raise BudgetSpentError
        count += 1
        return NAMES[0] in subset

    search = Search(NAMES[:16], reaches)
    with pytest.raises(BudgetSpentError):
        search.run()
    assert NAMES[0] in search.smallest
    assert len(search.smallest) == 2


def test_shapley_values_share_out_what_is_gained() -> None:
    alone = {"a": 0.1, "b": 0.2}

    def drift(subset: Subset) -> float:
        return 1 - sum(alone[m] for m in subset) - (0.6 if len(subset) == 2 else 0)  # 0.6 only together

    values = shapley_values(drift, ["a", "b"])
    assert values == pytest.approx({"a": 0.4, "b": 0.5})
    assert shapley_values(lambda s: None if len(s) == 1 else 0.0, ["a", "b"]) is None
    assert shapley_values(drift, list("abcde")) is None


def test_what_is_weighed() -> None:
    assert len(subsets_to_weigh(NAMES[:3])) == 8
    assert len(subsets_to_weigh(NAMES[:6])) == 14


def test_what_is_known_beforehand_costs_no_test() -> None:
    asked: list[Subset] = []

    def reaches(subset: Subset) -> bool:
        asked.append(subset)
        return NAMES[2] in subset

    known: dict[Subset, bool | None] = {frozenset(NAMES[2:4]): True, frozenset(NAMES[3:8]): False}
    assert Search(NAMES[:8], reaches, known).run() == {NAMES[2]}
    assert len(asked) == 1
    assert not set(known) & set(asked)
    asked.clear()
    assert Search(NAMES[:8], reaches).run() == {NAMES[2]}
    assert len(asked) > 1


def test_interactions_are_the_second_differences_on_the_average() -> None:
    """Against the sum over orders: a pair counts as one player that takes any place among the others."""
    names = ["a", "b", "c", "d"]
    drifts = {
        frozenset(s): (7 * sum(map(ord, s)) % 11) / 10 for n in range(5) for s in itertools.combinations(names, n)
    }
    found = interaction_indices(drifts.get, names)
    assert found is not None
    for one, other in itertools.combinations(names, 2):
        rest = [name for name in names if name not in {one, other}]
        orders = list(itertools.permutations(["pair", *rest]))
        gains = []
        for order in orders:
            before = frozenset(order[: order.index("pair")])
            gains.append(
                drifts[before | {one}] + drifts[before | {other}] - drifts[before | {one, other}] - drifts[before]
            )
        assert found[one, other] == pytest.approx(sum(gains) / len(orders))


def test_members_that_add_up_do_not_interact() -> None:
    found = interaction_indices(lambda s: 1.0 - 0.3 * len(s), ["a", "b", "c"])
    assert found == pytest.approx(dict.fromkeys([("a", "b"), ("a", "c"), ("b", "c")], 0.0))
    assert interaction_indices(lambda s: None if len(s) == 1 else 0.0, ["a", "b"]) is None
    assert interaction_indices(lambda _: 0.0, list("abcde")) is None
