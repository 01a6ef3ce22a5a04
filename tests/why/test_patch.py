"""Advice: each patch is applied by git and by patch, and the script that comes out is read again."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.reading import read_source, read_text
from spacediff.reading.machines import Machine
from spacediff.why.differences import compare_sources
from spacediff.why.editing import unified_diff
from spacediff.why.patch import Advice, advise
from support.paths import ROOT

SOURCES = ROOT / "tests" / "data" / "sources"
SCRIPT = """import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video

pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.float16)
pipe.enable_model_cpu_offload()
video = pipe(prompt="a lemon", num_frames=49).frames[0]
export_to_video(video, "out.mp4", fps=8)
"""
HOSTED = """
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
pipe.vae.enable_tiling()
video = pipe(prompt="a lemon", num_frames=49, use_dynamic_cfg=True, guidance_scale=7.0,
             generator=torch.Generator("cpu").manual_seed(42)).frames[0]
export_to_video(video, "out.mp4", fps=16, quality=8)
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def advised(path: Path, hosted: str = HOSTED, only: list[str] | None = None) -> Advice:
    """Advise to change all that differs, as if it were the cause, or some of it."""
    script, space = read_source(path), read_text(hosted, "app.py")
    found = compare_sources(script, space)
    return advise(
        str(path), script, space, found, only=[row.path for row in found.differences] if only is None else only
    )


def applied(advice: Advice, script: Path, folder: Path) -> bytes:
    """Apply a patch with git and with patch; return what both make of the script."""
    made: list[bytes] = []
    for command in (["git", "apply", "--check"], ["git", "apply"], ["patch", "-p0", "--binary"]):
        place = folder / f"{len(made)}-{'-'.join(command[:2])}"
        place.mkdir()
        shutil.copy(script, place / script.name)
        done = subprocess.run(
            command,
            cwd=place,
            input=advice.patch.encode(),
            capture_output=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr, advice.patch)
        assert sorted(each.name for each in place.iterdir()) == [script.name]
        made.append((place / script.name).read_bytes())
    assert made[0] == script.read_bytes()
    assert made[1] == made[2]
    return made[1]


def left_over(patched: bytes, hosted: str = HOSTED) -> set[str]:
    found = compare_sources(read_text(patched, "run.py"), read_text(hosted, "app.py"))
    return {row.path for row in found.differences}


def test_the_patched_script_sets_what_the_space_sets(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    advice = advised(script)
    patched = applied(advice, script, tmp_path)
    assert left_over(patched) == {"placement"}
    assert set(advice.by_hand) == {"placement"}
    assert "changes no number" in advice.by_hand["placement"]
    text = patched.decode()
    assert "from diffusers import CogVideoXDPMScheduler\n" in text
    assert (
        'pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")' in text
    )
    assert 'generator=torch.Generator("cpu").manual_seed(42)' in text
    assert "torch_dtype=torch.bfloat16" in text
    assert "pipe.vae.enable_tiling()\n" in text
    assert 'export_to_video(video, "out.mp4", fps=16, quality=8)' in text
    compile(text, "run.py", "exec")


@pytest.mark.parametrize("name", ["cogvideox_t2v.py", "mochi_defaults.py", "ltx_cli.py", "wan_t2v.py"])
def test_patches_of_realistic_scripts_apply(name: str, tmp_path: Path) -> None:
    own = (SOURCES / name).read_text("utf-8")
    hosted = (
        own.replace("num_inference_steps=50", "num_inference_steps=33")
        .replace("fps=8", "fps=9")
        .replace("fps=30", "fps=3")
    )
    hosted = hosted.replace("num_frames=81", "num_frames=17").replace("num_frames=161", "num_frames=9")
    advice = advised(SOURCES / name, hosted)
    assert left_over(applied(advice, SOURCES / name, tmp_path), hosted) == set(advice.by_hand) == set()


def test_only_the_given_settings_are_changed(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    everything = left_over(SCRIPT.encode())
    advice = advised(script, only=["call.use_dynamic_cfg", "scheduler.timestep_spacing", "scheduler.class"])
    assert everything - left_over(applied(advice, script, tmp_path)) == set(advice.changes)
    assert len(advice.changes) == 3


LAYOUTS = {
    "carriage returns": SCRIPT.replace("\n", "\r\n").encode(),
    "no end of line": SCRIPT.rstrip("\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + SCRIPT.encode(),
    "letters of several bytes": SCRIPT.replace("a lemon", "柠檬🍋")
    .replace("num_frames", "eta=0.0, num_frames")
    .encode(),
    "tabs and comments": b"""import torch, diffusers
from diffusers.utils import export_to_video
def main():
\tpipe = diffusers.CogVideoXPipeline.from_pretrained(
\t\t"zai-org/CogVideoX-5b",\t# the model
\t\ttorch_dtype = (torch.float16))
\tvideo = (pipe(
\t\t"a lemon",
\t\tnum_frames=(49)  # not a comma, after it
\t)).frames[0]
\texport_to_video(video, "out.mp4", fps=8,)
main()""",
    "form feeds and separators": SCRIPT.replace("\npipe =", "\n\x0c\n# \u2028 \x85\npipe =").encode(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_layouts_survive(layout: str, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_bytes(LAYOUTS[layout])
    advice = advised(script)
    patched = applied(advice, script, tmp_path)
    assert left_over(patched) <= {"placement"}
    assert patched.startswith(b"\xef\xbb\xbf") is (layout == "byte order mark")
    assert patched.endswith(b"\n") is script.read_bytes().endswith(b"\n")
    assert patched.count(b"\r\n") == (patched.count(b"\n") if layout == "carriage returns" else 0)


@pytest.mark.parametrize(
    "name",
    ["a b.py", 'quo"te.py', "back\\slash.py", "tab\there.py", "new\nline.py", "zitrône 柠.py", "-p1.py", "$(x).py"],
)
def test_all_file_names_survive(name: str, tmp_path: Path) -> None:
    script = tmp_path / name
    script.write_text(SCRIPT)
    advice = advised(script)
    assert left_over(applied(advice, script, tmp_path)) == {"placement"}


def test_an_edit_that_changes_something_else_too_is_dropped(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace("pipe(", "N = 6\nvideo = pipe(").replace("video = N", "N").replace(
        "num_frames=49", "guidance_scale=N, num_inference_steps=N, num_frames=49"))  # fmt: skip
    hosted = HOSTED.replace("num_frames=49", "num_frames=49, num_inference_steps=6")
    advice = advised(script, hosted)
    assert "guidance_scale=7.0, num_inference_steps=N" in applied(advice, script, tmp_path).decode()


@pytest.mark.parametrize(
    ("script", "hosted", "path"),
    [
        (SCRIPT.replace("num_frames=49", '**{"guidance_scale": float("3")}'), HOSTED, "call.guidance_scale"),
        (SCRIPT, HOSTED.replace("torch_dtype", 'custom_pipeline="org/code", torch_dtype'), "load.custom_pipeline"),
        (SCRIPT, HOSTED.replace("torch_dtype", "trust_remote_code=True, torch_dtype"), "load.trust_remote_code"),
        (SCRIPT, HOSTED.replace("use_dynamic_cfg", "no_such_argument"), "call.no_such_argument"),
    ],
)  # fmt: skip
def test_what_cannot_be_patched_is_described(script: str, hosted: str, path: str, tmp_path: Path) -> None:
    file = tmp_path / "run.py"
    file.write_text(script)
    advice = advised(file, hosted)
    assert advice.by_hand[path]
    assert path not in advice.changes
    added = "".join(line for line in advice.patch.splitlines() if line.startswith("+"))
    assert f"{path.rpartition('.')[2]}=" not in added


DESCRIBED = {
    "callback": ("def told(step, t, latents):\n    print(step)\n", "callback_on_step_end=told"),
    "lambda": ("", "callback_on_step_end=lambda *_: {}"),
    "quantised": ("from torchao.quantization import Int8WeightOnlyConfig, quantize_\n", ""),
    "text of a library": ("from presets import NEGATIVE\n", "negative_prompt=NEGATIVE"),
    "class": ("class Mine:\n    pass\n", "attention_kwargs=Mine"),
    "in a dict": ("from presets import NEGATIVE\n", 'attention_kwargs={"text": NEGATIVE}'),
    "tensor": ("", "latents=torch.zeros(1)"),
}


@pytest.mark.parametrize("kind", DESCRIBED)
def test_what_the_space_makes_itself_is_never_written_as_a_text(kind: str, tmp_path: Path) -> None:
    lines, argument = DESCRIBED[kind]
    file = tmp_path / "run.py"
    file.write_text(SCRIPT)
    quantised = "\nquantize_(pipe.text_encoder, Int8WeightOnlyConfig())\nvideo ="
    hosted = lines + HOSTED.replace("num_frames=49", f"num_frames=49, {argument}" if argument else "num_frames=49")
    hosted = hosted.replace("\nvideo =", "\nvideo =" if argument else quantised)
    advice = advised(file, hosted)
    added = "".join(line for line in advice.patch.splitlines() if line.startswith("+"))
    assert "use_dynamic_cfg=True" in added, "everything else is patched"
    for name in ("told", "lambda", "Int8", "NEGATIVE", "Mine", "zeros", "attention_kwargs", "quantization_config"):
        assert name not in added
    assert left_over(applied(advice, file, tmp_path), hosted) == set(advice.by_hand)


LOADED = [
    'pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b").to("cuda")',
    'pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b").to(device="cuda")',
    'pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b").cuda()',
    'pipe = (\n    CogVideoXPipeline\n    .from_pretrained("zai-org/CogVideoX-5b")\n    .to("cuda")\n)',
    'pipe = CogVideoXPipeline.from_pretrained(\n    "zai-org/CogVideoX-5b",\n).to("cuda")',
    'def load(name):\n  return CogVideoXPipeline.from_pretrained(name).to("cuda")\npipe = load("zai-org/CogVideoX-5b")',
]


@pytest.mark.parametrize("loaded", LOADED)
def test_a_dtype_goes_to_the_call_that_loads_and_nowhere_else(loaded: str, tmp_path: Path) -> None:
    file = tmp_path / "run.py"
    before, _, after = SCRIPT.partition("pipe = ")
    file.write_text(before + loaded + "\n" + after[after.index("video =") :])
    patched = applied(advised(file), file, tmp_path)
    calls = [node for node in ast.walk(ast.parse(patched)) if isinstance(node, ast.Call)]
    given = [ast.unparse(node.func) for node in calls if any(word.arg == "torch_dtype" for word in node.keywords)]
    assert given == ["CogVideoXPipeline.from_pretrained"]
    assert left_over(patched) == set()


GIVEN = {
    "argparse": (
        "import argparse as a\nq = a.ArgumentParser()\nq.add_argument('--s', default=3.0)\nscale = q.parse_args().s\n",
        "run the script with --s 7.0",
    ),
    "environment": ("import os\nscale = float(os.environ.get('SCALE', '3.0'))\n", "run the script with SCALE=7.0"),
}


@pytest.mark.parametrize("how", GIVEN)
def test_an_option_of_the_command_line_stays_an_option(how: str, tmp_path: Path) -> None:
    lines, words = GIVEN[how]
    file = tmp_path / "run.py"
    file.write_text(lines + SCRIPT.replace("num_frames=49", "num_frames=49, guidance_scale=scale"))
    advice = advised(file)
    assert advice.by_hand["call.guidance_scale"].startswith(words)
    assert "guidance_scale=scale" in applied(advice, file, tmp_path).decode()


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("SCALE = 3.0\n", "from settings import SCALE\nscale = SCALE\n"),
        ("class Config:\n    scale = 3.0\n", "import settings\nscale = settings.Config.scale\n"),
        ("def scale():\n    return 3.0\n", "from settings import scale as of\nscale = of()\n"),
    ],
)
def test_a_value_of_another_file_is_changed_there_by_hand(content: str, read: str, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    file = tmp_path / "project" / "run.py"
    (tmp_path / "project" / "settings.py").write_text(content)
    file.write_text(read + SCRIPT.replace("num_frames=49", "num_frames=49, guidance_scale=scale"))
    advice = advised(file)
    assert "settings.py:" in advice.by_hand["call.guidance_scale"]
    assert "7.0" in advice.by_hand["call.guidance_scale"]
    assert "guidance_scale=7.0" not in advice.patch


VAE = "from diffusers import *\nvae = AutoencoderKLCogVideoX.from_pretrained('a/b', subfolder='vae')"
REMOVED = {
    "TF32": ("pipe =", "torch.backends.cuda.matmul.allow_tf32 = True\npipe ="),
    "compiled": ("pipe.enable", "pipe.transformer = torch.compile(pipe.transformer)\npipe.enable"),
    "kernels": ("pipe.enable", "pipe.enable_xformers_memory_efficient_attention()\npipe.enable"),
    "scheduler in a variable": (
        "pipe.enable",
        "from diffusers import *\ns = DDIMScheduler.from_config({})\npipe.scheduler = s\npipe.enable",
    ),
    "argument": ("num_frames=49", "num_frames=49, negative_prompt='x'"),
    "entry of a dict": ("num_frames=49", "num_frames=49, **{'negative_prompt': 'x'}"),
    "item": ("video = pipe(", "kw = {}\nkw['negative_prompt'] = 'x'\nvideo = pipe(**kw, "),
    "scheduler": (
        "pipe.enable",
        "from diffusers import *\npipe.scheduler = DDIMScheduler.from_config({})\npipe.enable",
    ),
    "revision": ("torch_dtype", "revision='old', torch_dtype"),
    "LoRA": ("pipe.enable", "pipe.load_lora_weights('a/b')\npipe.fuse_lora()\npipe.enable"),
    "part": (
        "pipe = CogVideoXPipeline.from_pretrained(",
        f"{VAE}\npipe = CogVideoXPipeline.from_pretrained(vae=vae, pretrained_model_name_or_path=",
    ),
}


@pytest.mark.parametrize("what", REMOVED)
def test_what_the_space_does_not_have_is_removed(what: str, tmp_path: Path) -> None:
    file = tmp_path / "run.py"
    file.write_text(SCRIPT.replace(*REMOVED[what], 1))
    assert left_over(file.read_bytes(), SCRIPT)
    advice = advised(file, SCRIPT)
    assert left_over(applied(advice, file, tmp_path), SCRIPT) == set(advice.by_hand) == set()


def test_a_different_model_is_not_patched(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace("CogVideoX", "Wan"))
    advice = advised(script)
    assert advice.patch == ""
    assert "model.id" in advice.by_hand


@pytest.mark.parametrize("content", [SCRIPT.replace("\n", "\r"), SCRIPT.replace("a lemon", "\xe9")])
def test_a_script_that_cannot_be_edited_gets_no_patch(content: str, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_bytes(content.encode("latin-1"))
    advice = advised(script)
    assert advice.patch == ""
    assert advice.by_hand


def test_untrusted_values_stay_values(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace("num_frames=49", 'num_frames=49, negative_prompt="x"'))
    hostile = '") or __import__("os").system("id") #\\n\\u2028\\x1b[31m'
    advice = advised(script, HOSTED.replace("num_frames=49", f"num_frames=49, negative_prompt={hostile!r}"))
    patched = applied(advice, script, tmp_path)
    assert read_text(patched, "run.py").settings.value("call.negative_prompt") == hostile
    assert "\x1b" not in advice.patch


def test_a_diff_of_equal_texts_is_empty() -> None:
    assert unified_diff("run.py", b"a\n", b"a\n") == ""
    assert (
        unified_diff("run.py", b"", b"a") == "--- run.py\n+++ run.py\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"
    )


def test_the_command_prints_the_patch_and_writes_it_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script, space, patch = tmp_path / "run.py", tmp_path / "app.py", tmp_path / "run.patch"
    script.write_bytes(SCRIPT.replace("\n", "\r\n").encode())
    space.write_text(HOSTED)
    arguments = ["why", "--script", str(script), "--space", str(space), "--plan-only", "--patch", str(patch)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "vae.tiling: by hand: leave it as it is" in shown
    assert "call.use_dynamic_cfg: add use_dynamic_cfg=True to pipe(...)" in shown
    assert b"enable_tiling" not in patch.read_bytes()
    assert b"use_dynamic_cfg=True" in patch.read_bytes()
    assert main(arguments) == 2
    assert "already exists" in " ".join(capsys.readouterr().err.split())


SEEDED = SCRIPT.replace(
    'video = pipe(prompt="a lemon", num_frames=49).frames[0]\n',
    "import sys\nSEED = {seed}\ndef generate(seed=SEED):\n    torch.manual_seed(seed)\n"
    '    return pipe(prompt="a lemon", num_frames=49).frames[0]\nvideo = generate()\n',
)


@pytest.mark.parametrize("seed", ["1234", "int(sys.argv[1]) if len(sys.argv) > 1 else 1234"])
def test_a_generator_is_seeded_with_the_variable_of_the_seed(seed: str, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SEEDED.replace("{seed}", seed))
    text = applied(advised(script), script, tmp_path).decode()
    assert 'generator=torch.Generator("cpu").manual_seed(seed)' in text
    assert "manual_seed(1234)" not in text


@pytest.mark.parametrize(
    "seeded",
    [
        ("video =", "torch.manual_seed(7)\nvideo ="),
        ("num_frames=49", 'num_frames=49, generator=torch.Generator("cuda").manual_seed(7)'),
        ("video =", "SEED = 7\ntorch.manual_seed(SEED)\nvideo ="),
    ],
)
def test_a_seed_that_both_sources_write_is_patched_with_the_generator(seeded: tuple[str, str], tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace(*seeded))
    patched = applied(advised(script), script, tmp_path)
    settings = read_text(patched, "run.py").settings
    assert (settings.value("rng.seed"), settings.value("rng.device")) == (42, "cpu")
    assert left_over(patched) == {"placement"}


def test_a_script_without_a_seed_gets_a_placeholder(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    advice = advised(script)
    assert "42 is a placeholder for a number that you choose" in advice.changes["rng.device"]
    script.write_text(SCRIPT.replace("video =", "torch.manual_seed(7)\nvideo ="))
    advice = advised(script, only=["rng.device"])
    assert "manual_seed(7)" in advice.changes["rng.device"]
    assert "choose" not in advice.changes["rng.device"]


@pytest.mark.parametrize(
    "lines",
    [
        'kw = {"guidance_scale": 3.0}\nk2 = kw\nk2["guidance_scale"] = 7.0\nvideo = pipe(**kw, ',
        "scale = 7.0\nxs = [scale for scale in (1.0,)]\nvideo = pipe(guidance_scale=scale, ",
    ],
)
def test_what_the_script_sets_already_is_not_patched(lines: str, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace("video = pipe(", lines))
    advice = advised(script)
    assert "call.guidance_scale" not in {*advice.changes, *advice.by_hand}
    assert all(word not in advice.patch for word in ("(7.0,)", '-kw = {"guidance', "+kw ="))
    assert "call.guidance_scale" not in left_over(applied(advice, script, tmp_path))


def test_the_line_that_has_an_effect_is_patched_and_not_another_of_the_same_name(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    lines = "scale = 6.0\nxs = [scale for scale in (6.0,)]\nvideo = pipe(guidance_scale=scale, "
    script.write_text(SCRIPT.replace("video = pipe(", lines))
    patched = applied(advised(script), script, tmp_path).decode()
    assert "scale = 7.0\nxs = [scale for scale in (6.0,)]" in patched


def test_the_generator_of_a_script_that_chooses_its_device_is_patched_and_the_model_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    chosen = 'device = "cuda" if torch.cuda.is_available() else "cpu"\npipe ='
    path.write_text(
        SCRIPT.replace("pipe =", chosen, 1)
        .replace("pipe.enable_model_cpu_offload()", "pipe.to(device)")
        .replace("num_frames=49", "num_frames=49, generator=torch.Generator(device).manual_seed(42)")
    )
    script = read_source(path, look_up=lambda _: Machine("cuda", "a machine"))
    space = read_text(HOSTED, "app.py")
    advice = advise(str(path), script, space, compare_sources(script, space), only=["rng.device"])
    patched = applied(advice, path, tmp_path).decode()
    assert 'torch.Generator("cpu").manual_seed(42)' in patched
    assert chosen in patched
    assert 'device becomes "cpu"' in advice.changes["rng.device"]


def test_a_device_that_the_model_shares_with_the_noise_is_not_replaced_for_both(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    chosen = 'device = "mps" if torch.backends.mps.is_available() else "cpu"\npipe ='
    path.write_text(
        SCRIPT.replace("pipe =", chosen, 1)
        .replace("pipe.enable_model_cpu_offload()", "pipe.to(device)")
        .replace("num_frames=49", "num_frames=49, generator=torch.Generator(device).manual_seed(42)")
    )
    script = read_source(path, look_up=lambda _: Machine("mps", "a machine"))
    space = read_text(HOSTED, "app.py")
    advice = advise(str(path), script, space, compare_sources(script, space), only=["rng.device"])
    patched = applied(advice, path, tmp_path).decode()
    assert chosen in patched, "the model stays on MPS, although the Space has it on CUDA"
    assert 'torch.Generator("cpu")' in patched


def test_a_placement_is_never_patched_since_the_machine_may_not_have_the_device(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text(SCRIPT.replace("pipe.enable_model_cpu_offload()", 'pipe.to("cpu")'))
    advice = advised(path, only=["placement"])
    assert advice.patch == ""
    assert "same kind of device" in advice.by_hand["placement"]


@pytest.mark.parametrize(("ours", "theirs"), [("pretrained", "single_file"), ("single_file", "pretrained")])
def test_a_single_file_and_a_repository_are_loaded_by_different_methods(tmp_path: Path, ours: str, theirs: str) -> None:
    line = {
        "pretrained": 'from_pretrained("zai-org/CogVideoX-5b"',
        "single_file": 'from_single_file("https://huggingface.co/a/b/blob/main/c.safetensors"',
    }
    script, space = (SCRIPT.replace(line["pretrained"], line[each]) for each in (ours, theirs))
    (tmp_path / "run.py").write_text(script)
    reading = read_source(tmp_path / "run.py")
    other = read_text(space, "app.py")
    advice = advise(str(tmp_path / "run.py"), reading, other, compare_sources(reading, other))
    assert advice.patch == ""
    assert f"with from_{theirs}(...)" in advice.by_hand["model.id"]


TABLE = """import argparse, torch
from diffusers import CogVideoXPipeline
SIZES = {"cogvideox1.5-5b": (768, 1360), "cogvideox-5b": (480, 720)}
parser = argparse.ArgumentParser()
parser.add_argument("--model", default="THUDM/CogVideoX1.5-5B")
args = parser.parse_args()
height, width = SIZES[args.model.split("/")[-1].lower()]
pipe = CogVideoXPipeline.from_pretrained(args.model, torch_dtype=torch.bfloat16).to("cuda")
pipe("a cat", height=height, width=width, generator=torch.Generator("cpu").manual_seed(42))
"""


def test_a_table_from_which_an_argument_chooses_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(TABLE)
    reading = read_source(tmp_path / "run.py")
    other = read_text(HOSTED.replace("num_frames=49", "height=480, width=720"), "app.py")
    advice = advise(str(tmp_path / "run.py"), reading, other, compare_sources(reading, other))
    assert "-SIZES" not in advice.patch
    assert advice.by_hand["call.height"] == advice.by_hand["call.width"] == "comes with --model, which chooses it"
    assert "run the script with --model zai-org/CogVideoX-5b" in advice.by_hand["model.id"]


def test_a_part_that_the_space_leaves_out_is_not_left_out_alone(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    reading = read_source(tmp_path / "run.py")
    without = SCRIPT.replace("\nvideo = pipe(", "\npipe.text_encoder = None\nvideo = pipe(prompt_embeds=load('e'), ")
    other = read_text(without.replace('prompt="a lemon", ', ""), "app.py")
    advice = advise(str(tmp_path / "run.py"), reading, other, compare_sources(reading, other))
    assert "text_encoder" not in advice.patch
    assert "do so together with what it gives instead" in advice.by_hand["load.text_encoder"]


def test_a_scheduler_that_the_space_builds_from_scratch_is_built_from_scratch(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    reading = read_source(tmp_path / "run.py")
    line = "pipe.scheduler = CogVideoXDDIMScheduler{}\nvideo ="
    for made, expected in {
        '(timestep_spacing="trailing")': '+pipe.scheduler = CogVideoXDDIMScheduler(timestep_spacing="trailing")',
        '.from_config(pipe.scheduler.config, timestep_spacing="trailing")': ".from_config(pipe.scheduler.config, ",
        '(**pipe.scheduler.config, timestep_spacing="trailing")': ".from_config(pipe.scheduler.config, ",
    }.items():
        other = read_text(f"from diffusers import *\n{SCRIPT}".replace("video =", line.format(made)), "app.py")
        found = compare_sources(reading, other)
        kinds = [effect.kind for effect in found.effects if "scheduler" in effect.kind]
        assert bool(kinds) is made.startswith("(timestep")
        assert expected in advise(str(tmp_path / "run.py"), reading, other, found).patch


def test_an_argument_without_effect_is_the_first_finding_and_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script, space = tmp_path / "run.py", tmp_path / "app.py"
    script.write_text(SCRIPT.replace("torch.float16)", "torch.float16, use_dynamic_cfg=True)"))
    space.write_text(HOSTED)
    assert main(["why", "--script", str(script), "--space", str(space), "--plan-only"]) == 0
    shown = capsys.readouterr().out
    finding = "use_dynamic_cfg = True is ignored by CogVideoXPipeline.from_pretrained"
    assert 0 < shown.index(finding) < shown.index("setting  ")
    assert "remove use_dynamic_cfg=... from CogVideoXPipeline.from_pretrained(...), which ignores it" in shown
    patched = read_text(applied(advised(script), script, tmp_path), "run.py")
    assert patched.ignored == []
    assert patched.settings.value("call.use_dynamic_cfg") is True


def test_an_argument_without_effect_stays_where_something_else_is_the_cause(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace("torch.float16)", "torch.float16, use_dynamic_cfg=True)"))
    patched = read_text(applied(advised(script, only=["call.guidance_scale"]), script, tmp_path), "run.py")
    assert [each.argument for each in patched.ignored] == ["use_dynamic_cfg"]
    assert patched.settings.value("call.guidance_scale") == 7.0


def test_what_saves_memory_is_changed_only_where_it_is_the_cause(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace("pipe.enable", "pipe.vae.enable_slicing()\npipe.enable"))
    ours, theirs = read_source(script), read_text(HOSTED, "app.py")
    found = compare_sources(ours, theirs)
    plan = advise(str(script), ours, theirs, found)
    assert {"vae.slicing", "vae.tiling"} <= plan.by_hand.keys()
    assert "enable_slicing" not in plan.patch.replace(" pipe.vae.enable_slicing()", "")
    caused = advise(str(script), ours, theirs, found, only=["vae.slicing"])
    assert "-pipe.vae.enable_slicing()\n" in caused.patch
