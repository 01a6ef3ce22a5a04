"""Requests to the stand-in for a Space, and helpers for their results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from spacediff.errors import Exit, NotMeasuredError
from spacediff.sources import Produced
from spacediff.sources.space import SpaceRequest
from support.gradio_servers import SpaceApp

TOKEN = "hf_" + "PlantedToBeFoundNowhere0123456789"


PROMPT = "A hand squeezes half a lemon"


BOTH = {"video": 0, "seed": 1}


class RememberingListener:
    """A Progress that remembers its calls, and can interrupt."""

    def __init__(self, at_step: Callable[[], None] = lambda: None) -> None:
        self.texts: list[str] = []
        self.steps: list[tuple[int, int]] = []
        self.at_step = at_step

    def on_status(self, text: str) -> None:
        self.texts.append(text)

    def on_step(self, done: int, total: int) -> None:
        self.steps.append((done, total))
        self.at_step()


Ask = Callable[..., Produced]


def request_of(app: SpaceApp, name: str, **changes: Any) -> SpaceRequest:
    seed = "seed" if name in ("slow", "defaults", "image_to_video") else "seed_value"
    plainly = SpaceRequest(app.url, f"/{name}", {"prompt": "{prompt}", seed: "{seed}"}, {"video": 0}, deadline=30)
    return replace(plainly, **changes)


def refused(ask: Ask, name: str, kind: type[NotMeasuredError], **changes: Any) -> NotMeasuredError:
    with pytest.raises(NotMeasuredError) as caught:
        ask(name, **changes)
    assert type(caught.value) is kind
    assert caught.value.exit_code is Exit.NOT_MEASURED
    return caught.value


def eventually(holds: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 30
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
