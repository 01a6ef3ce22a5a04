from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.clip import write_preview
from spacediff.errors import DoesNotFit
from spacediff.executor import executor_for
from spacediff.progress import SilentListener
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.local.loading.checkpoints import Checkpoints
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker.local import LocalWorker
from support.clips import moving_ball


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


def test_files_are_read_before_anything_asks_what_this_machine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def described(*, computing: bool) -> dict[str, str]:
        asked.append(computing)
        return {"python": "3"}

    monkeypatch.setattr("spacediff.worker.local.environment", described)
    write_preview(moving_ball(3), tmp_path / "clip.mp4")
    run = Run("a", Role.REFERENCE, Prompt("p", "", 1), "video", request={"file": str(tmp_path / "clip.mp4")})
    with executor_for([run], tmp_path) as executor:
        (record,) = executor.execute([run], Store(tmp_path), SilentListener())
        assert (record.measured, asked) == (True, [])
        assert executor.environment == {"python": "3"}
        assert asked == [False], "nothing is computed here"
