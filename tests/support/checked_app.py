"""A Gradio app whose endpoints are honest, cached, blind, random or rewriting, in a process of its own."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from spacediff.clip import Clip, write_preview
from support.fresh_process import forked
from support.gradio_servers import SpaceApp

STUCK_AFTER = 2
"""Calls that one endpoint answers before it never does again."""
REWRITTEN = "{prompt}, masterpiece, 8k"


@contextmanager
def checked_app(folder: Path) -> Iterator[SpaceApp]:
    """Serve the app.

    Args:
        folder: For its files.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = forked(_serve, listener, folder)
        try:
            urllib.request.urlopen(f"{url}/config", timeout=60).close()  # noqa: S310 - loopback
            yield SpaceApp(url, folder)
        finally:
            process.kill()
            process.join()


def _serve(listener: socket.socket, folder: Path) -> None:
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(folder / "cache")}
    silence = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(silence, number)
    import fastapi
    import gradio
    import uvicorn

    app = gradio.mount_gradio_app(
        fastapi.FastAPI(), _blocks(folder), path="/", allowed_paths=[str(folder)], ssr_mode=False
    )
    uvicorn.Server(uvicorn.Config(app, fd=listener.fileno(), log_level="critical")).run()


def _blocks(folder: Path) -> Any:
    import gradio

    with gradio.Blocks() as demo:
        prompt, seed = gradio.Textbox(label="Prompt"), gradio.Number(42, label="Seed", precision=0)
        guidance = gradio.Slider(1, 6, value=6, label="Guidance scale")
        steps = gradio.Slider(1, 50, value=8, step=1, label="Inference steps")
        clip, used = gradio.Video(label="Clip"), gradio.Number(label="Seed used")
        said = gradio.Textbox(label="Enhanced prompt")

        def offer(name: str, answer: Callable[[_Asked], Any], *others: Any, cached: bool = False) -> None:
            def run(prompt: str, seed: int, guidance_scale: float, num_inference_steps: int) -> Any:
                found, *rest = answer(_Asked(prompt, seed, guidance_scale, num_inference_steps))
                file = _drawn(folder, found)
                return (file, *rest) if rest else file

            gradio.Button().click(
                gradio.cache(run) if cached else run,
                [prompt, seed, guidance, steps],
                [clip, *others],
                api_name=name,
                concurrency_limit=4,
            )

        offer("honest", _honest)
        offer("cached", _honest, cached=True)
        offer("cached_random", lambda asked: [(asked, secrets.token_hex())], cached=True)
        offer("seed_blind", lambda asked: [replace(asked, seed=0)])
        offer("seed_random", _drawing, used)
        offer("guidance_blind", lambda asked: [replace(asked, guidance=0.0)])
        offer("rewriting", _rewriting, said)
        offer("failing", _failing)
        offer("stuck", _Stuck())
    return demo


@dataclass(frozen=True)
class _Asked:
    prompt: str
    seed: int
    guidance: float
    steps: int


def _honest(asked: _Asked) -> list[Any]:
    return [replace(asked, prompt=asked.prompt.strip())]


def _drawing(asked: _Asked) -> list[Any]:
    own = secrets.randbelow(2**31)
    return [replace(asked, seed=own), own]


def _rewriting(asked: _Asked) -> list[Any]:
    text = REWRITTEN.format(prompt=asked.prompt)
    return [replace(asked, prompt=text), text]


def _failing(asked: _Asked) -> list[Any]:
    import gradio

    if asked.guidance != 6:
        raise gradio.Error("guidance is fixed")
    return [asked]


class _Stuck:
    """Answers some calls, and no other."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, asked: _Asked) -> list[Any]:
        self._calls += 1
        if self._calls > STUCK_AFTER:
            time.sleep(3600)
        return [asked]


def _drawn(folder: Path, of: Any) -> str:
    """Write three small frames that follow from a value, and return the file."""
    digest = hashlib.sha256(repr(of).encode()).hexdigest()
    frames = np.random.default_rng(int(digest[:8], 16)).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    path = folder / f"{secrets.token_hex()}.mp4"
    write_preview(Clip(frames, Fraction(8)), path)
    return str(path)
