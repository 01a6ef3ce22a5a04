"""What templates compile to is kept in the cache folder, and taken from there only for the same source."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from spacediff.reporting.templates import escaping_environment, folder_name, plain_environment


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPACEDIFF_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.html.j2").write_text("{{ text }}, once")
    return tmp_path


def drawn(place: Path) -> str:
    return escaping_environment(place).get_template("a.html.j2").render(text="<b>")


def test_a_template_is_compiled_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(place) == "&lt;b&gt;, once"
    assert len(list((place / "cache" / folder_name()).iterdir())) == 1
    monkeypatch.setattr("jinja2.Environment.compile", lambda *_: pytest.fail("it was compiled again"))
    assert drawn(place) == "&lt;b&gt;, once"


def test_a_changed_template_is_compiled_again(place: Path) -> None:
    drawn(place)
    (place / "a.html.j2").write_text("{{ text }}, changed")
    assert drawn(place) == "&lt;b&gt;, changed"


def test_a_file_that_is_cut_anywhere_is_compiled_again(place: Path) -> None:
    drawn(place)
    (kept,) = (place / "cache" / folder_name()).iterdir()
    whole = kept.read_bytes()
    for length in (*range(0, 160, 8), len(whole) // 2, len(whole) - 1):
        kept.write_bytes(whole[:length])
        assert drawn(place) == "&lt;b&gt;, once"
        assert kept.read_bytes() == whole
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert drawn(place) == "&lt;b&gt;, once"


def test_what_one_environment_compiled_is_not_drawn_by_another(place: Path) -> None:
    assert plain_environment(place).get_template("a.html.j2").render(text="<b>") == "<b>, once"
    assert drawn(place) == "&lt;b&gt;, once"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_code_is_taken_only_from_a_folder_of_the_users_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn(place)
    folder = place / "cache" / folder_name()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    compiled: list[object] = []
    as_usual = Environment.compile

    def watched(self: Environment, *given: Any) -> Any:
        compiled.append(given[0])
        return as_usual(self, *given)

    monkeypatch.setattr(Environment, "compile", watched)
    assert drawn(place)
    assert not compiled
    folder.chmod(0o777)
    assert drawn(place)
    assert len(compiled) == 1, "others could have written it"
    folder.chmod(0o700)
    monkeypatch.chdir(place)
    monkeypatch.setenv("SPACEDIFF_CACHE", "cache")
    assert drawn(place)
    assert len(compiled) == 2, "the folder is that of the working directory, which may come from anybody"


def test_where_nothing_can_be_kept_pages_are_drawn(place: Path) -> None:
    (place / "cache").write_text("a file, where the folder belongs")
    assert drawn(place) == "&lt;b&gt;, once"
