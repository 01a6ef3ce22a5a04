"""Bounds of reading: whatever a source makes of its values, it is read within steps and memory, as far as possible."""

from __future__ import annotations

import re
import tracemalloc

import pytest

from spacediff.reading import read_text
from spacediff.reading.interpreter import state
from spacediff.reading.interpreter.budget import Budget, TooMuchError
from spacediff.reading.interpreter.state import MOST_STEPS
from spacediff.reading.machines import Machine
from support.fuzzing import examples
from support.mangled_sources import read_mangled

MIB = 1024 * 1024

PIPELINE = """
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b")
"""
CALL = """
video = pipe(prompt="a lemon", num_inference_steps=50)
"""


def lines(template: str, count: int) -> str:
    """The template, once for each number; `#` stands for the number, `@` for the one before it."""
    return "".join(template.replace("#", str(number)).replace("@", str(number - 1)) for number in range(1, count + 1))


TWICE = "def f0(a):\n    return a\n" + lines("def f#(a):\n    b = f@(a)\n    c = f@(b)\n    return f@(c)\n", 40)

GROWING = {
    "a list of itself": "a = [1] * 100\n" + "a = [*a, *a, *a]\n" * 20,
    "a dict of itself": "a = {'x': 1}\n" + "a = {'a': a, 'b': a, **a}\n" * 60 + "show(a)\n" * 30,
    "a nested list": "a = [0] * 400\n"
    + "a = [a] * 400\n" * 30
    + "show(a)\nfor b in a:\n    for c in b:\n        d = c\n",
    "texts": "a = 'a' * 19000\n" + lines("a# = a + '#'\n", 4000),
    "f-strings": "a = 'x'\n" + "a = f'{a}{a}'\n" * 200,
    "huge numbers": "a = 10 ** 50\n" + "a = a * a\n" * 200 + "b = 9 ** 9 ** 9\nc = 1 << 999999999\nd = [0] * 10 ** 9\n",
    "a large dict": "a = {" + lines("'k#': #, ", 4000) + "}\n" + "b = a.get('k5')\n" * 20 + "show(a)\n" * 5,
    "a large list": "a = [" + lines("#, ", 6000) + "]\nfor b in a:\n    c = b\n",
    "items that are set one by one": "a = {}\n" + lines("a['k#'] = #\n", 900),
    "items that are appended one by one": "a = []\n" + lines("a.append(#)\n", 900),
    "many lists": lines("a# = [#]\n", 500) + lines("a#.append(1)\n", 500),
    "functions that call others three times": TWICE + "f40(given)\n",
    "a function that calls itself": "def f(a):\n" + "    f(a)\n" * 20 + "f(1)\n" * 20,
    "lambdas inside each other": "f = lambda a: a\n" + "f = (lambda g: lambda a: g(g(a)))(f)\n" * 60 + "f(1)\n",
    "loops inside each other": "a = []\nb = 0\n"
    + "".join(
        "    " * depth + "for i in given:\n" + "    " * (depth + 1) + "b += 1; a.append(b)\n" for depth in range(9)
    ),
    "branches with many names": lines("a# = #\n", 300) + lines("if given[#]:\n    a# = 0\n", 200),
    "functions with many ends": "def f(a):\n"
    + lines("    if a == #:\n        b# = #\n        return #\n", 100)
    + "f(u)\n" * 3,
}


@pytest.mark.parametrize("code", GROWING.values(), ids=GROWING)
def test_a_call_after_what_takes_much_work_is_read(code: str) -> None:
    reading = read_text(PIPELINE + code + CALL, "run.py")
    assert reading.settings.value("call.num_inference_steps") == 50


@pytest.mark.parametrize("name", ["a list of itself", "texts", "a nested list"])
def test_values_that_grow_take_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        read_text(PIPELINE + GROWING[name] + CALL, "run.py")
        assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    finally:
        tracemalloc.stop()


def test_a_statement_that_takes_too_many_steps_is_named() -> None:
    code = PIPELINE + TWICE + "f40(given)\n" + CALL
    reading = read_text(code, "run.py")
    [note] = [note for note in reading.notes if note.kind == "not read to the end"]
    named = re.search(r"run.py:(\d+) is the first place", note.text)
    assert named
    assert "f40(given)" in code.split("\n")[int(named[1]) - 1] or "= f" in code.split("\n")[int(named[1]) - 1]


@pytest.mark.parametrize(("work", "device"), [("", "cuda"), (TWICE + "f40(given)\n", None)])
def test_only_a_source_that_takes_little_work_is_followed_again_for_its_machine(work: str, device: str | None) -> None:
    code = f"import torch\n{PIPELINE}pipe.to('cuda' if torch.cuda.is_available() else 'cpu')\n{work}{CALL}"
    reading = read_text(code, "run.py", look_up=lambda _: Machine("cuda", "a machine with CUDA"))
    assert reading.settings.value("placement") == device
    assert reading.settings.value("call.num_inference_steps") == 50


def test_a_name_that_an_unfinished_statement_sets_is_unknown() -> None:
    code = PIPELINE + TWICE + "steps = 20\nif given:\n    f40(given)\n    steps = 30\npipe(num_inference_steps=steps)\n"
    reading = read_text(code, "run.py")
    assert reading.settings.value("call.num_inference_steps") is None
    assert "call.num_inference_steps" in reading.unknowns


def test_an_event_is_followed_after_a_file_that_takes_all_its_steps() -> None:
    code = PIPELINE + "import gradio as gr\ndef generate(prompt):\n    pipe(prompt, num_inference_steps=30)\n"
    code += "gr.Interface(generate, 'text', 'video').launch()\n" + "a = 'a' * 19000\n" + lines("a# = a + '#'\n", 4000)
    reading = read_text(code, "run.py")
    assert [note for note in reading.notes if note.kind == "not read to the end"]
    assert reading.settings.value("call.num_inference_steps") == 30


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n" + lines("    a#: int = #\n", 100) + "A()\n" * 30,
        lines("upscale_#(frames)\n", 200),
    ],
    ids=["fields of instances", "notes"],
)
def test_all_that_costs_is_counted(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(state, "MOST_STEPS", 2500)
    reading = read_text(code + PIPELINE + CALL, "run.py")
    assert [note.kind for note in reading.notes if note.kind.startswith("not read")] == ["not read to the end"]


def test_no_more_steps_are_spent_than_allowed() -> None:
    budget = Budget(MOST_STEPS)
    with pytest.raises(TooMuchError), budget.share(0.5):
        budget.spend(MOST_STEPS // 2 + 1)
    assert not budget.is_spent
    budget.spend(MOST_STEPS // 4)
    with pytest.raises(TooMuchError):
        budget.spend(MOST_STEPS)


@pytest.mark.fuzz
def test_mangled_sources_are_read_without_a_crash_in_time_and_memory() -> None:
    outcomes = list(read_mangled(examples(60)))
    assert len(outcomes) == examples(60)
    assert [outcome for outcome in outcomes if not outcome.is_fine] == []
