"""What follows from calls, without making any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from spacediff.checking.answers import Known, answers_of
from spacediff.checking.asked import Asked, Knob
from spacediff.checking.probes import next_probe, repeats
from spacediff.checking.result import Answer, Call, Purpose, Question, SpaceCheck, Standing
from spacediff.errors import Exit
from spacediff.hub.asking import ZeroGpuQuota
from spacediff.reading import read_text
from spacediff.reading.model import GpuRequest, Input, Note, Reading
from spacediff.record import FactKind
from spacediff.run import Prompt
from spacediff.sources.space import SpaceRequest
from spacediff.sources.space.messages import Declared
from spacediff.wording import sentence

INPUTS = {"prompt": "{prompt}", "seed": "{seed}"}
API = Declared(
    inputs={
        "prompt": {"component": "Textbox", "label": "Prompt"},
        "seed": {"component": "Number", "label": "Seed"},
        "guidance": {"component": "Slider", "label": "Guidance", "parameter_default": 6},
        "enhance_prompt": {"component": "Checkbox", "label": "Enhance", "parameter_default": False},
    },
    outputs=(("Clip", "video"),),
    schema_digest="0" * 64,
)
KNOB = Knob(Question.GUIDANCE, "guidance", 6, 5)
FIRST = Call(Purpose.FIRST, seconds=14.0, work_seconds=12.0, frames=("a", "b"), used_cache="no")
AGAIN = replace(FIRST, purpose=Purpose.AGAIN)
CACHED = replace(AGAIN, used_cache="full", work_seconds=None)
PAST = replace(FIRST, purpose=Purpose.PAST_CACHE)
SEED = Call(Purpose.SEED, Question.SEED, value=43, before=42, work_seconds=11.0, frames=("c", "d"), used_cache="no")
GUIDANCE = replace(SEED, purpose=Purpose.INPUT, question=Question.GUIDANCE, changed="guidance", before=6, value=5)


def asked(api: Declared = API, **inputs: Any) -> Asked:
    request = SpaceRequest("org/space", "/run", INPUTS | inputs, {"video": 0})
    return Asked(request, Prompt("p", "a lemon", 42), api, (KNOB,))


def failed(call: Call, code: str = "space-failed") -> Call:
    return replace(call, frames=(), code=code, reason="it broke", used_cache="unknown")


def answer(question: Question, calls: Sequence[Call], known: Known | None = None, **inputs: Any) -> Answer:
    return next(each for each in answers_of(asked(**inputs), calls, known or Known()) if each.question is question)


@pytest.mark.parametrize(
    ("calls", "settled", "kind", "rests_on"),
    [
        ([FIRST, AGAIN], True, FactKind.SPACE_REPEATS, 2),
        ([FIRST, replace(AGAIN, frames=("a", "x"))], False, FactKind.SPACE_VARIES, 2),
        ([FIRST, replace(AGAIN, frames=("a",))], False, FactKind.SPACE_VARIES, 2),
        ([FIRST, CACHED], None, FactKind.SPACE_REPEAT_CACHED, 2),
        ([FIRST, replace(AGAIN, used_cache="partial")], None, FactKind.SPACE_REPEAT_CACHED, 2),
        ([FIRST, replace(CACHED, frames=("x", "y"))], False, FactKind.SPACE_VARIES, 2),
        ([FIRST, CACHED, PAST], True, FactKind.SPACE_REPEATS_PAST_CACHE, 2),
        ([FIRST, CACHED, replace(PAST, frames=("x", "y"))], None, FactKind.SPACE_REPEAT_CACHED, 3),
        ([FIRST, CACHED, replace(PAST, used_cache="full")], None, FactKind.SPACE_REPEAT_CACHED, 2),
        ([FIRST, CACHED, failed(PAST)], None, FactKind.SPACE_REPEAT_CACHED, 2),
        ([FIRST, replace(AGAIN, work_seconds=0.1), SEED], None, FactKind.SPACE_REPEAT_QUICK, 2),
        ([FIRST, replace(AGAIN, work_seconds=4.0), SEED], True, FactKind.SPACE_REPEATS, 2),
        ([FIRST, replace(AGAIN, work_seconds=0.1), replace(SEED, work_seconds=0.5)], True, FactKind.SPACE_REPEATS, 2),
        ([FIRST, failed(AGAIN)], None, FactKind.SPACE_CALL_FAILED, 1),
        ([FIRST], None, FactKind.SPACE_NOT_ASKED, 0),
    ],
)
def test_only_frames_that_were_generated_twice_show_that_a_call_repeats_itself(
    calls: list[Call], *, settled: bool | None, kind: FactKind, rests_on: int
) -> None:
    found = answer(Question.REPEATS, calls)
    assert repeats(calls) is settled
    assert (found.fact.kind, found.calls) == (kind, rests_on)
    assert (found.standing is Standing.FINE) is (settled is True)


@pytest.mark.parametrize(
    ("calls", "kind", "rests_on"),
    [
        ([FIRST, AGAIN, SEED], FactKind.SPACE_SEED_MATTERS, 3),
        ([FIRST, AGAIN, replace(SEED, frames=FIRST.frames)], FactKind.SPACE_SEED_BLIND, 2),
        ([FIRST, CACHED, SEED], FactKind.SPACE_EFFECT_HIDDEN, 3),
        ([FIRST, CACHED, replace(SEED, frames=FIRST.frames)], FactKind.SPACE_SEED_BLIND, 2),
        ([FIRST, replace(AGAIN, frames=("x", "y"))], FactKind.SPACE_SEED_VARIES, 2),
        ([FIRST, AGAIN], FactKind.SPACE_NOT_ASKED, 0),
        ([FIRST, AGAIN, failed(SEED)], FactKind.SPACE_CALL_FAILED, 1),
    ],
)
def test_other_frames_show_an_effect_only_where_a_call_repeats_itself(
    calls: list[Call], kind: FactKind, rests_on: int
) -> None:
    found = answer(Question.SEED, calls)
    assert (found.fact.kind, found.calls) == (kind, rests_on)


def test_a_question_that_no_input_answers_is_said_so() -> None:
    assert answer(Question.STEPS, [FIRST, AGAIN]).fact.kind is FactKind.SPACE_SWITCH_NONE
    assert answer(Question.GUIDANCE, [FIRST, AGAIN, GUIDANCE]).fact.kind is FactKind.SPACE_INPUT_MATTERS


def test_a_seed_that_no_input_gets_is_said_so() -> None:
    assert answer(Question.SEED, [FIRST, AGAIN], seed=7).fact.kind is FactKind.SPACE_SEED_ABSENT


@pytest.mark.parametrize(
    ("calls", "kind", "standing"),
    [
        ([replace(FIRST, seed=42), replace(AGAIN, seed=42)], FactKind.SPACE_SEED_KEPT, Standing.FINE),
        ([replace(FIRST, seed=42), replace(SEED, seed=43)], FactKind.SPACE_SEED_KEPT, Standing.FINE),
        ([replace(FIRST, seed=42), replace(SEED, seed=42)], FactKind.SPACE_SEED_ECHOED, Standing.CONCERN),
        ([replace(FIRST, seed=7)], FactKind.SPACE_SEED_ECHOED, Standing.CONCERN),
        ([FIRST, AGAIN], FactKind.SPACE_SWITCH_NONE, Standing.FINE),
        ([FIRST], FactKind.SPACE_SWITCH_NONE, Standing.UNKNOWN),
    ],
)
def test_the_seeds_that_a_space_reports_are_compared_with_those_that_it_was_sent(
    calls: list[Call], kind: FactKind, standing: Standing
) -> None:
    found = answer(Question.RANDOMISED, calls)
    assert (found.fact.kind, found.standing) == (kind, standing)


def test_a_switch_that_is_on_is_named_without_a_call() -> None:
    found = answer(Question.RANDOMISED, [], randomize_seed=True)
    assert (found.fact.kind, found.calls) == (FactKind.SEED_RANDOMISED, 0)


@pytest.mark.parametrize("label", ["Seed (-1 for random)", "Randomness"])
def test_a_number_with_such_a_label_is_no_switch(label: str) -> None:
    number = {"component": "Number", "label": label, "parameter_default": 0}
    api = API.model_copy(update={"inputs": {**API.inputs, "seed": number}})
    found = [each for each in answers_of(asked(api), [FIRST, AGAIN], Known()) if each.question is Question.RANDOMISED]
    assert [each.fact.kind for each in found] == [FactKind.SPACE_SWITCH_NONE]


@pytest.mark.parametrize(
    ("calls", "sent", "kinds", "usually_on"),
    [
        ([FIRST, AGAIN], False, [FactKind.SPACE_SWITCH_OFF], ["shuffle"]),
        ([replace(FIRST, seed=42)], False, [FactKind.SPACE_SEED_KEPT, FactKind.SPACE_SWITCH_OFF], ["shuffle"]),
        ([replace(FIRST, seed=7)], False, [FactKind.SPACE_SEED_ECHOED, FactKind.SPACE_SWITCH_OFF], ["shuffle"]),
        ([FIRST, AGAIN], True, [FactKind.SEED_RANDOMISED], None),
    ],
)
def test_a_switch_that_is_off_only_in_the_calls_is_said_to_be_on_otherwise(
    calls: list[Call], *, sent: bool, kinds: list[FactKind], usually_on: list[str] | None
) -> None:
    switch = {"component": "Checkbox", "label": "Randomize", "parameter_default": True}
    api = API.model_copy(update={"inputs": {**API.inputs, "shuffle": switch}})
    found = [
        each.fact
        for each in answers_of(asked(api, shuffle=sent), calls, Known())
        if each.question is Question.RANDOMISED
    ]
    assert [each.kind for each in found] == kinds
    if usually_on:
        assert found[-1].values == {"inputs": ["shuffle"], "usually_on": usually_on}
        assert "The Space has shuffle on by default" in sentence(found[-1])


@pytest.mark.parametrize(
    ("used_caches", "kind"),
    [
        (("no", "no"), FactKind.SPACE_CACHE_UNUSED),
        (("no", "full"), FactKind.SPACE_CACHE_USED),
        (("partial", "no"), FactKind.SPACE_CACHE_USED),
        (("no", "unknown"), FactKind.SPACE_CACHE_UNSAID),
        (("no",), FactKind.SPACE_CACHE_UNTRIED),
    ],
)
def test_no_cache_is_said_only_where_the_server_says_it_of_a_repeated_call(
    used_caches: tuple[str, ...], kind: FactKind
) -> None:
    calls = [replace(call, used_cache=used) for call, used in zip((FIRST, AGAIN), used_caches, strict=False)]
    assert answer(Question.CACHE, calls).fact.kind is kind


READ = Reading(inputs={"call.prompt": Input("Textbox", "Prompt", None, "app.py:3")})
TEMPLATE = Note("prompt template", "{Prompt}, 8k", "app.py:9")


@pytest.mark.parametrize(
    ("calls", "reading", "kinds"),
    [
        ([replace(FIRST, prompt=True)], None, [FactKind.SPACE_PROMPT_KEPT]),
        ([replace(FIRST, prompt=False)], None, [FactKind.SPACE_PROMPT_REWRITTEN]),
        ([FIRST], None, [FactKind.SPACE_PROMPT_SILENT]),
        ([FIRST], Reading(), [FactKind.SPACE_PROMPT_SILENT]),
        ([FIRST], READ, [FactKind.SPACE_PROMPT_AS_READ]),
        ([FIRST], replace(READ, notes=[TEMPLATE]), [FactKind.SPACE_PROMPT_SOURCE]),
        ([replace(FIRST, prompt=True)], replace(READ, notes=[TEMPLATE]),
         [FactKind.SPACE_PROMPT_KEPT, FactKind.SPACE_PROMPT_SOURCE]),
    ],
)  # fmt: skip
def test_what_becomes_of_the_prompt(calls: list[Call], reading: Reading | None, kinds: list[FactKind]) -> None:
    found = [each for each in answers_of(asked(), calls, Known(reading)) if each.question is Question.PROMPT]
    assert [each.fact.kind for each in found] == kinds


ENHANCING = """
import gradio as gr, openai
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("a/b")
client = openai.OpenAI()
def enhanced(prompt):
    answer = client.chat.completions.create(model="m", messages=[{{"role": "user", "content": prompt}}])
    return answer.choices[0].message.content
def generate(prompt, improve):
    {line}
    return pipe(prompt).frames[0]
with gr.Blocks() as demo:
    prompt, improve = gr.Textbox(label="Prompt"), gr.Checkbox(label="Improve", value={on})
    gr.Button().click(generate, [prompt, improve], gr.Video())
"""


@pytest.mark.parametrize(
    ("line", "on", "says"),
    [
        ("prompt = enhanced(prompt)", "True", "In the source, the prompt is rewritten: "),
        ("prompt = enhanced(prompt) if improve else prompt", "False", "In the source, the prompt may be rewritten: "),
        ("prompt = f'{prompt}, 8k'", "True", "In the source, the prompt is put into a template: "),
        ("pass", "True", "In the source, the prompt reaches the pipeline as it is sent."),
    ],
)
def test_what_the_source_does_to_the_prompt_is_said_with_its_place(line: str, on: str, says: str) -> None:
    known = Known(read_text(ENHANCING.format(line=line, on=on), "app.py"))
    found = [sentence(each.fact) for each in answers_of(asked(), [FIRST], known) if each.question is Question.PROMPT]
    assert len(found) == 1
    assert found[0].startswith(says), found
    assert "(app.py:" in found[0] or line == "pass"


def test_a_switch_that_lets_the_prompt_be_rewritten_is_named_where_it_is_on() -> None:
    on = answers_of(asked(enhance_prompt=True), [FIRST], Known())
    off = answers_of(asked(enhance_prompt=False), [FIRST], Known())
    assert [each.fact.values for each in on if each.fact.kind is FactKind.SPACE_PROMPT_SWITCH] == [
        {"input": "enhance_prompt"}
    ]
    assert FactKind.SPACE_PROMPT_SWITCH not in [each.fact.kind for each in off]


def test_the_quota_of_a_call_is_the_difference_within_one_period() -> None:
    before, after = ZeroGpuQuota(300.0, 1500.0, "tomorrow"), ZeroGpuQuota(260.0, 1500.0, "tomorrow")
    renewed = replace(after, resets_at="the day after")
    for quota, expected in ((after, [20.0]), (renewed, []), (None, [])):
        known = Known(hardware="zero-a10g", quota=before, quota_after=quota)
        found = answers_of(asked(), [FIRST, AGAIN], known)
        assert [each.fact.values["each"] for each in found if each.fact.kind is FactKind.SPACE_QUOTA_USED] == expected


@pytest.mark.parametrize(
    ("seconds", "quota", "calls", "standing"),
    [(120.0, 300.0, 2, Standing.FINE), (None, 300.0, None, Standing.UNKNOWN), (120.0, None, None, Standing.FINE)],
)
def test_what_a_call_asks_of_zero_gpu_is_compared_with_the_quota(
    seconds: float | None, quota: float | None, calls: int | None, standing: Standing
) -> None:
    left = None if quota is None else ZeroGpuQuota(quota, 1500.0, "")
    reading = Reading(gpu_requests=(GpuRequest("app.py:9", seconds),))
    for made in ([FIRST], []):
        answers = answers_of(asked(), made, Known(reading, hardware="zero-a10g", quota=left))
        (found,) = (each for each in answers if each.fact.kind is FactKind.SPACE_GPU_REQUEST)
        assert found.fact.values == {"seconds": seconds, "where": "app.py:9", "calls": calls}
        assert (found.standing, found.calls, found.question) == (standing, 0, Question.COST)
    elsewhere = answers_of(asked(), [FIRST], Known(reading, hardware="a10g-small", quota=left))
    assert FactKind.SPACE_GPU_REQUEST not in {each.fact.kind for each in elsewhere}


def purposes(calls: list[Call], most: int = 6) -> list[str]:
    """Return the calls that are made, each of which gives what `calls` holds for its purpose."""
    made: list[Call] = []
    while probe := next_probe(asked(), made, most):
        made.append(next(call for call in calls if (call.purpose, call.changed) == (probe.purpose, probe.changed)))
    return [call.purpose.name for call in made]


def test_the_next_call_depends_on_what_the_earlier_ones_gave() -> None:
    usual = [FIRST, AGAIN, SEED, GUIDANCE]
    assert purposes(usual) == ["FIRST", "AGAIN", "SEED", "INPUT"]
    assert purposes(usual, most=3) == ["FIRST", "AGAIN", "SEED"]
    assert purposes([FIRST, replace(AGAIN, frames=("x", "y"))]) == ["FIRST", "AGAIN"]
    assert purposes([FIRST, CACHED, PAST, SEED, GUIDANCE]) == ["FIRST", "AGAIN", "PAST_CACHE", "SEED", "INPUT"]
    assert purposes([failed(FIRST)]) == ["FIRST"]
    assert purposes([FIRST, failed(AGAIN), SEED, GUIDANCE]) == ["FIRST", "AGAIN", "SEED", "INPUT"]
    assert purposes([FIRST, failed(AGAIN, "quota-exceeded")]) == ["FIRST", "AGAIN"]


@pytest.mark.parametrize(
    ("calls", "finished", "exit_code"),
    [
        ([FIRST, AGAIN, SEED, GUIDANCE], True, Exit.GATE_PASSED),
        ([FIRST, AGAIN, SEED, GUIDANCE], False, Exit.INTERRUPTED),
        ([FIRST, AGAIN, replace(SEED, frames=FIRST.frames)], True, Exit.GATE_FAILED),
        ([FIRST], True, Exit.NOT_MEASURED),
        ([failed(FIRST)], True, Exit.NOT_MEASURED),
        ([], True, Exit.NOT_MEASURED),
    ],
)
def test_the_exit_code_is_0_only_where_a_call_repeats_itself_and_nothing_is_of_concern(
    calls: list[Call], *, finished: bool, exit_code: Exit
) -> None:
    answers = answers_of(asked(), calls, Known())
    check = SpaceCheck("org/space", "/run", INPUTS, "", {}, 6, tuple(calls), answers, finished=finished)
    assert check.exit_code is exit_code


def test_a_cache_inside_the_app_is_suspected_by_the_time_and_named_by_the_source() -> None:
    calls = [FIRST, replace(AGAIN, work_seconds=0.1), SEED]
    said = sentence(answer(Question.REPEATS, calls).fact)
    assert said.startswith(
        "Not known: the answer may be cached inside the app, which took 0.1 s the second time, 12.0 s the first;"
    )
    known = Known(Reading(answer_caches=("@lru_cache of generate (app.py:10)",)))
    for made in ([FIRST, AGAIN], []):
        found = [each for each in answers_of(asked(), made, known) if each.question is Question.CACHE]
        assert (found[-1].standing, found[-1].calls) == (Standing.CONCERN, 0)
        assert "answers are kept: @lru_cache of generate (app.py:10)" in sentence(found[-1].fact)
