"""A Gradio app with a tiny pipeline and a probe, in a process of its own, as a Space would have them."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spacediff.recordings.probe_file import write_probe
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.fresh_process import forked
from support.gradio_servers import SpaceApp
from support.zerogpu_stand_in import ForkedWorker

CALL = {"num_inference_steps": 2, "num_frames": 5, "output_type": "latent"}
OWNERS = "a secret of the owner"


@contextmanager
def probed_app(folder: Path) -> Iterator[SpaceApp]:
    """Serve the app; its folder is also the one of its temporary files.

    Args:
        folder: Holds `clip.mp4`, which every endpoint returns.
    """
    write_probe(folder / "spacediff_probe.py")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = forked(serve, listener, folder)
        try:
            urllib.request.urlopen(f"{url}/config", timeout=60).close()  # noqa: S310 - loopback
            yield SpaceApp(url, folder)
        finally:
            process.kill()
            process.join()


def serve(listener: socket.socket, folder: Path) -> None:
    """Serve the app on an open socket, for as long as the process lives."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder / "cache"),
        "OWNERS_TOKEN": OWNERS,
        "OMP_NUM_THREADS": "1",
    }
    tempfile.tempdir = str(folder)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    for number in (1, 2):
        os.dup2(log, number)
    sys.path.insert(0, str(folder))
    import fastapi
    import gradio
    import torch
    import uvicorn

    torch.set_num_threads(1)  # a forked worker waits for ever for the threads of another process
    demo = _blocks(folder)
    importlib.import_module("spacediff_probe").attach(demo)
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(), demo.queue(), path="/", allowed_paths=[str(folder)], ssr_mode=False
    )
    uvicorn.Server(uvicorn.Config(app, fd=listener.fileno(), log_level="critical")).run()


def _blocks(folder: Path) -> Any:
    import gradio
    import torch
    from diffusers import CogVideoXPipeline

    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)

    def generate(prompt: str, seed: int) -> None:
        pipe(prompt, generator=torch.Generator().manual_seed(int(seed)), **CALL)

    def breaking(prompt: str, seed: int) -> None:
        for each in folder.glob("spacediff-probe-*"):
            shutil.rmtree(each)
            each.write_text("no folder any more")
        generate(prompt, seed)

    def twice(prompt: str, seed: int) -> None:
        generate("an earlier stage", seed)
        generate(prompt, seed)

    tasks = {
        "here": generate,
        "on_gpu": ForkedWorker(generate),
        "in_a_worker": ForkedWorker(generate, zerogpu=False),
        "with_secret": lambda prompt, seed: generate(f"{prompt}, {OWNERS}, /home/owner/model", seed),
        "nothing": lambda *_: None,
        "twice": twice,
        "breaking": breaking,
    }
    with gradio.Blocks() as demo:
        prompt, seed, shown = gradio.Textbox(label="prompt"), gradio.Number(label="seed", precision=0), gradio.Video()
        for name, task in tasks.items():

            def run(prompt: str, seed_value: int, task: Any = task) -> str:
                task(prompt, seed_value)
                return str(folder / "clip.mp4")

            gradio.Button().click(run, [prompt, seed], shown, api_name=name, concurrency_limit=4)
    return demo
