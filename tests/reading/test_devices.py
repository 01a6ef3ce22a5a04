"""Device expressions: resolved for a machine that is known, alternatives with their conditions for one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.reading import Reading, read_source, read_text
from spacediff.reading.machine_look_up import MachineLookUp, hosted_machine, hosted_on, this_machine, unknown_machine
from spacediff.reading.machines import Machine
from spacediff.reading.model import GpuRequest
from spacediff.settings import Origin

SCRIPT = """
import argparse
import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
{lines}
pipe = CogVideoXPipeline.from_pretrained("a/b").to(device)
video = pipe("x", generator=torch.Generator(device).manual_seed(1)).frames[0]
export_to_video(video, "o.mp4")
"""
MACHINES = {name: Machine(name, "a machine") for name in ("cuda", "mps", "xpu", "npu", "cpu")}


def on(device: str) -> MachineLookUp:
    return lambda _: MACHINES[device]


def read(lines: str, device: str = "") -> Reading:
    look_up = on(device) if device else unknown_machine
    return read_text(SCRIPT.format(lines=lines), "run.py", look_up=look_up)


def devices(reading: Reading) -> tuple[object, object]:
    return reading.settings.value("placement"), reading.settings.value("rng.device")


CUDA = 'device = "cuda" if torch.cuda.is_available() else "cpu"'
CHAIN = """
device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
"""
WRAPPED = """
device = torch.device("mps" if torch.backends.mps.is_available() else "cuda" if torch.cuda.is_available() else "cpu")
"""
ARGUMENT = """
parser = argparse.ArgumentParser()
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
device = parser.parse_args().device
"""
FALLBACK = """
parser = argparse.ArgumentParser()
parser.add_argument("--device")
args = parser.parse_args()
device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
"""
HELPER = """
def get_device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    elif hasattr(torch.backends, "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
device = get_device()
"""
ACCELERATE = """
from accelerate import Accelerator
accelerator = Accelerator()
device = accelerator.device
"""
ACCELERATE_STATE = """
from accelerate import PartialState
device = PartialState().device
"""
ON_THE_CPU = """
from accelerate import Accelerator
device = Accelerator(cpu=True).device
"""
INFERRED = """
from transformers import infer_device
device = infer_device()
"""
CURRENT = """
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
"""
CURRENT_OR = 'device = torch.accelerator.current_accelerator() or torch.device("cpu")'
COUNTED = 'device = "cuda" if torch.cuda.device_count() > 0 else "cpu"'
STATEMENTS = """
device = "cpu"
if torch.cuda.is_available():
    device = "cuda"
elif torch.xpu.is_available():
    device = "xpu"
"""
KIND_OF_DEVICE = """
found = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
device = "cuda" if found.type == "cuda" else "cpu"
"""
NUMBERED = 'device = torch.device("cuda", 1) if torch.cuda.is_available() else torch.device("cpu")'
TRIED = """
from accelerate.utils import is_npu_available
device = "npu" if is_npu_available() else "cpu"
"""

RESOLVED = [
    (CUDA, {"cuda": "cuda", "mps": "cpu", "cpu": "cpu"}),
    (CHAIN, {"cuda": "cuda", "mps": "mps", "xpu": "cpu", "cpu": "cpu"}),
    (WRAPPED, {"cuda": "cuda", "mps": "mps", "cpu": "cpu"}),
    (ARGUMENT, {"cuda": "cuda", "cpu": "cpu"}),
    (FALLBACK, {"cuda": "cuda", "cpu": "cpu"}),
    (HELPER, {"cuda": "cuda", "mps": "mps", "cpu": "cpu"}),
    (ACCELERATE, {"cuda": "cuda", "mps": "mps", "xpu": "xpu", "npu": "npu", "cpu": "cpu"}),
    (ACCELERATE_STATE, {"cuda": "cuda", "cpu": "cpu"}),
    (ON_THE_CPU, {"cuda": "cpu", "cpu": "cpu"}),
    (INFERRED, {"cuda": "cuda", "mps": "mps", "cpu": "cpu"}),
    (CURRENT, {"cuda": "cuda", "xpu": "xpu", "cpu": "cpu"}),
    (CURRENT_OR, {"cuda": "cuda", "npu": "npu", "cpu": "cpu"}),
    (COUNTED, {"cuda": "cuda", "mps": "cpu", "cpu": "cpu"}),
    (STATEMENTS, {"cuda": "cuda", "xpu": "xpu", "mps": "cpu"}),
    (KIND_OF_DEVICE, {"cuda": "cuda", "cpu": "cpu"}),
    (NUMBERED, {"cuda": "cuda:1", "cpu": "cpu"}),
    (TRIED, {"npu": "npu", "cuda": "cpu"}),
]


@pytest.mark.parametrize(
    ("lines", "machine", "device"),
    [(lines, machine, found) for lines, each in RESOLVED for machine, found in each.items()],
)
def test_a_device_expression_is_that_of_the_machine(lines: str, machine: str, device: str) -> None:
    reading = read(lines, machine)
    assert devices(reading) == (device, device)
    assert not {"placement", "rng.device"} & {*reading.unknowns}
    assert reading.by_machine == {}


def test_only_a_source_that_asks_its_machine_is_read_for_one() -> None:
    plain = read('device = "cuda:1"', "cpu")
    assert devices(plain) == ("cuda:1", "cuda:1")
    assert (plain.machine, plain.asked_of_machine) == (None, ())
    asking = read(CUDA, "cpu")
    assert asking.machine == MACHINES["cpu"]
    (note,) = [note for note in asking.notes if note.kind == "machine"]
    assert "a machine (cpu)" in note.text
    assert note.where == "run.py:6"


def test_on_an_unknown_machine_every_value_is_named_with_its_condition() -> None:
    reading = read(CHAIN)
    assert reading.settings["rng.device"].origin is Origin.UNKNOWN
    assert reading.unknowns["rng.device"] == "'cuda' with CUDA, 'mps' with MPS, otherwise 'cpu'"
    assert {device: one.value for device, one in reading.by_machine["placement"].items()} == {
        "cuda": "cuda", "mps": "mps", "cpu": "cpu",
    }  # fmt: skip


def test_a_source_that_takes_long_is_not_followed_for_every_machine() -> None:
    large = CUDA + "\n" + "x = [1, 2, 3, 4, 5, 6, 7, 8]\n" * 2100
    reading = read(large)
    assert reading.unknowns["rng.device"] == "one of: 'cuda', 'cpu'"
    assert reading.by_machine == {}
    assert devices(read(large, "cuda")) == ("cuda", "cuda")


def test_settings_of_a_branch_on_the_machine_are_named_with_their_condition() -> None:
    lines = """
device = "cpu"
steps = 50
if torch.cuda.is_available():
    steps = 30
"""
    script = SCRIPT.replace('pipe("x"', 'pipe("x", num_inference_steps=steps').format(lines=lines)
    unknown = read_text(script, "run.py")
    assert unknown.unknowns["call.num_inference_steps"] == "30 with CUDA, otherwise 50"
    assert "placement" not in unknown.by_machine
    known = read_text(script, "run.py", look_up=on("cuda"))
    assert known.settings.value("call.num_inference_steps") == 30


def test_what_a_branch_leaves_out_on_a_machine_is_named() -> None:
    script = SCRIPT.replace("video =", "if torch.cuda.is_available(): pipe.vae.enable_tiling()\nvideo =")
    reading = read_text(script.format(lines='device = "cpu"'), "run.py")
    assert reading.unknowns["vae.tiling"] == "True with CUDA, otherwise not given"


@pytest.mark.parametrize(
    ("hardware", "device"),
    [
        ("cpu-basic", "cpu"),
        ("cpu-upgrade", "cpu"),
        ("zero-a10g", "cuda"),
        ("t4-small", "cuda"),
        ("a10g-largex2", "cuda"),
        ("l40sx1", "cuda"),
        ("rtx-pro-6000", "cuda"),
        ("v5e-1x1", None),
        ("inf2x6", None),
    ],
)
def test_the_hardware_of_a_space_gives_its_device(hardware: str, device: str | None) -> None:
    for zero_gpu in (False, True):  # what the Hub reports comes before what the source suggests
        machine = hosted_machine(hardware, zero_gpu=zero_gpu)
        assert (machine.device if machine else None) == device


def test_the_number_of_cards_is_that_of_the_hardware() -> None:
    machine = hosted_machine("a10g-largex2", zero_gpu=False)
    assert machine is not None
    assert machine.count == 2
    several = 'device = "cuda:1" if torch.cuda.device_count() > 1 else "cuda"'
    reading = read_text(SCRIPT.format(lines=several), "app.py", look_up=hosted_on("a10g-largex2"))
    assert devices(reading) == ("cuda:1", "cuda:1")


@pytest.mark.parametrize(
    ("decorator", "found"), [("@spaces.GPU", "cuda"), ("@spaces.GPU(duration=60)", "cuda"), ("", None)]
)
def test_a_space_of_unknown_hardware_has_cuda_if_it_uses_zero_gpu(
    decorator: str, found: str | None, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(f"""
import spaces, torch
from diffusers import CogVideoXPipeline
device = "cuda" if torch.cuda.is_available() else "cpu"
pipe = CogVideoXPipeline.from_pretrained("a/b").to(device)
{decorator}
def generate(prompt):
    return pipe(prompt, generator=torch.Generator(device).manual_seed(1)).frames[0]
generate("x")
""")
    reading = read_source(tmp_path, look_up=hosted_on(""))
    assert devices(reading) == (found, found)
    assert bool(reading.by_machine) is (found is None)


@pytest.mark.parametrize(
    ("decorator", "seconds"),
    [
        ("@spaces.GPU", 60),
        ("@spaces.GPU()", 60),
        ("@spaces.GPU(duration=120)", 120),
        ("@spaces.GPU(duration=LONGEST)", 90),
        ("@spaces.GPU(duration=60 * 2)", 120),
        ("@spaces.GPU(duration=estimated)", None),
        ("@spaces.GPU(duration=lambda prompt: len(prompt))", None),
        ("@spaces.GPU(duration=int(os.environ['SECONDS']))", None),
        ("@spaces.GPU(**given)", None),
        ("@spaces.GPU(duration=1e-320)", None),
        ("@spaces.GPU(duration=10 ** 400)", None),
        ("@spaces.GPU(duration=True)", None),
        ("@spaces.GPU(duration=-1)", None),
        ("@GPU(duration=75)", 75),
    ],
)
def test_the_seconds_of_a_gpu_that_a_call_asks_for_are_read(decorator: str, seconds: float | None) -> None:
    reading = read_text(
        f"""
import os, spaces
from spaces import GPU
from diffusers import CogVideoXPipeline
LONGEST = 90
def estimated(prompt):
    return 30
given = dict(os.environ)
pipe = CogVideoXPipeline.from_pretrained("a/b")
{decorator}
def generate(prompt):
    return pipe(prompt).frames[0]
generate("x")
""",
        "app.py",
    )
    assert reading.gpu_requests == (GpuRequest("app.py:10", seconds),)
    assert reading.as_json()["gpu_requests"] == [{"where": "app.py:10", "seconds": seconds}]
    assert not read_text("import spaces", "app.py").gpu_requests


def test_the_device_of_this_machine_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    machine = this_machine()
    assert machine is not None
    assert (machine.device == "cuda") is torch.cuda.is_available()


LOADED = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("a/b"{argument})
{line}
pipe("x")
"""


@pytest.mark.parametrize(
    ("line", "placement", "options"),
    [
        ("pipe.to('cuda:0')", "cuda", {}),
        ("pipe.to('mps')", "mps", {}),
        ("pipe.to(1)", "cuda:1", {}),
        ("pipe.cuda(1)", "cuda:1", {}),
        ("pipe.to(torch.device('xpu', 1))", "xpu:1", {}),
        ("pipe.enable_model_cpu_offload(gpu_id=1)", "model_cpu_offload:1", {}),
        ("pipe.enable_model_cpu_offload(0)", "model_cpu_offload", {}),
        ("pipe.enable_model_cpu_offload(device='cuda:2')", "model_cpu_offload:2", {}),
        ("pipe.enable_sequential_cpu_offload(gpu_id=1)", "sequential_cpu_offload:1", {}),
        ("pipe.enable_group_offload(torch.device('cuda:1'), offload_type='leaf_level')", "group_offload:1", {}),
        (
            "pipe.enable_group_offload(torch.device('cuda'), num_blocks_per_group=2, use_stream=True)",
            "group_offload",
            {"offload_type": "block_level", "num_blocks_per_group": 2, "use_stream": True},
        ),
        ("pipe.enable_group_offload(torch.device('cuda')); pipe.to('cuda')", "cuda", {}),
    ],
)
def test_placements_keep_the_number_of_the_card_and_their_options(
    line: str, placement: str, options: dict[str, object]
) -> None:
    settings = read_text(LOADED.format(argument="", line=line), "run.py").settings
    assert settings.value("placement") == placement
    assert settings.table("offload") == options


def test_offloading_onto_the_cpu_is_an_option_where_there_is_an_accelerator() -> None:
    script = LOADED.format(argument="", line="pipe.enable_model_cpu_offload(device='cpu')")
    for device, options in {"cuda": {"device": "cpu"}, "cpu": {}}.items():
        settings = read_text(script, "run.py", look_up=on(device)).settings
        assert settings.value("placement") == "model_cpu_offload"
        assert settings.table("offload") == options


@pytest.mark.parametrize(
    ("device_map", "placement", "load"),
    [
        ("'cuda'", "cuda", {}),
        ("'mps'", "mps", {}),
        ("torch.device('cuda', 1)", "cuda:1", {}),
        ("'balanced'", None, {"device_map": "balanced"}),
        ("{'vae': 'cuda:0'}", None, {"device_map": {"vae": "cuda:0"}}),
    ],
)
def test_a_device_map_that_names_one_device_is_a_placement(
    device_map: str, placement: str | None, load: dict[str, object]
) -> None:
    settings = read_text(LOADED.format(argument=f", device_map={device_map}", line=""), "run.py").settings
    assert settings.value("placement") == placement
    assert settings.table("load") == load
