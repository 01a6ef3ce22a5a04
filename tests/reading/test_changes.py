"""Values that a script changes before it generates: what is read is the value of Python, or unknown."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin
from support.fuzzing import examples

LOADED = """import torch, functools, random
from diffusers import CogVideoXPipeline, CogVideoXDPMScheduler
pipe = CogVideoXPipeline.from_pretrained("a/b")
"""
FIRST_LINE = LOADED.count("\n") + 1
UNKNOWN = object()


def read(text: str) -> Reading:
    return read_text(LOADED + text, "run.py")


def value_of(reading: Reading, path: str = "call.guidance_scale") -> Any:
    """Return the value, UNKNOWN, or None if the setting is missing."""
    setting = reading.settings.get(path)
    return UNKNOWN if setting is not None and setting.origin is Origin.UNKNOWN else setting and setting.value


CALL = "\npipe('x', guidance_scale=g)"
UNPACKED = "\npipe('x', **kw)"
KW = "kw = {'guidance_scale': 3.0}\n"
ITEM = "\npipe('x', guidance_scale=a[0])"
FORCING = """def force(f):
    def inner(**kw):
        return f(**{**kw, 'guidance_scale': 9.0})
    return inner
@force
def go(**kw):
    return pipe('x', **kw)
go(guidance_scale=3.0)"""

TABLE: dict[str, tuple[str, Any, int]] = {
    # name: lines, the value (UNKNOWN, or None for not set), and the line that an unknown value is reported with
    "counted up in a for": ("g = 1\nfor _ in range(30):\n    g *= 2" + CALL, UNKNOWN, 2),
    "counted up in a while": ("g = 2\nwhile g < 6:\n    g += 1" + CALL, UNKNOWN, 2),
    "counted up through another name": ("g = h = 1\nfor _ in range(30):\n    g = h\n    h = g + 1" + CALL, UNKNOWN, 2),
    "read by a function before the loop sets it": (
        "g = h = 1\ndef f():\n    return h\nfor _ in range(30):\n    g = f()\n    h = 5" + CALL, UNKNOWN, 4),
    "a list changed under the name that the round before gave it": (
        "a, b = [1.0], [2.0]\nfor _ in range(30):\n    b.insert(0, 7.0)\n    b = a" + ITEM, UNKNOWN, 2),
    "set in a loop that may not run": ("g = 6.0\nfor _ in some():\n    g = 3.0" + CALL, UNKNOWN, 2),
    "set in a loop that runs": ("g = 6.0\nfor _ in [1, 2]:\n    g = 3.0" + CALL, 3.0, 0),
    "set in a while that may not run": ("g = 6.0\nwhile some():\n    g = 3.0" + CALL, UNKNOWN, 2),
    "set after a break": ("g = 6.0\nfor _ in [1]:\n    if some(): break\n    g = 3.0" + CALL, UNKNOWN, 2),
    "an attribute counted up": (
        "class A: pass\na = A()\na.g = 1\nfor _ in range(30):\n    a.g += 1\ng = a.g" + CALL, UNKNOWN, 4),
    "a list filled in a loop": ("a = []\nfor n in range(30):\n    a.append(n)\ng = len(a)" + CALL, UNKNOWN, 4),
    "a list that was filled in the round before": (
        "a = []\nfor n in range(30):\n    g = len(a)\n    a.append(n)" + CALL, UNKNOWN, 3),
    "a dict that was changed in the round before": (
        KW + "for n in range(30):\n    g = kw.get('guidance_scale')\n    kw.update(guidance_scale=9)"
        + CALL, UNKNOWN, 2),
    "a dict that each round sets before it is used": (
        KW + "for n in some():\n    kw.update(eta=n)\n    pipe('x', **kw)", 3.0, 0),
    "a comprehension's own name": ("g = 6.0\nxs = [g for g in [1.0]]" + CALL, 6.0, 0),
    "a dict comprehension's own name": ("g = 6.0\nxs = {g: 1 for g in [1.0]}" + CALL, 6.0, 0),
    "a name bound in a comprehension": ("g = 6.0\nxs = [(g := 2.0) for _ in [1]]" + CALL, 2.0, 0),
    "a list times a number": ("g = len([0] * 49)" + CALL, 49, 0),
    "a list times an unknown number": ("g = len([0] * some())" + CALL, UNKNOWN, 1),
    "a dict under another name": (KW + "k2 = kw\nk2['guidance_scale'] = 9" + UNPACKED, 9, 0),
    "a dict inside another": (
        KW + "c = {'call': kw}\nc['call']['guidance_scale'] = 9" + UNPACKED, 9, 0),
    "either of two dicts changed by a method": (
        KW + "k2 = kw if some() else {}\nk2.update(guidance_scale=9)" + UNPACKED, UNKNOWN, 3),
    "a copied dict": (KW + "k2 = kw.copy()\nk2['guidance_scale'] = 9" + UNPACKED, 3.0, 0),
    "a dict made of a dict": (KW + "k2 = dict(kw)\nk2.update(guidance_scale=9)" + UNPACKED, 3.0, 0),
    "a dict merged in place": (KW + "k2 = kw\nk2 |= {'guidance_scale': 9}" + UNPACKED, 9, 0),
    "either of two dicts changed": (
        KW + "k2 = kw if some() else {}\nk2['guidance_scale'] = 9" + UNPACKED, UNKNOWN, 3),
    "a dict changed by a function of the file": (
        "def f(d):\n    d['guidance_scale'] = 9\n" + KW + "f(kw)" + UNPACKED, 9, 0),
    "a dict changed by an unknown function": (KW + "import other\nother.adjust(kw)" + UNPACKED, UNKNOWN, 3),
    "a dict in a list given to an unknown function": (KW + "import other\nother.adjust([kw])" + UNPACKED, UNKNOWN, 3),
    "a dict that is printed": (KW + "import json\nprint(kw, len(kw), json.dumps(kw))" + UNPACKED, 3.0, 0),
    "a dict that is logged": (
        KW + "import logging\nlog = logging.getLogger()\nlog.info('%s', kw)\nlogging.info(kw)" + UNPACKED, 3.0, 0),
    "a dict unpacked for an unknown function": (KW + "import other\nother.adjust(**kw)" + UNPACKED, 3.0, 0),
    "a dict cleared": (KW + "kw.clear()" + UNPACKED, None, 0),
    "an item deleted": (KW + "del kw['guidance_scale']" + UNPACKED, None, 0),
    "an unknown item deleted": (KW + "del kw[some()]" + UNPACKED, UNKNOWN, 2),
    "an unknown item set": (KW + "kw[some()] = 9" + UNPACKED, UNKNOWN, 2),
    "updated with unknown items": (KW + "kw.update(some())" + UNPACKED, UNKNOWN, 2),
    "unknown items on top": (KW + "kw = {**kw, **some()}" + UNPACKED, UNKNOWN, 2),
    "an item set where one may be set": (
        KW + "if some():\n    kw['eta'] = 1\nkw['guidance_scale'] = 9" + UNPACKED, 9, 0),
    "an item set on one side": (KW + "if some():\n    kw['guidance_scale'] = 9" + UNPACKED, UNKNOWN, 2),
    "inserted before": ("a = [1.0]\na.insert(0, 7.0)" + ITEM, 7.0, 0),
    "reversed": ("a = [1.0, 7.0]\na.reverse()" + ITEM, 7.0, 0),
    "sorted in place": ("a = [7.0, 1.0]\na.sort()" + ITEM, 1.0, 0),
    "sorted by a key": ("a = [7.0, 1.0]\na.sort(key=some)" + ITEM, UNKNOWN, 2),
    "a sorted copy": ("a = sorted([7.0, 1.0])" + ITEM, 1.0, 0),
    "a list's item set": ("a = [1.0, 2.0]\na[0] = 7.0" + ITEM, 7.0, 0),
    "a list's slice set": ("a = [1.0, 2.0]\na[:] = [7.0]" + ITEM, UNKNOWN, 2),
    "shuffled": ("a = [1.0, 2.0]\nrandom.shuffle(a)" + ITEM, UNKNOWN, 2),
    "an unmodelled method": ("a = [1.0, 2.0]\na.__setitem__(0, 7.0)" + ITEM, UNKNOWN, 2),
    "exec": ("g = 6.0\nexec('g = 7.0')" + CALL, UNKNOWN, 2),
    "exec of an unknown text": ("g = 6.0\nexec(some())" + CALL, UNKNOWN, 2),
    "exec of something else": ("g = 6.0\nexec('h = 7.0')" + CALL, 6.0, 0),
    "globals": ("g = 6.0\nglobals()['g'] = 7.0" + CALL, 7.0, 0),
    "globals from within": ("g = 6.0\ndef f():\n    globals().update(g=7.0)\nf()" + CALL, 7.0, 0),
    "globals under an unknown name": ("g = 6.0\nglobals()[some()] = 7.0" + CALL, UNKNOWN, 2),
    "a decorator of the file": (FORCING, 9.0, 0),
    "an unknown decorator": (
        "import other\n@other.force\ndef go(g):\n    pipe('x', guidance_scale=g)\ngo(3.0)", UNKNOWN, 2),
    "a decorator that changes nothing": (
        "@torch.inference_mode()\n@functools.lru_cache\ndef go(g):\n    pipe('x', guidance_scale=g)\ngo(3.0)", 3.0, 0),
    "returned in finally": (
        "def f():\n    try:\n        return 6.0\n    finally:\n        return 7.0\ng = f()" + CALL, 7.0, 0),
    "changed in finally": (
        KW + "def f():\n    try:\n        return 1\n    finally:\n        kw['guidance_scale'] = 9\nf()"
        + UNPACKED, 9, 0),
    "numbers and texts as keys": ("g = {1: 5.0, '1': 7.0}[1]" + CALL, 5.0, 0),
    "texts and numbers as keys": ("g = {1: 5.0, '1': 7.0}['1']" + CALL, 7.0, 0),
    "a match that binds": ("g = 6.0\nmatch some():\n    case {'g': g}: pass" + CALL, UNKNOWN, 3),
    "more arguments than are looked at": ("g = max(1, 1, 1, 1, 1, 1, 1, 1, 9)" + CALL, 9, 0),
    "arguments that are not known": ("g = max(1, 2, *some())" + CALL, UNKNOWN, 1),
    "partial of a pipeline": ("p = functools.partial(pipe, guidance_scale=4.0)\np('x')", 4.0, 0),
    "partial of a pipeline, with another argument": (
        "p = functools.partial(pipe, guidance_scale=4.0)\np('x', guidance_scale=5.0)", 5.0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_value_is_that_of_python_or_unknown(name: str) -> None:
    lines, expected, line = TABLE[name]
    reading = read(lines)
    assert reading.called_at, "the pipeline's call was found"
    assert value_of(reading) == expected
    if expected is UNKNOWN:
        setting = reading.settings["call.guidance_scale"]
        each = [setting, *(one.setting for one in reading.alternatives.get("call.guidance_scale", []))]
        assert f"run.py:{FIRST_LINE + line - 1}" in {one.where for one in each if one.origin is Origin.UNKNOWN}


def test_alternatives_of_a_loop_that_may_not_run_are_kept() -> None:
    reading = read("g = 6.0\nfor _ in some():\n    g = 3.0\npipe('x', guidance_scale=g)")
    assert {one.setting.value for one in reading.alternatives["call.guidance_scale"]} == {6.0, 3.0}


def test_an_item_set_in_a_config_is_unknown() -> None:
    reading = read('pipe.scheduler.config["timestep_spacing"] = "trailing"\npipe("x")')
    assert value_of(reading, "scheduler.timestep_spacing") is UNKNOWN
    assert reading.settings["scheduler.timestep_spacing"].where == f"run.py:{FIRST_LINE}"


@pytest.mark.parametrize(
    ("lines", "seed", "is_noted"),
    [
        ("g = torch.Generator().manual_seed(42)\nfor p in some():\n    pipe(p, generator=g)", 42, True),
        ("g = torch.Generator()\nfor p in some():\n    pipe(p, generator=g.manual_seed(42))", 42, False),
        ("for p in some():\n    pipe(p, generator=torch.Generator().manual_seed(42))", 42, False),
        (
            "g = torch.Generator().manual_seed(42)\npipe('a', generator=g)\npipe('b', generator=g)[0].save('b')",
            UNKNOWN,
            True,
        ),
        ("g = torch.Generator().manual_seed(42)\npipe('a', generator=g)", 42, False),
    ],
)
def test_a_reused_generator_gets_a_note(lines: str, seed: Any, *, is_noted: bool) -> None:
    reading = read(lines)
    assert value_of(reading, "rng.seed") == seed
    assert any(note.kind == "reused generator" for note in reading.notes) is is_noted


@pytest.mark.parametrize("count", [3, 8, 12])
def test_many_optional_items_are_all_kept(count: int) -> None:
    optional = "".join(f"if some({n}):\n    kw['option_{n}'] = {n}\n" for n in range(count))
    reading = read(KW + optional + "pipe('x', **kw)")
    assert value_of(reading) == 3.0
    for number in range(count):
        assert {one.setting.value for one in reading.alternatives[f"call.option_{number}"]} == {None, number}


@pytest.mark.parametrize(
    "text",
    [
        "g = round(5, -10**12)",
        "g = round(5.5, 10**12)",
        "".join(f"a{n} = 'x' if some({n}) else 'y'\n" for n in range(40))
        + "g = f'" + "".join(f"{{a{n}}}" for n in range(40)) + "'",
        "".join(f"a{n} = 1 if some({n}) else 2\n" for n in range(30)) + "g = max(" + ", ".join(
            f"a{n}" for n in range(30)) + ")",
        "g = [1]\n" + "g.append(g)\n" * 3000,
        "g = {}\n" + "g['k'] = [g, g]\ng = {'a': g, 'b': g}\n" * 60,
        "g = []\n" + "g = [g]\n" * 900,
        "".join(f"a{n} = [{n}]\n" for n in range(3000)) + "".join(f"a{n}.append(1)\n" for n in range(3000)) + "g = a0",
        "g = 1\n" + "".join("    " * n + f"for i{n} in some():\n" for n in range(18)) + "    " * 18 + "g += 1",
    ],
)  # fmt: skip
def test_hostile_sources_are_read_in_bounded_time(text: str) -> None:
    began = time.process_time()
    assert isinstance(read(text + "\npipe('x', guidance_scale=g)"), Reading)
    assert time.process_time() - began < 15


BEGINNING = """a = 1
b = 2
c = 3
x = [1, 2]
y = x
k = {'g': 1}
q = k
def f(d):
    global a
    a = d.get('g', 3)
    d['g'] = b
def h():
    global c
    c = c * 2
    x.append(c)
"""
SIMPLE = """{n} = {v};{n} = {m};{n} += {v};{xs} = [{n}, {m}, {v}];{xs}.append({n});{xs}.insert(0, {n});{xs}.reverse()
{n} = {xs}[0];x = y;{t} = {{'g': {n}, 1: {v}}};{t}['g'] = {n};k = q;{n} = {t}.get('g', {v});{t}.update(g={m})
{t}.pop('g', 0);f({t});{n} = len({xs});h()""".replace("\n", ";").split(";")
COMPOUND = ["if coin():", "if {n} > {v}:", "for {n} in [{m}, {v}]:", "for _ in range({v}):", "for _ in rounds():"]
ENDS = ["", "", "if coin(): break\n", "if coin(): continue\n"]


def lines_of(draw: st.DataObject, depth: int = 0) -> str:
    """Return a statement that a script may have, with its body."""
    compound = depth < 2 and draw.draw(st.integers(0, 3)) == 0
    text = draw.draw(st.sampled_from(COMPOUND if compound else SIMPLE)).format(
        n=draw.draw(st.sampled_from("abc")), m=draw.draw(st.sampled_from("abc")), v=draw.draw(st.integers(0, 4)),
        xs=draw.draw(st.sampled_from("xy")), t=draw.draw(st.sampled_from("kq")),
    )  # fmt: skip
    if not compound:
        return text + "\n"
    end = draw.draw(st.sampled_from(ENDS)) if text.startswith("for") else ""
    body = [*(lines_of(draw, depth + 1) for _ in range(draw.draw(st.integers(1, 3)))), end, lines_of(draw, depth + 1)]
    return text + "\n" + "".join(f"    {line}\n" for part in body for line in part.splitlines())


@settings(max_examples=examples(250), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_value_that_is_read_is_the_one_that_python_has(data: st.DataObject) -> None:
    script = BEGINNING + "".join(lines_of(data) for _ in range(data.draw(st.integers(1, 7))))
    asked = data.draw(st.sampled_from(["a", "b", "c", "x[0]", "k.get('g', 7)", "len(y)"]))
    read_value = value_of(read(f"{script}pipe('x', guidance_scale={asked})"))
    if read_value is UNKNOWN:
        return
    for trial in range(4):
        chance = random.Random(trial)  # noqa: S311 - chance that can be repeated
        known = {"coin": lambda r=chance: r.random() < 0.5, "rounds": lambda r=chance: range(r.randrange(4))}
        try:
            exec(script, known)  # noqa: S102 - made above, of a few harmless lines
            real = eval(asked, known)  # noqa: S307
        except LookupError:
            continue
        assert read_value == real, script
