from __future__ import annotations

import contextlib
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from numpy.typing import NDArray

from spacediff.environment import VARIABLES
from spacediff.errors import Exit, SpaceBroken
from spacediff.processes import child_environment
from spacediff.scenario.scenario import load_scenario
from spacediff.tiny import serving
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.tiny.serving import TinySpace, serve_tiny_space
from spacediff.tiny.space_app import DEVICE, load_pipeline, scratch_prefix
from support.paths import ROOT
from support.tiny_space import SPACE_STEPS

LEMON = "A hand squeezes half a lemon over a glass bowl, close-up"

# What a client of the public demo passes, in its order.
INPUTS = {
    "prompt": LEMON,
    "image_input": None,
    "video_input": None,
    "video_strength": 0.8,
    "seed_value": 42,
    "scale_status": False,
    "rife_status": False,
}


@pytest.fixture(scope="module")
def client(tiny_space: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    connected = Client(tiny_space, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    yield connected
    connected.close()


@pytest.fixture(scope="module")
def served(client: Client) -> tuple[Any, ...]:
    """The result of the endpoint for seed 42."""
    return call(client)


def call(client: Client, **changed: Any) -> tuple[Any, ...]:
    returned: tuple[Any, ...] = client.predict(**(INPUTS | changed), api_name="/generate")
    return returned


def video_path(value: Any) -> str:
    """Return the path in a video output: older clients give it inside a dictionary."""
    return str(value["video"] if isinstance(value, dict) else value)


def decoded(path: str) -> tuple[NDArray[np.uint8], float]:
    """Return the frames, `[T, H, W, 3]`, and their rate."""
    with av.open(path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        rate = container.streams.video[0].average_rate
    assert rate is not None
    return np.stack(frames).astype(np.uint8), float(rate)


def generated_here(folder: Path, *, as_the_demo: bool) -> str:
    """Generate with plain diffusers; return the path of the MP4."""
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import torch
    from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
    from diffusers.utils import export_to_video

    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    settings: dict[str, Any] = {}
    if as_the_demo:
        pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
        settings = {"use_dynamic_cfg": True, "guidance_scale": 7.0}
    frames = pipe(
        LEMON, num_inference_steps=SPACE_STEPS, generator=torch.Generator().manual_seed(42), **settings
    ).frames[0]
    return str(export_to_video(frames, str(folder / "here.mp4"), fps=math.ceil((len(frames) - 1) / 6)))


def is_running(process_id: int) -> bool:
    """Whether a process runs; one that ended and was not yet collected by its parent does not."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    with contextlib.suppress(FileNotFoundError):
        return status.read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return not status.parent.parent.is_dir()


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
        return True
    return False


def scratch_folders(process_id: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"{scratch_prefix(process_id)}*"))


def wait_until(true: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.mark.filterwarnings("ignore:`torch_dtype` is deprecated:FutureWarning")
def test_served_frames_equal_those_of_plain_diffusers(served: tuple[Any, ...], tmp_path: Path) -> None:
    frames, rate = decoded(video_path(served[0]))
    same, rate_here = decoded(generated_here(tmp_path, as_the_demo=True))
    assert frames.shape == (17, 64, 96, 3)
    assert rate == rate_here == 3
    assert frames.tobytes() == same.tobytes()
    library_defaults, _ = decoded(generated_here(tmp_path, as_the_demo=False))
    assert np.abs(frames.astype(int) - library_defaults).mean() > 10  # levels of 255


def test_outputs_have_the_shapes_of_the_demo(served: tuple[Any, ...]) -> None:
    assert len(served) == 4
    for update in served[1:]:
        assert update["__type__"] == "update"
    as_file, as_gif = Path(served[1]["value"]), Path(served[2]["value"])
    assert as_file.read_bytes() == Path(video_path(served[0])).read_bytes()
    assert as_gif.read_bytes()[:6] == b"GIF89a"


def test_the_endpoint_has_the_parameters_of_the_demo(client: Client) -> None:
    described = client.view_api(print_info=False, return_format="dict")
    assert isinstance(described, dict)
    assert [one["parameter_name"] for one in described["named_endpoints"]["/generate"]["parameters"]] == list(INPUTS)


def test_the_requested_seed_is_used_and_returned(client: Client, served: tuple[Any, ...]) -> None:
    again = call(client)
    other = call(client, seed_value=43)
    assert (served[3]["value"], again[3]["value"], other[3]["value"]) == (42, 42, 43)
    frames, _ = decoded(video_path(served[0]))
    assert np.array_equal(decoded(video_path(again[0]))[0], frames)
    assert np.abs(decoded(video_path(other[0]))[0].astype(int) - frames).mean() > 10


def test_a_random_seed_is_one_of_256_and_is_returned(client: Client) -> None:
    drawn = call(client, seed_value=-1)
    seed = drawn[3]["value"]
    assert seed in range(256)
    repeated = call(client, seed_value=seed)
    assert np.array_equal(decoded(video_path(drawn[0]))[0], decoded(video_path(repeated[0]))[0])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"scale_status": True}, "not available"),
        ({"rife_status": True}, "not available"),
        ({"prompt": "x" * 2001}, "2001 characters"),
        ({"seed_value": -2}, "seed"),
        ({"seed_value": 0.5}, "seed"),
        ({"seed_value": 1e300}, "seed"),
        ({"seed_value": None}, "seed"),
    ],
    ids=["super-resolution", "interpolation", "long prompt", "-2", "half", "1e300", "no seed"],
)
def test_unsupported_inputs_are_refused_with_a_message(client: Client, changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(AppError, match=reason):
        call(client, **changed)


def test_images_and_videos_are_refused_with_a_message(client: Client, served: tuple[Any, ...], tmp_path: Path) -> None:
    from gradio_client import handle_file
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    for changed in (
        {"image_input": handle_file(str(tmp_path / "picture.png"))},
        {"video_input": handle_file(video_path(served[0]))},
    ):
        with pytest.raises(AppError, match="from text only"):
            call(client, **changed)


@pytest.mark.parametrize(
    "prompt", ["", "\0\x1b[31m</s>", "'; DROP TABLE --", "柠" * 2000, "{prompt}" * 200], ids=range(5)
)
def test_hostile_prompts_are_generated_like_others(client: Client, prompt: str) -> None:
    assert decoded(video_path(call(client, prompt=prompt)[0]))[0].shape == (17, 64, 96, 3)


@pytest.mark.filterwarnings("ignore:.torch_dtype. is deprecated:FutureWarning")  # the demo's argument
def test_the_space_computes_where_the_quickstart_does(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario(ROOT / "scenarios" / "quickstart.toml")
    assert scenario.settings_of("as-hosted").value("placement") == DEVICE
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert load_pipeline(RANDOM.id, DEVICE).device == torch.device(DEVICE), "whatever the machine has"


def test_the_space_has_the_variables_that_choose_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    program = "import os, pathlib; from spacediff.tiny.space_app import _isolate; _isolate(pathlib.Path()); "
    done = subprocess.run(
        [sys.executable, "-c", f"{program}print(*sorted(os.environ))"],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert {*VARIABLES, "OMP_NUM_THREADS"} <= set(done.stdout.split())


@pytest.mark.slow
def test_nothing_remains_after_the_block_even_if_it_fails() -> None:
    class FromInsideError(Exception):
        pass

    space = TinySpace(steps=1)

    def fail_inside() -> None:
        with space:
            assert is_running(space.process_id)
            assert answers(space.url)
            assert scratch_folders(space.process_id)
            assert os.getsid(space.process_id) != os.getsid(0)  # Ctrl-C here does not reach it
            raise FromInsideError

    with pytest.raises(FromInsideError):
        fail_inside()
    assert not is_running(space.process_id)
    assert not answers(space.url)
    assert not scratch_folders(space.process_id)


def running(text: str) -> Callable[..., list[str]]:
    """What starts this text in place of the Space."""
    return lambda *_: [sys.executable, "-c", text]


UNRESPONSIVE_SPACE = """
import os, signal, tempfile, time
from spacediff.tiny.space_app import scratch_prefix
signal.signal(signal.SIGTERM, signal.SIG_IGN)
tempfile.mkdtemp(prefix=scratch_prefix(os.getpid()))
print("READY http://127.0.0.1:9", flush=True)
time.sleep(600)
"""
"""Answers at once, and ignores both the end of its stdin and SIGTERM."""


def test_a_space_that_does_not_react_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "python", running(UNRESPONSIVE_SPACE))
    with TinySpace() as space:
        assert scratch_folders(space.process_id)
        monkeypatch.setattr(serving, "_STOP_TIMEOUT", 0.3)
    assert not is_running(space.process_id)
    assert not scratch_folders(space.process_id)


SPACE_WITHOUT_MODEL = """
import os, socket, tempfile, threading
from pathlib import Path
from spacediff.tiny.space_app import _exit_with_parent, scratch_prefix
_exit_with_parent(Path(tempfile.mkdtemp(prefix=scratch_prefix(os.getpid()))))
listener = socket.create_server(("127.0.0.1", 0))
print(f"READY http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
threading.Event().wait()
"""
"""Lives and ends as the Space does, and loads nothing."""
PARENT = """
import sys, time
from spacediff.tiny import serving
serving.python = lambda *_: [sys.executable, "-c", {space!r}]
space = serving.TinySpace().__enter__()
print(space.process_id, space.url, flush=True)
time.sleep(600)
"""


def test_the_space_exits_if_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(space=SPACE_WITHOUT_MODEL)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "harness")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        process_id, url = parent.stdout.readline().split()
        assert is_running(int(process_id))
        assert answers(url)
        assert scratch_folders(int(process_id))
        parent.kill()
    assert wait_until(lambda: not is_running(int(process_id)) and not answers(url))
    assert not scratch_folders(int(process_id))


def test_a_failed_start_shows_the_end_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "python", running("raise SystemExit('the cache folder cannot be written')"))
    space = TinySpace()
    with (
        pytest.raises(
            SpaceBroken, match=r"(?s)exited before it answered; its log ends with:\n.*cannot be written"
        ) as caught,
        space,
    ):
        pass
    assert caught.value.exit_code is Exit.NOT_MEASURED
    assert not is_running(space.process_id)
    assert not scratch_folders(space.process_id)


def test_a_start_that_takes_too_long_is_an_error() -> None:
    space = TinySpace(startup_deadline=0.2)
    with pytest.raises(SpaceBroken, match=r"within 0\.2 seconds"), space:
        pass
    assert not is_running(space.process_id)


def test_a_missing_interpreter_is_a_failed_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(SpaceBroken, match="could not be started"), serve_tiny_space():
        pass
