from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio
import numpy as np
import pytest

from spacediff.clip import Clip, write_lossless, write_preview
from spacediff.inputs.files import Input
from spacediff.sources import Produced
from spacediff.sources.space import fetch
from support.gradio_servers import SpaceApp, canary, space_app
from support.space_requests import PROMPT, Ask, RememberingListener, request_of
from support.tiny_wan import save_wan


@pytest.fixture(scope="module")
def requests_elsewhere() -> Iterator[tuple[str, list[bytes]]]:
    with canary() as address_and_requests:
        yield address_and_requests


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, requests_elsewhere: tuple[str, list[bytes]]) -> Iterator[SpaceApp]:
    folder = tmp_path_factory.mktemp("hosted")
    frames = np.random.default_rng(0).integers(0, 255, (9, 32, 48, 3), dtype=np.uint8)
    clip = Clip(frames, Fraction(8))
    write_preview(clip, folder / "clip.mp4")
    whole = (folder / "clip.mp4").read_bytes()
    (folder / "odd name %2e%2e;`x`#?.mp4").write_bytes(whole)
    imageio.mimwrite(folder / "index at its end.mp4", list(frames), fps=8)
    (folder / "broken.mp4").write_bytes((folder / "index at its end.mp4").read_bytes()[:3000])
    (folder / "page.mp4").write_text("<html>not a video</html>")
    (folder / "empty.mp4").write_bytes(b"")
    write_lossless(clip, folder / "clip.mkv")
    (folder / "clip.mkv").rename(folder / "mkv in truth.webm")
    with space_app(folder, requests_elsewhere[0]) as running:
        yield running


@pytest.fixture(scope="session")
def wan_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Wan checkpoint."""
    return save_wan(tmp_path_factory.mktemp("models") / "wan")


@pytest.fixture
def ask(app: SpaceApp, tmp_path: Path) -> Ask:
    def fetched(
        name: str,
        *,
        prompt: str = PROMPT,
        seed: int = 42,
        progress: RememberingListener | None = None,
        files: Sequence[Input] = (),
        private: bool = False,
        **changes: Any,
    ) -> Produced:
        request, listener = request_of(app, name, **changes), progress or RememberingListener()
        return fetch(request, prompt, seed, tmp_path, listener, inputs=files, private=private)

    return fetched
