"""A real Gradio server that stands in for a Space, a relay that can be cut, and a canary that only listens.

The server runs in a process of its own: Gradio leaves event loops unclosed, which the tests' own process forbids.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from support.fresh_process import forked

STEP_SECONDS = 0.05
HOSTILE_LABEL = "<b>seed</b>\x1b[31m"


@dataclass(frozen=True)
class SpaceApp:
    """A running app: its address, and the folder of its files."""

    url: str
    folder: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def seen(self) -> dict[str, list[Any]]:
        """Return `calls` (endpoint and arguments as the functions got them), `ended` and `tokens` (headers)."""
        with urllib.request.urlopen(f"{self.url}/seen") as response:  # noqa: S310 - loopback
            return dict(json.load(response))


@contextmanager
def space_app(folder: Path, elsewhere: str) -> Iterator[SpaceApp]:
    """Serve an app whose endpoints answer in all the ways that Spaces do.

    Args:
        folder: Holds `clip.mp4`; files beside it are served as well.
        elsewhere: Address of another host, to which the hostile endpoints point.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = forked(serve, listener, folder, elsewhere)
        try:
            # The listener is open already, so this waits until the app answers.
            urllib.request.urlopen(f"{url}/seen", timeout=60).close()  # noqa: S310 - loopback
            yield SpaceApp(url, folder)
        finally:
            process.kill()
            process.join()


def serve(listener: socket.socket, folder: Path, elsewhere: str) -> None:
    """Serve the app on an open socket, for as long as the process lives."""
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(folder / "cache")}
    silence = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(silence, number)
    import fastapi
    import gradio
    import uvicorn

    seen: dict[str, list[Any]] = {"calls": [], "ended": [], "tokens": []}
    app = fastapi.FastAPI()

    @app.middleware("http")
    async def record(
        request: fastapi.Request, call_next: Callable[[fastapi.Request], Awaitable[fastapi.Response]]
    ) -> fastapi.Response:
        seen["tokens"] += [value for name, value in request.headers.items() if "authorization" in name]
        return await call_next(request)

    @app.get("/seen")
    def show_seen() -> dict[str, list[Any]]:
        return seen

    @app.get("/leave")
    def leave() -> fastapi.Response:
        return fastapi.responses.RedirectResponse(f"{elsewhere}/clip.mp4")

    @app.get("/half")
    def half() -> fastapi.Response:
        content = (folder / "clip.mp4").read_bytes()
        return fastapi.responses.StreamingResponse(iter([content[:500]]), headers={"content-length": "9000"})

    demo = _blocks(folder, elsewhere, seen)
    app = gradio.mount_gradio_app(app, demo, path="/", allowed_paths=[str(folder)], ssr_mode=False)
    uvicorn.Server(uvicorn.Config(app, fd=listener.fileno(), log_level="critical")).run()


def _blocks(folder: Path, elsewhere: str, seen: dict[str, list[Any]]) -> Any:
    import gradio

    clip = str(folder / "clip.mp4")
    with gradio.Blocks() as demo:
        prompt, seed = gradio.Textbox(label="prompt"), gradio.Number(label="seed", precision=0)
        video, number = gradio.Video(label="clip"), gradio.Number(label="seed used")
        table, text, file = gradio.JSON(label="result"), gradio.Textbox(label="log"), gradio.File(label="download")

        def offer(name: str, answer: Callable[[str, int], Any], *outputs: Any) -> None:
            def run(prompt: str, seed_value: int) -> Any:
                seen["calls"].append((name, prompt, seed_value))
                return answer(prompt, seed_value)

            gradio.Button().click(run, [prompt, seed], list(outputs), api_name=name)

        offer("plain", lambda _, seed: (clip, seed), video, number)
        offer("single", lambda *_: clip, video)
        offer("other_seed", lambda *_: (clip, 7), video, number)
        offer("text_back", lambda prompt, seed: (clip, seed, prompt), video, number, text)
        offer("own_way", lambda prompt, _: (clip, 7, f"{prompt}, cinematic"), video, number, text)
        offer("enhanced", lambda prompt, seed: (clip, seed, f"{prompt}, cinematic\x1b[31m"), video, number, text)
        offer("update", lambda _, seed: (gradio.update(value=clip), gradio.update(value=seed)), video, number)
        offer("hidden", lambda _, seed: (gradio.update(visible=False), seed), video, number)
        offer("older", lambda _, seed: ({"video": clip, "subtitles": None}, f" {seed} "), table, text)
        older_file = {"video": {"path": clip, "orig_name": "clip.mp4"}, "subtitles": None}
        offer("older_file", lambda _, seed: (older_file, f"{seed}.0"), table, text)
        older_update = {"__type__": "update", "value": {"video": {"name": clip, "is_file": True}}}
        offer("older_update", lambda *_: (older_update, {"__type__": "update", "value": [42.0]}), table, table)
        offer("in_a_list", lambda _, seed: ([clip], [seed]), table, table)
        offer("two_in_a_list", lambda *_: ([clip, clip], [1, 2]), table, table)
        offer("path_as_text", lambda _, seed: (clip, seed), text, number)
        offer("as_file", lambda _, seed: (clip, seed), file, number)
        offer("relative_url", lambda _, seed: ({"url": f"/gradio_api/file={clip}"}, seed), table, number)
        offer("text", lambda *_: ("nothing to see", "forty-two"), text, text)
        offer("nothing", lambda *_: (None, None), video, number)
        offer("not_given_out", lambda *_: "/etc/hostname.mp4", text)
        offer("elsewhere", lambda *_: {"path": f"{elsewhere}/clip.mp4"}, table)
        offer("stream_elsewhere", lambda *_: {"url": f"{elsewhere}/clip.mp4", "is_stream": True}, table)
        offer("leave", lambda *_: {"url": "/leave"}, table)
        offer("half", lambda *_: {"url": "/half"}, table)
        offer("file_named", lambda prompt, _: str(folder / prompt), text)

        def fail(prompt: str, seed_value: int) -> Any:
            raise gradio.Error(prompt) if seed_value else ValueError(prompt)

        offer("fails", fail, video)

        _offer_odd_inputs(clip, [prompt, seed], [video, number], seen)
        _offer_pictures(offer, table, text)
    return demo


def drawn(seed: int) -> Any:
    """Draw the picture that the app gives for a seed, uint8 `[48, 64, 3]`."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(small).resize((64, 48), PIL.Image.Resampling.BICUBIC))


def _offer_pictures(offer: Callable[..., None], table: Any, text: Any) -> None:
    """Offer what image Spaces answer with: an image, galleries, files, an animation."""
    import gradio

    image, png = gradio.Image(label="image"), gradio.Image(label="png", format="png")
    gallery, files = gradio.Gallery(label="gallery"), gradio.File(label="files", file_count="multiple")

    def saved(seed: int, suffix: str) -> str:
        path = Path(os.environ["GRADIO_TEMP_DIR"]) / f"{seed}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        PIL.Image.fromarray(drawn(seed)).save(path)
        return str(path)

    def animated(seed: int) -> str:
        path = Path(os.environ["GRADIO_TEMP_DIR"]) / f"{seed}.gif"
        first, *others = (PIL.Image.fromarray(drawn(seed + n)) for n in range(3))
        path.parent.mkdir(exist_ok=True)
        first.save(path, save_all=True, append_images=others, duration=100)
        return str(path)

    def inlined(seed: int) -> str:
        return "data:image/png;base64," + base64.b64encode(Path(saved(seed, "png")).read_bytes()).decode()

    offer("image", lambda _, seed: drawn(seed), image)
    offer("image_png", lambda _, seed: drawn(seed), png)
    offer("image_gif", lambda _, seed: animated(seed), image)
    offer("gallery", lambda _, seed: [drawn(seed), drawn(seed + 1)], gallery)
    offer("gallery_captions", lambda _, seed: [(drawn(seed), "one"), (drawn(seed + 1), "two")], gallery)
    offer("files", lambda _, seed: [saved(seed, "png"), saved(seed + 1, "jpg")], files)
    offer("inline", lambda _, seed: inlined(seed), text)
    offer("older_gallery", lambda _, seed: [[inlined(seed), "one"], [inlined(seed + 1), None]], table)


def _offer_odd_inputs(clip: str, asked: list[Any], given_back: list[Any], seen: dict[str, list[Any]]) -> None:
    import gradio

    prompt, seed = asked
    video, number = given_back

    def defaults(prompt: str, seed: int, guidance_scale: float, headers: str, label: str) -> Any:
        seen["calls"].append(("defaults", prompt, seed, guidance_scale, headers, label))
        return clip, seed

    given = [gradio.Number(7.0), gradio.Textbox("as it is"), gradio.Textbox(HOSTILE_LABEL)]
    hostile = gradio.Number(label=HOSTILE_LABEL)
    gradio.Button().click(defaults, [prompt, seed, *given], [video, hostile], api_name="defaults")

    def randomised(prompt: str, seed: int, randomize_seed: bool) -> Any:  # noqa: FBT001 - Gradio's way
        seen["calls"].append(("randomised", prompt, seed, randomize_seed))
        return clip, 7 if randomize_seed else seed

    switch = gradio.Checkbox(value=True, label="Randomize seed")
    gradio.Button().click(randomised, [prompt, seed, switch], [video, number], api_name="randomised")

    def silent(prompt: str, seed: int, randomize_seed: bool) -> Any:  # noqa: FBT001 - Gradio's way
        return randomised(prompt, seed, randomize_seed)[0]

    gradio.Button().click(silent, [prompt, seed, switch], video, api_name="randomised_silent")

    def image_to_video(prompt: str, image: Any, seed: int) -> Any:
        seen["calls"].append(("image_to_video", prompt, image, seed))
        return clip

    inputs = [prompt, gradio.Image(label="first frame"), seed]
    gradio.Button().click(image_to_video, inputs, video, api_name="image_to_video")

    _offer_uploads(seed, video, seen)

    def slow(prompt: str, seed: int, progress: Any = gradio.Progress()) -> Iterator[Any]:  # noqa: B008 - Gradio's way
        seen["calls"].append(("slow", prompt, seed))
        for step in range(seed):
            progress((step, seed), desc="\x1b[31mdenoising")
            time.sleep(STEP_SECONDS)
            yield None, step
        seen["ended"].append(prompt)
        yield clip, seed

    gradio.Button().click(slow, [prompt, seed], [video, number], api_name="slow", concurrency_limit=1)


def _offer_uploads(seed: Any, video: Any, seen: dict[str, list[Any]]) -> None:
    """Offer endpoints that take files, and note the SHA-256 and the name of each that came."""
    import gradio

    clip = str(Path(os.environ["GRADIO_TEMP_DIR"]).parent / "clip.mp4")

    def came(file: Any) -> list[Any]:
        files = [one[0] if isinstance(one, tuple) else one for one in (file if isinstance(file, list) else [file])]
        return [[hashlib.sha256(Path(one).read_bytes()).hexdigest(), Path(one).name] for one in files]

    def offer(name: str, component: Any, of: Callable[[Any], list[Any]] = came) -> None:
        def run(file: Any, seed_value: int) -> Any:
            seen["calls"].append((name, of(file), seed_value))
            return clip

        gradio.Button().click(run, [component, seed], video, api_name=name)

    def layers(edited: Any) -> list[Any]:
        return [list(edited["background"].shape), [list(layer.shape) for layer in edited["layers"]]]

    offer("take_picture", gradio.Image(type="filepath"))
    offer("take_video", gradio.Video())
    offer("take_files", gradio.File(file_count="multiple"))
    offer("take_gallery", gradio.Gallery(type="filepath"))
    offer("take_editor", gradio.ImageEditor(type="numpy", image_mode="RGB"), layers)


@dataclass
class Relay:
    """Passes bytes on to a server until it is cut."""

    url: str
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def cut(self, *, reset: bool) -> None:
        """End all connections, like a server that crashes (reset) or one that is stopped."""
        for near, far in self._pairs:
            with suppress(OSError):
                if reset:
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    near.shutdown(socket.SHUT_RDWR)
            near.close()
            far.close()


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    """Serve a relay to a loopback port."""
    listener = socket.create_server(("127.0.0.1", 0))
    passing = Relay(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", port))
                passing._pairs.append((near, far))
                threading.Thread(target=_pass_on, args=(near, far), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield passing
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        passing.cut(reset=False)


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while True:
            for end in select.select([near, far], [], [], 0.05)[0]:
                content = end.recv(65536)
                if not content:
                    near.close()
                    far.close()
                    return
                (far if end is near else near).sendall(content)


@contextmanager
def canary() -> Iterator[tuple[str, list[bytes]]]:
    """Serve an address that must receive no request; yields the address and the received bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def listen() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with caller:
                    received.append(caller.recv(65536))

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
