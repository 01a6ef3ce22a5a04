"""What templates compile to is kept in the cache folder, and taken from there only for the same source."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.reporting.templates import escaping_environment, folder_name


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


@pytest.mark.parametrize("content", [b"", b"j2", None], ids=["empty", "cut off", "a half"])
def test_a_damaged_file_is_compiled_again(place: Path, content: bytes | None) -> None:
    drawn(place)
    (kept,) = (place / "cache" / folder_name()).iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert drawn(place) == "&lt;b&gt;, once"
    assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_pages_are_drawn(place: Path) -> None:
    (place / "cache").write_text("a file, where the folder belongs")
    assert drawn(place) == "&lt;b&gt;, once"
