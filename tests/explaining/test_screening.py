"""The two questions in made-up worlds, where every answer is known: what is seen, and what else changes the numbers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.made_up_worlds import CERTAIN, STEPS, Answer, Effect, World, answered, world_of
from spacediff.explaining.search import Subset
from spacediff.explaining.sight import Sight

NAMES = [f"setting.{n:02}" for n in range(12)]
A, B, C, D = NAMES[:4]

MOST_FOR_ALL_SETS = 5
EQUAL = Sight(equal=True, within=True)
TINY = Effect(visible=False, distance=0.001)
LATE = Effect(visible=False, step=None)


def asked(effects: dict[str, Effect], suspects: list[str] = NAMES, **kinds: Any) -> Answer:
    answer = answered(suspects, world_of(effects, suspects), **kinds)
    check(answer, suspects, world_of(effects, suspects))
    return answer


def check(answer: Answer, suspects: list[str], world: World) -> None:
    """Check that every claim is true, and that a run shows it."""
    everything = frozenset(suspects)

    def whole(changed: Subset) -> Sight:
        return world(changed) or Sight(None, None)

    assert whole(answer.cause).within, "the cause suffices"
    assert not any(whole(answer.cause - {member}).within for member in answer.cause), "no member can be left out"
    assert not answer.silent & (answer.cause | answer.numeric)
    for suspect, changed in answer.screening.silent.items():
        assert suspect not in changed
        assert answer.cause <= changed
        assert answer.laboratory.sights[changed].equal is True, "shown by a run that was made"
        assert whole(changed).equal is True
    for suspect, shown in answer.screening.acting.items():
        assert suspect in shown.group
        assert not shown.group & shown.changed
        assert answer.laboratory.sights[shown.changed].equal is False, "shown by a run that was made"
        assert whole(shown.changed).equal is False
    sets = (frozenset(some) for size in range(len(suspects) + 1) for some in itertools.combinations(suspects, size))
    if len(suspects) > MOST_FOR_ALL_SETS or all(whole(changed).equal is not None for changed in sets):
        assert answer.cause | answer.numeric | answer.silent == everything


# ---- what is seen, what is numeric, what makes no difference


def test_visible_numeric_and_silent_settings_are_distinguished() -> None:
    answer = asked({A: Effect(), C: Effect(distance=0.9), D: TINY, NAMES[7]: TINY})
    assert answer.classes == ({A, C}, {D, NAMES[7]})
    assert answer.silent == {*NAMES} - {A, C, D, NAMES[7]}


def test_without_numeric_settings_the_proof_shows_the_others_and_costs_nothing_more() -> None:
    answer = asked({A: Effect(), B: Effect()})
    assert set(answer.screening.silent.values()) == {frozenset({A, B})}
    assert [changed for changed, sight in answer.laboratory.sights.items() if sight.ended and changed] == [
        frozenset(NAMES), frozenset({A, B})]  # fmt: skip


@pytest.mark.parametrize("immaterial", range(4))
@pytest.mark.parametrize("members", [1, 2, 3])
def test_one_to_three_causes_among_twelve_cost_one_generation_and_a_half(members: int, immaterial: int) -> None:
    effects = {name: Effect() for name in NAMES[:members]}
    effects |= dict.fromkeys(NAMES[5 : 5 + immaterial], TINY)
    answer = asked(effects, unlikely=NAMES[8:10], late=NAMES[10:])
    assert answer.cause == {*NAMES[:members]}
    assert answer.numeric == {*NAMES[5 : 5 + immaterial]}
    proof = STEPS
    assert (answer.laboratory.steps - proof) / STEPS <= 1.5


@pytest.mark.parametrize(("members", "most"), [(1, 5), (2, 9), (3, 12)])
@pytest.mark.parametrize("first", [0, 4, 9])
def test_where_no_run_ends_early_halving_costs_fewer_generations_than_suspects(
    members: int, most: int, first: int
) -> None:
    effects = {name: Effect() for name in NAMES[first : first + members]}
    answer = asked(effects, unlikely=NAMES[8:10], thorough=False, ends_early=False)
    assert answer.classes == ({*effects}, set())
    assert answer.silent == {*NAMES} - effects.keys()
    assert answer.laboratory.runs <= most
    assert answer.laboratory.steps == answer.laboratory.runs * STEPS


def test_what_only_changes_numbers_is_found_where_no_run_ends_early() -> None:
    answer = asked({A: Effect(), D: TINY, NAMES[10]: LATE}, late=NAMES[10:], ends_early=False)
    assert answer.classes == ({A}, {D, NAMES[10]})


def test_a_setting_that_acts_only_after_the_denoising_costs_a_decode() -> None:
    late = [NAMES[10], NAMES[11]]
    without = asked({A: Effect()}, late=late)
    answer = asked({A: Effect(), late[0]: LATE}, late=late)
    assert answer.classes == ({A}, {late[0]})
    assert answer.laboratory.steps <= without.laboratory.steps + STEPS + 2, "numeric: the group needs its own run"


def test_a_visible_setting_that_acts_only_after_the_denoising_is_a_cause() -> None:
    answer = asked({NAMES[10]: Effect(step=None), D: TINY}, late=NAMES[10:])
    assert answer.classes == ({NAMES[10]}, {D})


def test_what_acts_late_in_the_denoising_is_found_by_halving() -> None:
    answer = asked({A: Effect(), C: Effect(visible=False, step=30, distance=0.001)})
    assert answer.classes == ({A}, {C})
    visible = asked({A: Effect(), C: Effect(step=30, distance=0.01), D: TINY})
    assert visible.classes == ({A, C}, {D})


def test_a_difference_that_nobody_sees_has_no_visible_cause() -> None:
    answer = asked({A: TINY})
    assert answer.classes == (set(), {A})


def test_a_small_distance_that_is_seen_in_the_end_is_a_cause() -> None:
    """Its distance leaves it open, so the proof without it fails; the farther of the open ones are tried first."""
    answer = asked({A: Effect(), B: Effect(distance=0.1), C: Effect(visible=False, distance=0.05), D: TINY})
    assert answer.classes == ({A, B}, {C, D})


def test_members_that_are_expected_to_be_seen_are_proved_together_and_then_left_out_each() -> None:
    effects = {A: Effect(), B: Effect(distance=0.02), C: Effect(distance=0.01), D: TINY}
    guessed, blind = asked(effects, expected={B, C}, thorough=False), asked(effects, thorough=False)
    assert guessed.classes == blind.classes == ({A, B, C}, {D})
    assert blind.laboratory.steps - guessed.laboratory.steps == STEPS
    assert guessed.laboratory.steps < 5 * STEPS, "proof, settling and two members, and the first steps of each"


def test_what_is_wrongly_expected_to_be_seen_is_no_member() -> None:
    answer = asked({A: Effect(), B: Effect(distance=0.02), C: TINY}, expected={B, C})
    assert answer.classes == ({A, B}, {C})


# ---- settings that act only together, stand in for each other, or undo each other


def test_of_two_that_stand_in_for_each_other_one_is_the_cause() -> None:
    answer = asked({A: Effect(beside=frozenset({B})), B: Effect(beside=frozenset({A}))})
    assert len(answer.cause) == 1
    assert answer.numeric == set()


def test_two_numeric_settings_that_stand_in_for_each_other_act_together() -> None:
    answer = asked({A: Effect(), C: Effect(visible=False, distance=0.01, beside=frozenset({D}))})
    assert answer.cause == {A}
    assert answer.numeric == {C, D}
    assert answer.screening.acting[C].group == {C, D}


def test_two_that_undo_each_other_bit_for_bit_do_not_hide_each_other() -> None:
    def world(changed: Subset) -> Sight:
        undone = (B in changed) is (C in changed)
        return Sight(
            undone and A in changed, A in changed, None if undone and A in changed else 1, 0.4 * (A not in changed)
        )

    answer = answered(NAMES[:4], world)
    check(answer, NAMES[:4], world)
    assert answer.classes == ({A}, {B, C})
    assert answer.silent == {D}


def test_what_leaves_no_clip_is_neither_said_to_act_nor_to_make_no_difference() -> None:
    def world(changed: Subset) -> Sight | None:
        return world_of({A: Effect()}, NAMES[:4])(changed) if D in changed or not changed else None

    answer = answered(NAMES[:4], world)
    assert A in answer.cause
    assert D not in answer.silent | answer.numeric


@st.composite
def any_world(draw: st.DrawFn) -> tuple[list[str], World, list[str], list[str], list[str]]:
    """Draw a world in which any set of changes may show anything, as long as its figures agree with each other."""
    suspects = NAMES[: draw(st.integers(1, 5))]
    table: dict[Subset, Sight | None] = {}
    for size in range(len(suspects) + 1):
        for some in itertools.combinations(suspects, size):
            kind = draw(st.sampled_from(["equal", "equal", "numeric", "seen", "seen", "certain", "late", "none"]))
            step = draw(st.integers(1, 6))
            table[frozenset(some)] = {
                "equal": EQUAL,
                "numeric": Sight(equal=False, within=True, step=step, distance=0.01),
                "seen": Sight(equal=False, within=False, step=step, distance=0.01),
                "certain": Sight(equal=False, within=False, step=step, distance=CERTAIN),
                "late": Sight(equal=False, within=draw(st.booleans())),
                "none": None,
            }[kind]
    table[frozenset()] = Sight(equal=False, within=draw(st.booleans()), step=1, distance=0.01)
    table[frozenset(suspects)] = EQUAL
    return (
        suspects,
        table.__getitem__,
        draw(st.lists(st.sampled_from(suspects))),
        draw(st.lists(st.sampled_from(suspects))),
        draw(st.lists(st.sampled_from(suspects))),
    )


@given(any_world(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_undoes_what_every_claim_is_true(drawn: Any, ends_early: bool) -> None:  # noqa: FBT001 - drawn
    suspects, world, unlikely, late, expected = drawn
    check(answered(suspects, world, unlikely, late, expected=expected, ends_early=ends_early), suspects, world)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_where_changing_more_never_harms_every_class_is_right(data: st.DataObject) -> None:
    effects = {
        name: data.draw(
            st.builds(
                Effect,
                visible=st.booleans(),
                step=st.integers(1, STEPS),
                distance=st.floats(0, CERTAIN, exclude_max=True),
            )
        )
        for name in data.draw(st.sets(st.sampled_from(NAMES)))
    }
    unlikely, expected = (data.draw(st.sets(st.sampled_from(NAMES))) for _ in range(2))
    answer = asked(effects, unlikely=unlikely, expected=expected)
    visible = {name for name, effect in effects.items() if effect.visible}
    assert answer.classes == (visible, {*effects} - visible)
    assert answer.silent == {*NAMES} - effects.keys()
