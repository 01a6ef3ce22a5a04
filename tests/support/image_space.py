"""An image Space on loopback: a few lines of Gradio that draw with Stable Diffusion."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.fresh_process import forked

STEPS, SIZE, GUIDANCE = 3, 64, 7.5


@contextmanager
def image_space(checkpoint: Path, folder: Path) -> Iterator[str]:
    """Serve a checkpoint at `/image` and, with two pictures of one generator, at `/gallery`; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = forked(serve, listener, checkpoint, folder)
        try:
            urllib.request.urlopen(f"{url}/config", timeout=120).close()  # noqa: S310 - loopback
            yield url
        finally:
            process.kill()
            process.join()


def serve(listener: socket.socket, checkpoint: Path, folder: Path) -> None:
    """Serve the app on an open socket, for as long as the process lives."""
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(folder)}
    silence = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(silence, number)
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import fastapi
    import gradio
    import torch
    import uvicorn
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(checkpoint, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)

    def draw(prompt: str, seed: float, count: int = 1) -> Any:
        return pipeline(
            prompt,
            num_inference_steps=STEPS,
            height=SIZE,
            width=SIZE,
            guidance_scale=GUIDANCE,
            num_images_per_prompt=count,
            generator=torch.Generator().manual_seed(int(seed)),
        ).images

    def image(prompt: str, seed: float) -> Any:
        return draw(prompt, seed)[0], int(seed)

    def gallery(prompt: str, seed: float) -> Any:
        return [(picture, f"number {n}") for n, picture in enumerate(draw(prompt, seed, 2))]

    with gradio.Blocks() as demo:
        prompt, seed = gradio.Textbox(), gradio.Number()
        gradio.Button().click(image, [prompt, seed], [gradio.Image(), gradio.Number()], api_name="image")
        gradio.Button().click(gallery, [prompt, seed], gradio.Gallery(), api_name="gallery")
    app = gradio.mount_gradio_app(fastapi.FastAPI(), demo, path="/", ssr_mode=False)
    uvicorn.Server(uvicorn.Config(app, fd=listener.fileno(), log_level="critical")).run()
