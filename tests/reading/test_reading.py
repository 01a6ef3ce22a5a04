from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacediff.cli.commands import main
from spacediff.errors import SpacediffError
from spacediff.reading import Reading, read_source, read_text
from spacediff.reading.machine_look_up import hosted_on
from spacediff.settings import Origin
from support.fuzzing import examples
from support.hub_stand_in import Space, hub_stand_in
from support.paths import ROOT

SOURCES = ROOT / "tests" / "data" / "sources"
EXPECTED = SOURCES / "expected"
NAMES = sorted(path.stem for path in EXPECTED.glob("*.txt"))


def as_lines(reading: Reading) -> str:
    """Return a reading as lines that a person can compare with the source."""
    lines = [
        f"{path} = {'?' if setting.origin is Origin.UNKNOWN else json.dumps(setting.value)} @ {setting.where}"
        for path, setting in reading.settings.items()
    ]
    lines += [
        f"input {path}: {asked.kind} {asked.label!r} {json.dumps(asked.default)} @ {asked.where}"
        for path, asked in reading.inputs.items()
    ]
    for path, each in reading.alternatives.items():
        values = " | ".join(
            f"{json.dumps(one.setting.value)} {one.setting.origin} @ {one.setting.where} [{one.only_if}]"
            for one in each
        )
        lines.append(f"either {path}: {values}")
    lines += [
        f"ignored {one.argument} = {json.dumps(one.value)} in {one.given_to} @ {one.where}" for one in reading.ignored
    ]
    lines += [f"call {call.sentence}" for call in reading.calls]
    lines += [f"undecided {text}" for text in reading.undecided]
    lines += [f"note {note.kind}: {note.text} @ {note.where} [{note.only_if}]" for note in reading.notes]
    lines += [f"question {path}: {words}" for path, words in reading.unknowns.items()]
    return "\n".join(lines) + "\n"


def source(name: str) -> Path:
    return SOURCES / name if (SOURCES / name).is_dir() else SOURCES / f"{name}.py"


def values(reading: Reading) -> dict[str, Any]:
    return {path: setting.value for path, setting in reading.settings.items()}


def test_there_are_twelve_sources_and_more() -> None:
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_table_of_a_realistic_source_is_right(name: str) -> None:
    assert as_lines(read_source(source(name))) == (EXPECTED / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_value_carries_file_and_line(name: str) -> None:
    found = read_source(source(name)).settings
    assert found
    for setting in found.values():
        file, _, line = setting.where.rpartition(":")
        root = source(name) if source(name).is_dir() else SOURCES
        assert int(line) <= len((root / file).read_text("utf-8").splitlines())


def read(text: str) -> Reading:
    return read_text(text, "run.py")


LOADED = """
import torch, random
from diffusers import CogVideoXPipeline, CogVideoXDPMScheduler, CogVideoXDDIMScheduler
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("a/b")
"""


def test_the_last_scheduler_counts_and_keeps_the_changed_config() -> None:
    reading = read(
        LOADED
        + 'pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")\n'
        + "pipe.scheduler = CogVideoXDDIMScheduler.from_config(pipe.scheduler.config, snr_shift_scale=1.0)\n"
        + "pipe('x')\n"
    )
    assert reading.settings.table("scheduler") == {
        "class": "CogVideoXDDIMScheduler",
        "timestep_spacing": "trailing",
        "snr_shift_scale": 1.0,
    }


@pytest.mark.parametrize(
    ("lines", "device", "seed"),
    [
        ("pipe('x', generator=torch.Generator('cuda').manual_seed(4))", "cuda", 4),
        ("pipe('x', generator=torch.Generator().manual_seed(4))", "cpu", 4),
        ("g = torch.Generator(device='cuda:0'); g.manual_seed(4); g.manual_seed(5); pipe('x', generator=g)", "cuda", 5),
        ("torch.manual_seed(6); pipe('x')", "global", 6),
        ("pipe('x', generator=torch.manual_seed(6))", "cpu", 6),
        ("torch.manual_seed(6); pipe('x', generator=torch.Generator('cuda').manual_seed(7))", "cuda", 7),
        ("from transformers import set_seed; set_seed(8); pipe('x')", "global", 8),
        ("pipe('x')", "global", None),
        ("pipe('x', generator=torch.Generator().manual_seed(random.randint(0, 9)))", "cpu", None),
        ("pipe('x', generator=torch.Generator())", "cpu", 67280421310721),
    ],
)
def test_device_and_seed_of_the_noise_are_read(lines: str, device: str, seed: int | None) -> None:
    reading = read(LOADED + lines)
    assert (reading.settings.value("rng.device"), reading.settings.value("rng.seed")) == (device, seed)


@pytest.mark.parametrize(
    ("line", "placement"),
    [
        ("pipe.to('cuda:1')", "cuda:1"),
        ("pipe.to(device='cpu')", "cpu"),
        ("pipe.cuda()", "cuda"),
        ("pipe.to(torch.device('cuda'), torch.float16)", "cuda"),
        ("pipe.enable_model_cpu_offload(device='cuda')", "model_cpu_offload"),
        ("pipe.to('cuda'); pipe.enable_sequential_cpu_offload()", "sequential_cpu_offload"),
        ("pipe.enable_group_offload(onload_device='cuda')", "group_offload"),
    ],
)
def test_placement_is_read(line: str, placement: str) -> None:
    assert read(f"{LOADED}{line}\npipe('x')").settings.value("placement") == placement


def test_a_branch_that_depends_on_an_input_takes_its_default_and_keeps_both_values() -> None:
    reading = read(
        LOADED
        + "import argparse\np = argparse.ArgumentParser()\np.add_argument('--tile', action='store_true')\n"
        + "a = p.parse_args()\nif a.tile:\n    pipe.vae.enable_tiling()\n    scale = 5\nelse:\n    scale = 6\n"
        + "pipe('x', guidance_scale=scale)\n"
    )
    assert reading.settings.value("call.guidance_scale") == 6
    assert [one.setting.value for one in reading.alternatives["call.guidance_scale"]] == [6, 5]
    assert "vae.tiling" not in reading.settings
    assert [one.setting.value for one in reading.alternatives["vae.tiling"]] == [None, True]


def test_the_seed_of_the_tiny_space_is_an_input_that_may_be_random() -> None:
    reading = read_source(ROOT / "harness" / "spacediff" / "tiny" / "space_app.py")
    assert reading.settings.value("call.guidance_scale") == 7.0
    assert reading.settings.value("call.use_dynamic_cfg") is True
    assert reading.settings["rng.seed"].origin is Origin.UNKNOWN
    assert reading.inputs["rng.seed"].default == -1


def test_a_file_outside_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("STEPS = 3\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "secret.py").symlink_to(tmp_path / "secret.py")
    (tmp_path / "app" / "app.py").write_text(f"{LOADED}from secret import STEPS\npipe('x', num_inference_steps=STEPS)")
    assert read_source(tmp_path / "app").settings["call.num_inference_steps"].value != 3


def test_a_folder_without_a_main_file_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SpacediffError, match="no main file"):
        read_source(tmp_path)
    with pytest.raises(SpacediffError, match="does not exist"):
        read_source(tmp_path / "gone.py")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "-" * 100_000 + "1",
        "x = " + "+".join(["1"] * 50_000),
        "x = a" + ".b" * 50_000,
        "\n".join(f"{' ' * depth}if a:" for depth in range(90)) + "\n" + " " * 90 + "pass",
        "if a: pass\n" + "elif a: pass\n" * 800,
        "x = 9 ** 9 ** 9 ** 9\ny = 'a' * 10 ** 12\nz = f'{1:999999999}'\nw = '%999999999d' % 1\nv = 1 << 10 ** 9",
        "def f(): return f()\nf()",
        "def f(n): return g(n) + g(n)\ndef g(n): return f(n) + f(n)\nf(1)",
        "class A(A): pass\nA().x.y.z()",
        "x = []\n" + "x.append(x)\n" * 2000,
        "a = {}\n" + "a['k'] = [a, a]\n" * 40,
        "\x00",
        "\ud800",
        b"# coding: hex\n00",
        b"\xff\xfe\x00",
        b"x" * (2 * 1024 * 1024),
        "".join(f"if c{n}:\n    x{n} = {n}\n" for n in range(3000)),
        "".join(f"def f{n}(a=1):\n    if a: return f{n + 1}(a) or f{n + 1}(2)\n    return 2\n" for n in range(60))
        + "f0()",
        LOADED + "x = 1\n" + "if c: x = x, x\n" * 30 + "pipe(x)",
    ],
)
def test_hostile_sources_are_read_in_bounded_time(text: str | bytes) -> None:
    began = time.monotonic()
    assert isinstance(read_text(text, "hostile.py"), Reading)
    assert time.monotonic() - began < 20


PIECES = [source(name).read_text("utf-8") for name in NAMES if source(name).is_file()]
SLOW = settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))


@SLOW
@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_read_without_a_crash(text: str | bytes) -> None:
    assert isinstance(read_text(text, "any.py"), Reading)


@SLOW
@given(st.data())
def test_mutated_sources_are_read_without_a_crash(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(PIECES)).split("\n")
    for _ in range(data.draw(st.integers(1, 6))):
        kind = data.draw(st.sampled_from(["drop", "swap", "double", "cut"]))
        place = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.integers(0, len(lines) - 1))
        if kind == "drop" and len(lines) > 1:
            del lines[place]
        elif kind == "swap":
            lines[place], lines[other] = lines[other], lines[place]
        elif kind == "double":
            lines.insert(other, lines[place])
        else:
            lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))]
        lines = lines or [""]
    json.dumps(read_text("\n".join(lines), "mutated.py").as_json())


EXPRESSIONS = st.recursive(
    st.sampled_from(["pipe", "torch", "None", "-1", "0.5", "'a'", "x", "gr", "[]", "{}", "pipe.vae", "open", "self"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["scheduler", "to", "config", "from_pretrained", "click", "format"])).map(
            lambda pair: f"({pair[0]}).{pair[1]}"
        ),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})({pair[1]}, fps={pair[0]}, **({pair[1]}))"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} if {pair[1]} else {pair[0]})"),
        st.tuples(inner, st.sampled_from(["+", "*", "%", "**", "/", "or", "in"]), inner).map(
            lambda one: "({} {} {})".format(*one)
        ),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})[{pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]} for x in {pair[1]}]"),
        inner.map(lambda one: f"CogVideoXPipeline.from_pretrained({one}, vae={one})"),
        inner.map(lambda one: f"torch.Generator({one}).manual_seed({one})"),
        inner.map(lambda one: f"f'{{{one.replace(chr(39), chr(34))}}}'"),
    ),
    max_leaves=12,
)
STATEMENTS = st.one_of(
    EXPRESSIONS,
    st.tuples(st.sampled_from(["x", "pipe", "pipe.scheduler", "pipe.vae", "x['k']", "x, pipe"]), EXPRESSIONS).map(
        lambda pair: f"{pair[0]} = {pair[1]}"
    ),
    st.tuples(EXPRESSIONS, EXPRESSIONS).map(lambda pair: f"if {pair[0]}:\n    pipe = {pair[1]}\nelse:\n    x = 1"),
    EXPRESSIONS.map(lambda one: f"def f(self, x={one}):\n    global pipe\n    return {one}"),
    EXPRESSIONS.map(lambda one: f"class A:\n    x: int = {one}\n    def __call__(self, x): return {one}\nx = A({one})"),
    EXPRESSIONS.map(lambda one: f"export_to_video(pipe({one}).frames[0], x, fps={one})"),
    EXPRESSIONS.map(lambda one: f"try:\n    x = {one}\nexcept E:\n    pipe = {one}"),
)


@SLOW
@given(st.lists(STATEMENTS, max_size=8))
def test_any_python_is_read_without_a_crash(statements: list[str]) -> None:
    json.dumps(read(LOADED + "\n".join(statements) + "\npipe(x, generator=x)").as_json())


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(piece=st.sampled_from(PIECES), place=st.integers(0, 100))
def test_a_source_is_never_executed(tmp_path_factory: pytest.TempPathFactory, piece: str, place: int) -> None:
    folder = tmp_path_factory.mktemp("planted")
    mark = folder / "mark"
    planted = (
        f"open({str(mark)!r}, 'w').write('x'); import os; os.system('touch {mark}'); "
        f"__import__('pathlib').Path({str(mark)!r}).touch(); exec(\"open({str(mark)!r}, 'w')\"); "
        "import sys; sys.exit(9)"
    )
    (folder / "planted_module.py").write_text(planted)
    lines = piece.split("\n")
    free = [number for number, line in enumerate(lines) if line and line[0].isalpha() and not line.startswith("el")]
    lines.insert(free[place % len(free)], f"import planted_module; {planted.replace('; import sys; sys.exit(9)', '')}")
    (folder / "app.py").write_text("\n".join(lines))
    before = set(sys.modules)
    read_source(folder / "app.py")
    assert not mark.exists()
    assert not {"planted_module", "torch", "diffusers"} & (set(sys.modules) - before)


ON_THE_HUB = """
import json, sys
from spacediff.errors import SpacediffError
from spacediff.reading.hub import read_space
try:
    reading = read_space(sys.argv[1])
    print(json.dumps(reading.as_json()))
except SpacediffError as error:
    print(json.dumps({"error": type(error).__name__, "message": error.message, "hint": error.hint}))
"""


def on_the_hub(spaces: dict[str, Space], space: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    with hub_stand_in(spaces) as hub:
        done = subprocess.run(
            [sys.executable, "-c", ON_THE_HUB, space],
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": ""},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        reading: dict[str, Any] = json.loads(done.stdout)
        return reading, [path for path, _ in hub.asked]


def test_a_space_is_read_from_the_hub_with_its_facts(tmp_path: Path) -> None:
    folder = SOURCES / "cogvideox_demo"
    files = {name: (folder / name).read_text("utf-8") for name in ("app.py", "utils.py")}
    files |= {"README.md": "---\nsdk: gradio\n---\n", "never_imported.py": "x = 1\n", "requirements.txt": ""}
    space = Space("http://127.0.0.1:9", requirements="torch==2.4.0\ndiffusers>=0.30\n", files=files)
    reading, asked = on_the_hub({"org/demo": space}, "org/demo", tmp_path)
    local = read_source(folder, look_up=hosted_on("zero-a10g"))
    assert {path: one["value"] for path, one in reading["settings"].items()} == values(local)
    assert reading["machine"]["device"] == "cuda"
    assert reading["facts"]["commit"] == "2e" * 20
    assert reading["facts"]["hardware"] == "zero-a10g"
    assert reading["facts"]["sdk version"] == "4.44.1"
    assert reading["facts"]["torch"] == "==2.4.0"
    assert any("utils.py" in path for path in asked)
    assert not any("never_imported" in path for path in asked)


def test_the_app_file_that_the_readme_names_is_read(tmp_path: Path) -> None:
    files = {"web/start.py": f"{LOADED}from other import STEPS\npipe('x', num_inference_steps=STEPS)",
             "web/other.py": "STEPS = 7", "app.py": "1"}  # fmt: skip
    space = Space("http://127.0.0.1:9", files=files, app_file="web/start.py")
    reading, _ = on_the_hub({"org/demo": space}, "org/demo", tmp_path)
    assert reading["settings"]["call.num_inference_steps"]["value"] == 7


@pytest.mark.parametrize(
    ("space", "files", "error", "message"),
    [
        ("org/none", {"app.py": "1"}, "SpaceNotFound", "is not on the Hub"),
        ("org/demo", {"index.html": "1"}, "SpaceSourceUnavailable", "no Python app file"),
        ("org/demo", {"app.py": "#" * (1024 * 1024 + 1)}, "SpaceSourceUnavailable", "is unavailable"),
        ("no space", {"app.py": "1"}, "SpaceNotFound", "is not a Space"),
    ],
)
def test_a_space_that_cannot_be_read_is_not_measured(
    space: str, files: dict[str, str], error: str, message: str, tmp_path: Path
) -> None:
    reading, _ = on_the_hub({"org/demo": Space("http://127.0.0.1:9", files=files)}, space, tmp_path)
    assert reading["error"] == error
    assert message in reading["message"]
    assert reading["hint"]


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(SOURCES / "cogvideox_t2v.py")]) == 0
    shown = capsys.readouterr().out
    title = "cogvideox_t2v.py: CogVideoXPipeline is called at line 12"
    for part in (title, "call.guidance_scale", "use_dynamic_cfg = True", "pass it to the call"):
        assert part in shown


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(SOURCES / "ltx_cli.py"), "--format", "json"]) == 0
    reading = json.loads(capsys.readouterr().out)
    assert reading["inputs"]["call.num_inference_steps"]["default"] == 50


def test_the_command_needs_neither_torch_nor_diffusers() -> None:
    code = (
        "import sys; from spacediff.cli.commands import main; main(['read', sys.argv[1]]);"
        "assert not {'torch', 'diffusers', 'gradio', 'libcst'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(SOURCES / "wan_t2v.py")], check=True, capture_output=True)


def test_control_characters_of_a_source_are_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(f"{LOADED}pipe('\\x1b[2J [bold]x', steps=foo('\x1b[2J'))")
    assert main(["read", str(tmp_path)]) == 0
    assert "\x1b[2J" not in capsys.readouterr().out


def test_a_missing_source_exits_with_2() -> None:
    assert main(["read", "gone.py"]) == 2


def test_a_token_in_the_source_is_redacted() -> None:
    token = "hf_" + "abcdEFGH12345678" * 2
    reading = read(f"{LOADED}pipe.load_lora_weights('a/b', token={token!r}); pipe(unknown_of({token!r}))")
    assert token not in json.dumps(reading.as_json())


def test_fields_of_a_request_model_are_inputs() -> None:
    reading = read(
        f"{LOADED}class Wish(Model):\n    text: str\n    steps: int = 40\n"
        "def make(wish: Wish):\n"
        "    export_to_video(pipe(wish.text, num_inference_steps=wish.steps).frames[0], 'x', 8)\n"
    )
    assert reading.settings.value("call.num_inference_steps") == 40
    assert reading.inputs["call.prompt"].label == "text"


def test_the_default_branch_calls_the_pipeline_that_the_default_branch_loaded() -> None:
    reading = read(
        LOADED.replace("pipe =", "text =")
        + "import argparse\np = argparse.ArgumentParser()\np.add_argument('--kind', default='t2v')\n"
        + "a = p.parse_args()\n"
        + "from diffusers import CogVideoXImageToVideoPipeline\n"
        + "if a.kind == 'i2v':\n    pipe = CogVideoXImageToVideoPipeline.from_pretrained('c/d')\n"
        + "else:\n    pipe = text\n"
        + "if a.kind == 'i2v':\n    v = pipe('i', 'x')\nelse:\n    v = pipe('x', num_frames=9)\n"
        + "export_to_video(v, 'x')\n"
    )
    assert reading.settings.value("model.pipeline") == "CogVideoXPipeline"
    assert reading.settings.value("call.num_frames") == 9
    assert "model.pipeline" not in reading.alternatives


def test_methods_properties_and_loops_are_followed() -> None:
    reading = read(
        f"{LOADED}class A:\n    @property\n    def steps(self): return 12\n"
        "    @classmethod\n    def make(cls): return cls()\n    @staticmethod\n    def scale(): return 3\n"
        "for i, word in enumerate(['a', 'b']):\n"
        "    pipe(word, num_inference_steps=A.make().steps, guidance_scale=A.scale(),\n"
        "         generator=torch.Generator().manual_seed(100 + i))\n"
    )
    assert reading.settings.value("call.num_inference_steps") == 12
    assert reading.settings.value("call.guidance_scale") == 3
    assert [one.setting.value for one in reading.alternatives["rng.seed"]] == [100, 101]
    assert [one.setting.value for one in reading.alternatives["call.prompt"]] == ["a", "b"]


def test_an_environment_variable_has_the_default_of_the_source() -> None:
    reading = read(f"{LOADED}import os\npipe('x', height=int(os.environ.get('H', '480')), width=os.getenv('W') or 720)")
    assert (reading.settings.value("call.height"), reading.settings.value("call.width")) == (480, 720)
    assert reading.inputs["call.width"].label == "W"


def test_a_source_that_is_nested_too_deeply_gets_a_note() -> None:
    deep = "x = " + "[" * 120 + "1" + "]" * 120
    assert [note.kind for note in read(f"{LOADED}{deep}\npipe('x')").notes if note.kind.startswith("not read")]
    assert not [note for note in read(f"{LOADED}pipe('x')").notes if note.kind.startswith("not read")]
