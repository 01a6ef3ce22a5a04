"""What is kept in the cache folder is shown, and only what spacediff has made is removed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.errors import Exit
from spacediff.kept import Kind, kept, prune
from spacediff.reporting import templates
from spacediff.tiny.checkpoint import TRAINED, folder_name

OF_NO_USE = f"{templates.PREFIX}{0:016x}"
"""Folder of what another version compiled."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fill a cache folder with a part of each kind, an old draft, and what belongs to others."""
    place = tmp_path / "cache"
    parts = folder_name(TRAINED), "tiny-cogvideox-1-old", ".draft-new", ".draft-old", "environments/ab12ab12ab12"
    compiled = OF_NO_USE, templates.folder_name()
    for name in (*parts, *compiled, "environments/locks", "mine"):
        (place / name / "inside").mkdir(parents=True)
        (place / name / "inside" / "file").write_bytes(bytes(1000))
    (place / "note.txt").write_text("mine")
    (place / "tiny-link").symlink_to(place / "mine")
    os.utime(place / ".draft-old", (0, 0))
    monkeypatch.setenv("SPACEDIFF_CACHE", str(place))
    return place


def test_each_part_has_its_kind_size_and_whether_it_is_of_use(cache: Path) -> None:
    assert [(each.path.name, each.kind, each.size, each.of_use) for each in kept()] == [
        ("tiny-cogvideox-1-old", Kind.CHECKPOINT, 1000, False),
        (folder_name(TRAINED), Kind.CHECKPOINT, 1000, True),
        ("ab12ab12ab12", Kind.ENVIRONMENT, 1000, True),
        (OF_NO_USE, Kind.TEMPLATES, 1000, False),
        (templates.folder_name(), Kind.TEMPLATES, 1000, True),
        (".draft-new", Kind.DRAFT, 1000, True),
        (".draft-old", Kind.DRAFT, 1000, False),
    ]
    assert kept(cache / "nowhere") == []


def test_only_what_is_of_no_use_is_removed_unless_all_is_asked_for(cache: Path) -> None:
    assert {each.path.name for each in prune(kept())} == {"tiny-cogvideox-1-old", ".draft-old", OF_NO_USE}
    assert len(prune(kept(), everything=True)) == 4
    assert kept() == []
    assert sorted(each.name for each in cache.iterdir()) == ["environments", "mine", "note.txt", "tiny-link"]
    assert (cache / "mine" / "inside" / "file").exists()


def test_the_command_shows_and_removes(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "--json"]) == Exit.GATE_PASSED
    assert sum(part["size"] for part in json.loads(capsys.readouterr().out)) == 7000
    assert main(["cache"]) == Exit.GATE_PASSED
    shown = capsys.readouterr().out
    assert str(cache) in shown
    assert "tiny-cogvideox-1-old, of no use any more" in shown
    assert main(["cache", "--prune"]) == Exit.GATE_PASSED
    removed = capsys.readouterr().out
    assert removed.startswith("removed ")
    assert folder_name(TRAINED) not in removed
    assert main(["cache", "--all"]) == Exit.BAD_INPUT
    assert len(kept()) == 4
