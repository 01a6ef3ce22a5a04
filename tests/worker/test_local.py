from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import DoesNotFit
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.local.loading.checkpoints import Checkpoints
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker.local import LocalWorker


@pytest.mark.parametrize("fits", [True, False])
def test_what_will_be_refused_is_not_loaded_ahead(fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    loaded: list[object] = []

    def refuse(_: Run) -> None:
        raise DoesNotFit("the weights alone need more")

    monkeypatch.setattr(Checkpoints, "load", lambda _, settings: loaded.append(settings))
    if not fits:
        monkeypatch.setattr("spacediff.worker.local.refuse_what_cannot_fit", refuse)
    settings = Settings.of({"model": {"id": RANDOM.id}, "placement": "cpu"}, Origin.DECLARED)
    LocalWorker({}, ends=tmp_path).prepare(Run("a", Role.VARIANT, Prompt("p", "", 1), "diffusers", settings))
    assert bool(loaded) is fits
