"""A Space like the public CogVideoX-5B demo, serving the tiny checkpoint: `python -m spacediff.tiny.space_app`.

It represents independent code, so it shares nothing with the sources that are compared with it: plain diffusers, plain
Gradio. Its endpoint, its outputs and its settings are those of the demo
(huggingface.co/spaces/zai-org/CogVideoX-5B-Space): the stochastic DPM scheduler with trailing timesteps, dynamic
guidance of scale 7, a CPU generator, everything on one device, which is the CPU unless another is given. The demo
computes in bfloat16, which most CPUs do many times slower than float32; so this one computes in float32.

It listens on loopback only, prints `READY http://127.0.0.1:PORT` and runs until its stdin ends. The process that
started it keeps the pipe open; when that process ends for any reason, the Space reads end of file and exits.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

CHECKPOINT = "builtin:tiny-cogvideox"
STEPS = 50  # as in the demo; a clip then takes about a second on two cores
DEVICE = "cpu"  # the demo has a GPU; this Space is compared with runs on a CPU, which every machine has
GUIDANCE_SCALE = 7.0
MAX_PROMPT = 2000  # characters; the demo asks for fewer than 200 words
PORT_ATTEMPTS = 5  # a different process may take a free port before Gradio opens it


def main() -> None:
    """Serve until stdin ends."""
    options = _options()
    scratch = Path(tempfile.mkdtemp(prefix=scratch_prefix(os.getpid())))
    _exit_with_parent(scratch)
    _isolate(scratch)
    # Libraries print to stdout; ours has only one line, for the process that waits for it.
    announcements = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        app = build_app(load_pipeline(options.checkpoint, options.device), options.steps, scratch)
        if options.probed:
            attach_probe(app, scratch)
        os.chdir(scratch)  # Gradio serves files of the working directory
        port = _launch(app, options.port)
        print(f"READY http://127.0.0.1:{port}", file=announcements, flush=True)
        while True:  # Windows lets no signal end a wait without a limit
            time.sleep(1)


def scratch_prefix(process_id: int) -> str:
    """Return the prefix of the temporary folder of the Space with this process id, for cleaning up after a kill."""
    return f"spacediff-tiny-space-{process_id}-"


def load_pipeline(checkpoint: str, device: str) -> Any:
    """Load one of the tiny checkpoints as the demo does, onto a device."""
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import torch
    from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline

    from spacediff.tiny.checkpoint import BUILTIN, ensure_checkpoint

    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(BUILTIN[checkpoint]), torch_dtype=torch.float32)
    pipe.to(device)
    pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
    return pipe


def build_app(pipe: Any, steps: int, scratch: Path) -> Any:
    """Build the Gradio app around a pipeline; it writes its files to `scratch`."""
    import gradio as gr

    def generate(  # noqa: PLR0917 - the demo's endpoint, whose clients pass arguments by these names
        prompt: str,
        image_input: Any,
        video_input: str | None,
        video_strength: float,  # noqa: ARG001 - part of the endpoint, used with a video only
        seed_value: float,
        scale_status: bool,  # noqa: FBT001
        rife_status: bool,  # noqa: FBT001
        progress: Any = gr.Progress(track_tqdm=True),  # noqa: ARG001, B008 - how Gradio follows the steps
    ) -> tuple[str, Any, Any, Any]:
        if image_input is not None or video_input is not None:
            raise gr.Error("The tiny model generates from text only: leave the image and the video empty.")
        if scale_status or rife_status:
            raise gr.Error("Super-resolution and frame interpolation are not available in the tiny Space.")
        if len(prompt) > MAX_PROMPT:
            raise gr.Error(f"The prompt has {len(prompt)} characters; the maximum is {MAX_PROMPT}.")
        seed = _seed(seed_value)
        if seed is None:
            raise gr.Error("The seed must be -1 for a random one, or a whole number from 0 to 2**63 - 1.")
        video, gif = infer(pipe, prompt, seed, steps, scratch)
        return (
            str(video),
            gr.update(visible=True, value=str(video)),
            gr.update(visible=True, value=str(gif)),
            gr.update(visible=True, value=seed),
        )

    with gr.Blocks(title="CogVideoX, tiny", analytics_enabled=False) as app:
        gr.Markdown("# CogVideoX, tiny\nA tiny model behind the interface of the CogVideoX-5B demo.")
        with gr.Row():
            with gr.Column():
                with gr.Accordion("Image to video (not served by the tiny model)", open=False):
                    image = gr.Image(label="Image")
                with gr.Accordion("Video to video (not served by the tiny model)", open=False):
                    video = gr.Video(label="Video")
                    strength = gr.Slider(0.1, 1.0, value=0.8, step=0.01, label="Strength")
                prompt = gr.Textbox(label="Prompt", lines=5)
                seed = gr.Number(label="Seed (-1 for a random one)", value=-1)
                scale = gr.Checkbox(label="Super-resolution", value=False)
                rife = gr.Checkbox(label="Frame interpolation", value=False)
                button = gr.Button("Generate")
            with gr.Column():
                shown = gr.Video(label="Video")
                video_file = gr.File(label="Video file", visible=False)
                gif_file = gr.File(label="GIF file", visible=False)
                used_seed = gr.Number(label="Seed that was used", visible=False)
        button.click(
            generate,
            inputs=[prompt, image, video, strength, seed, scale, rife],
            outputs=[shown, video_file, gif_file, used_seed],
        )
    return app.queue(max_size=15)


def attach_probe(app: Any, folder: Path) -> None:
    """Put the probe next to the app, and attach it with the two lines that a Space has."""
    from spacediff.recordings.probe_file import write_probe

    tempfile.tempdir = str(folder)  # so that it is removed with everything else, however this process ends
    write_probe(folder / "spacediff_probe.py")
    sys.path.insert(0, str(folder))
    importlib.import_module("spacediff_probe").attach(app)


def infer(pipe: Any, prompt: str, seed: int, steps: int, scratch: Path) -> tuple[Path, Path]:
    """Generate a clip; return the paths of its MP4 and its GIF."""
    import torch
    from diffusers.image_processor import VaeImageProcessor
    from diffusers.utils import export_to_gif, export_to_video

    frames = pipe(
        prompt=prompt,
        num_videos_per_prompt=1,
        num_inference_steps=steps,
        use_dynamic_cfg=True,
        output_type="pt",
        guidance_scale=GUIDANCE_SCALE,
        generator=torch.Generator(device="cpu").manual_seed(seed),
    ).frames[0]
    pictures = VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(frames))
    folder = Path(tempfile.mkdtemp(dir=scratch))
    fps = math.ceil((len(pictures) - 1) / 6)  # every clip of the demo plays for six seconds
    video = export_to_video(pictures, str(folder / "video.mp4"), fps=fps)
    gif = export_to_gif(pictures, str(folder / "video.gif"), fps=8)
    return Path(video), Path(gif)


def _seed(value: float | None) -> int | None:
    """Return the seed to use: for -1 one of 256, as in the demo; None if the value is not a valid seed."""
    if value is None or not math.isfinite(value) or value != int(value):
        return None
    if value == -1:
        return random.randint(0, 2**8 - 1)  # noqa: S311 - not a secret
    return int(value) if 0 <= value < 2**63 else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m spacediff.tiny.space_app", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"denoising steps of a clip (default: {STEPS})")
    parser.add_argument("--checkpoint", default=CHECKPOINT, help=f"checkpoint to serve (default: {CHECKPOINT})")
    parser.add_argument("--device", default=DEVICE, help=f"torch device that it computes on (default: {DEVICE})")
    parser.add_argument("--probed", action="store_true", help="record its calls, as `spacediff probe` writes it")
    return parser.parse_args()


def _exit_with_parent(scratch: Path) -> None:
    """Exit and remove our files when stdin ends or a signal arrives."""

    def leave(*_: object) -> NoReturn:
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(0)  # at once: a running generation would delay a normal exit

    # On Windows a library that looks at stdin while it is imported waits for a read of it, so for ever:
    # https://github.com/numpy/numpy/issues/24290
    parent, nothing = os.dup(sys.stdin.fileno()), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)

    def wait_for_end() -> None:
        while os.read(parent, 4096):
            pass
        leave()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    threading.Thread(target=wait_for_end, daemon=True).start()


def _isolate(scratch: Path) -> None:
    """Keep Gradio and the Hub client away from the network, from the user's settings, and from other folders."""
    for name in [name for name in os.environ if name.startswith("GRADIO_") or name == "SPACE_ID"]:
        del os.environ[name]
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",  # includes the check for a newer version
        "GRADIO_TEMP_DIR": str(scratch / "gradio"),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1,localhost",  # Gradio calls itself to check that it is running
        "no_proxy": "127.0.0.1,localhost",
    }


def _launch(app: Any, port: int) -> int:
    for attempts_left in reversed(range(PORT_ATTEMPTS)):
        try:
            _, url, _ = app.launch(
                server_name="127.0.0.1",
                server_port=port or _free_port(),
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                ssr_mode=False,
                mcp_server=False,
                inbrowser=False,
            )
        except OSError:
            if port or not attempts_left:
                raise
        else:
            return int(url.rstrip("/").rpartition(":")[2])
    raise AssertionError  # the last attempt returns or raises


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
