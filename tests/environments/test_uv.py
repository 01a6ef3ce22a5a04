"""Running uv: what it says is passed on, and it is not left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spacediff.environments import uv
from spacediff.environments.uv import run_uv
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import SilentListener
from support.needs_uv import NEEDS_UV


class Heard(SilentListener):
    def __init__(self) -> None:
        self.said: list[str] = []

    def on_status(self, text: str) -> None:
        self.said.append(text)


def as_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    program = folder / "uv"
    program.write_text(f"#!{sys.executable}\n{source}\n")
    program.chmod(0o755)
    monkeypatch.setattr(uv, "uv_program", lambda: str(program))


def test_without_uv_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(EnvironmentUnavailable, match="needs uv, which is not installed"):
        run_uv(["--version"], 5, SilentListener())


@NEEDS_UV
def test_what_uv_says_of_its_failure_is_in_the_error() -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"uv pip failed: .*nowhere\.in"):
        run_uv(["pip", "compile", "nowhere.in"], 30, SilentListener())


def test_one_that_hangs_is_stopped_at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_uv(tmp_path, monkeypatch, "import time; print('downloading torch', flush=True); time.sleep(60)")
    heard = Heard()
    with pytest.raises(EnvironmentUnavailable, match=r"had not ended after 0\.5 s"):
        run_uv(["pip"], 0.5, heard)
    assert heard.said == ["downloading torch"]


def test_ctrl_c_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_uv(tmp_path, monkeypatch, "import time; time.sleep(60)")

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uv, "raise_if_interrupted", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_uv(["pip"], 60, SilentListener())


def test_the_users_projects_do_not_change_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://example.org/simple")
    assert "PYTHONPATH" not in uv.environ()
    assert uv.environ()["UV_DEFAULT_INDEX"] == "https://example.org/simple"
