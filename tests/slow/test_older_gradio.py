"""Servers of older Gradio versions, each in an environment of its own, answer as one of today's does.

gradio_client speaks several protocols, and chooses by what `/config` says; a Space stays on the version it was made
with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, read_clip, write_preview
from spacediff.errors import SpaceFailed
from spacediff.sources.space import SpaceRequest, fetch
from support.space_requests import PROMPT, RememberingListener, eventually

pytestmark = pytest.mark.slow

VERSIONS = {
    "4.44.1": ("huggingface_hub<0.26", "pydantic<2.11", "fastapi<0.113", "starlette<0.39", "jinja2<3.2"),
    "5.49.1": (),
}
"""Versions, with what was current when they were: they import or call what later versions of these lack."""

APP = """
import shutil, sys, tempfile
from pathlib import Path
import gradio

def generate(prompt, seed):
    if prompt == "fail":
        raise gradio.Error("the prompt is refused")
    place = Path(tempfile.mkdtemp()) / "clip.mp4"
    shutil.copyfile(sys.argv[1], place)
    return str(place), seed

with gradio.Blocks() as demo:
    prompt, seed = gradio.Textbox(label="prompt"), gradio.Number(42, label="seed", precision=0)
    video, used = gradio.Video(), gradio.Number(label="seed used", precision=0)
    gradio.Button().click(generate, [prompt, seed], [video, used], api_name="generate")
demo.queue().launch(prevent_thread_lock=True, quiet=True)
print(demo.local_url, flush=True)
demo.block_thread()
"""


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve the app with an older Gradio; skip where the registry does not give it."""
    place = tmp_path_factory.mktemp(f"gradio-{request.param}")
    frames = np.random.default_rng(0).integers(0, 255, (9, 32, 48, 3), dtype=np.uint8)
    write_preview(Clip(frames, Fraction(8)), place / "clip.mp4")
    (place / "app.py").write_text(APP)
    python = place / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(place / "venv")], check=True)
    wanted = [f"gradio=={request.param}", *VERSIONS[request.param]]
    done = subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", str(python), *wanted],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"gradio {request.param} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    serving = subprocess.Popen(
        [str(python), "app.py", "clip.mp4"],
        cwd=place,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout
    try:
        url = serving.stdout.readline().strip().rstrip("/")
        assert eventually(lambda: _answers(url))
        yield url, place / "clip.mp4"
    finally:
        serving.kill()
        serving.wait()
        serving.stdout.close()


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/config", timeout=5):  # noqa: S310 - loopback
        return True
    return False


def request_to(url: str) -> SpaceRequest:
    inputs = {"prompt": "{prompt}", "seed": "{seed}"}
    return SpaceRequest(url, "/generate", inputs, {"video": 0, "seed": 1}, deadline=60)


def test_the_clip_the_seed_and_the_defaults_arrive(server: tuple[str, Path], tmp_path: Path) -> None:
    url, clip = server
    produced = fetch(request_to(url), PROMPT, 42, tmp_path, RememberingListener())
    assert produced.original
    assert produced.original.read_bytes() == clip.read_bytes()
    assert produced.clip.digest == read_clip(clip).digest
    assert produced.seed_echoed == 42
    assert produced.hosted["gradio"].split(".")[0] in {"4", "5"}


def test_an_error_of_the_app_is_its_own(server: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(SpaceFailed, match="the prompt is refused"):
        fetch(request_to(server[0]), "fail", 42, tmp_path, RememberingListener())
