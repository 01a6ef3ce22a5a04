"""The check on a Gradio server whose endpoints are honest, cached, blind, random and rewriting."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import spacediff
from spacediff.checking.result import Question, SpaceCheck
from spacediff.errors import Exit
from spacediff.record import FactKind
from support.gradio_servers import SpaceApp

Q = Question
Found = Mapping[Question, tuple[FactKind, int]]


def found_in(check: SpaceCheck) -> Found:
    return {each.question: (each.fact.kind, each.calls) for each in check.answers}


@pytest.mark.parametrize(
    ("endpoint", "calls", "exit_code", "expected"),
    [
        (
            "honest",
            6,
            Exit.GATE_PASSED,
            {
                Q.REPEATS: (FactKind.SPACE_REPEATS, 2),
                Q.CACHE: (FactKind.SPACE_CACHE_UNUSED, 5),
                Q.SEED: (FactKind.SPACE_SEED_MATTERS, 3),
                Q.GUIDANCE: (FactKind.SPACE_INPUT_MATTERS, 3),
                Q.STEPS: (FactKind.SPACE_INPUT_MATTERS, 3),
                Q.PROMPT: (FactKind.SPACE_PROMPT_SILENT, 0),
            },
        ),
        pytest.param(
            "cached",
            4,
            Exit.GATE_FAILED,
            {
                Q.REPEATS: (FactKind.SPACE_REPEATS_PAST_CACHE, 2),
                Q.CACHE: (FactKind.SPACE_CACHE_USED, 4),
                Q.SEED: (FactKind.SPACE_SEED_MATTERS, 3),
                Q.GUIDANCE: (FactKind.SPACE_NOT_ASKED, 0),
            },
            marks=pytest.mark.slow,
        ),
        (
            "cached_random",
            3,
            Exit.GATE_FAILED,
            {
                Q.REPEATS: (FactKind.SPACE_REPEAT_CACHED, 3),
                Q.CACHE: (FactKind.SPACE_CACHE_USED, 3),
                Q.SEED: (FactKind.SPACE_NOT_ASKED, 0),
            },
        ),
        (
            "seed_blind",
            3,
            Exit.GATE_FAILED,
            {Q.REPEATS: (FactKind.SPACE_REPEATS, 2), Q.SEED: (FactKind.SPACE_SEED_BLIND, 2)},
        ),
        (
            "seed_random",
            6,
            Exit.GATE_FAILED,
            {
                Q.REPEATS: (FactKind.SPACE_VARIES, 2),
                Q.SEED: (FactKind.SPACE_SEED_VARIES, 2),
                Q.RANDOMISED: (FactKind.SPACE_SEED_ECHOED, 2),
                Q.GUIDANCE: (FactKind.SPACE_EFFECT_HIDDEN, 2),
            },
        ),
        (
            "guidance_blind",
            4,
            Exit.GATE_FAILED,
            {
                Q.SEED: (FactKind.SPACE_SEED_MATTERS, 3),
                Q.GUIDANCE: (FactKind.SPACE_INPUT_BLIND, 2),
                Q.STEPS: (FactKind.SPACE_NOT_ASKED, 0),
            },
        ),
        ("rewriting", 1, Exit.GATE_FAILED, {Q.PROMPT: (FactKind.SPACE_PROMPT_REWRITTEN, 1)}),
    ],
)
def test_each_kind_of_space_is_named_right(
    spaces: SpaceApp, endpoint: str, calls: int, exit_code: Exit, expected: Found
) -> None:
    check = spacediff.check_space(spaces.url, endpoint=f"/{endpoint}", calls=calls)
    found = found_in(check)
    assert {question: found[question] for question in expected} == expected
    assert check.exit_code == exit_code
    assert len(check.calls) <= calls
    assert all(call.measured and len(call.frames) == 3 for call in check.calls)
