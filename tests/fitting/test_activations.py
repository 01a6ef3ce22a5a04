from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.fitting import activations
from spacediff.fitting.activations import Activations, Call, measure
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint

CALL = Call({"num_frames": 9, "height": 32, "width": 48, "num_inference_steps": 50}, {})


@pytest.mark.slow
def test_the_process_measures_a_checkpoint() -> None:
    found = measure(ensure_checkpoint(RANDOM), [CALL], dtype="bfloat16", device=None)
    (call,) = found.calls
    assert isinstance(call, Activations)
    assert call.clip == (9, 32, 48)
    assert found.memory is None


def test_a_process_that_fails_or_hangs_leaves_the_need_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "missing"))
    (reason,) = measure(tmp_path, [CALL], dtype=None, device=None).calls
    assert isinstance(reason, str)
    assert "FileNotFoundError" in reason
    sleeper = tmp_path / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n", "utf-8")
    sleeper.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(sleeper))
    monkeypatch.setattr(activations, "_SECONDS", 0.2)
    assert measure(tmp_path, [CALL], dtype=None, device=None).calls == ("it takes longer than 0.2 s",)


def test_a_decoding_that_was_cut_off_gets_room_for_the_clip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = {"peaks": {"vae": 1000}, "latents": 5, "clip": [1, 3, 9, 32, 48], "cut_off": False}
    cut = {"peaks": {"vae": 100}, "latents": 5, "clip": [], "cut_off": True}
    monkeypatch.setattr(activations, "_answer", lambda _: {"calls": [whole, cut]})
    _, found = measure(tmp_path, [CALL, CALL], dtype="bfloat16", device=None).calls
    assert found == Activations({"vae": 100 + 2 * 3 * 9 * 32 * 48 * 2}, 5, (9, 32, 48))
