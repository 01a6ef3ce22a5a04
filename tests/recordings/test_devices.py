"""Devices by the names that scripts, torch and scenarios have for them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from spacediff.settings import Origin, Settings
from spacediff.sources.script import _not_in_force
from spacediff.watch.generators import generator_of


@pytest.mark.parametrize(
    ("asked", "observed", "wrong"),
    [
        ("cuda:0", "cuda", False),
        ("cuda", "cuda:1", False),
        ("cuda:1", "cuda:1", False),
        ("cuda:1", "cuda", True),
        ("cuda:0", "cuda:1", True),
        ("cpu", "cuda", True),
    ],
)
@pytest.mark.parametrize("path", ["placement", "rng.device"])
def test_a_device_is_in_force_by_any_of_its_names(path: str, asked: str, observed: str, *, wrong: bool) -> None:
    wanted = Settings.of({path: asked}, Origin.DECLARED)
    assert list(_not_in_force(wanted, {path: observed}, [path])) == ([path] if wrong else [])


@pytest.mark.parametrize(("device", "said"), [("cuda:0", "cuda"), ("cuda:1", "cuda:1"), ("cpu", "cpu")])
def test_a_generator_is_on_a_device_with_its_number(device: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("spacediff.watch.generators.is_fresh", lambda _: True)
    real: Any = torch.Generator()
    there = SimpleNamespace(device=torch.device(device), initial_seed=lambda: 1, get_state=real.get_state)
    assert generator_of(None, {"generator": there})["device"] == said
