"""Files are written, moved and removed on every system, and the cache folder is where the user or the system says."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from spacediff import files
from spacediff.errors import FileNotAccessible
from spacediff.files import cache_dir, move, remove_file, remove_folder, write_atomically
from support.windows import WindowsFiles


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> WindowsFiles:
    return WindowsFiles(monkeypatch)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SPACEDIFF_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"SPACEDIFF_CACHE": "", "XDG_CACHE_HOME": "/b"}, "/b/spacediff"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/spacediff"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/of/tests/.cache/spacediff"),
        ({}, "/home/of/tests/.cache/spacediff"),
        ({"SPACEDIFF_CACHE": "~/c"}, "/home/of/tests/c"),
    ],
)
def test_the_cache_folder_follows_the_environment(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/of/tests")
    for name in ("SPACEDIFF_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_dir() == Path(expected)


def folder_with(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "file").write_text(content, "utf-8")
    return path


def test_a_move_waits_for_a_scanner(tmp_path: Path, windows: WindowsFiles) -> None:
    draft = folder_with(tmp_path / "draft", "new")
    windows.hold(draft, 3)
    move(draft, tmp_path / "place")
    assert (tmp_path / "place" / "file").read_text("utf-8") == "new"
    assert not draft.exists()


def test_a_written_file_replaces_one_that_is_being_read(tmp_path: Path, windows: WindowsFiles) -> None:
    path = tmp_path / "audit.json"
    path.write_text("old", "utf-8")
    windows.hold(path, 2)
    write_atomically(path, "new")
    assert path.read_text("utf-8") == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["audit.json"]


def test_the_wait_for_other_programs_ends(
    tmp_path: Path, windows: WindowsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.json"
    path.write_text("old", "utf-8")
    windows.hold(path, sys.maxsize)
    monkeypatch.setattr(files, "MOVE_PATIENCE", 0.05)
    with pytest.raises(FileNotAccessible, match=r"audit\.json cannot be written: The process cannot access the file"):
        write_atomically(path, "new")
    assert path.read_text("utf-8") == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["audit.json"]


def test_no_folder_is_moved_over_another(tmp_path: Path) -> None:
    draft = folder_with(tmp_path / "draft", "new")
    (tmp_path / "place").mkdir()
    with pytest.raises(FileExistsError):
        move(draft, tmp_path / "place")
    assert (draft / "file").exists()


def test_read_only_files_are_removed(tmp_path: Path, windows: WindowsFiles) -> None:
    folder = folder_with(tmp_path / "folder", "x")
    (folder / "file").chmod(stat.S_IREAD)
    remove_folder(folder)
    assert not folder.exists()
    file = tmp_path / "single"
    file.write_text("x", "utf-8")
    file.chmod(stat.S_IREAD)
    remove_file(file)
    remove_file(file)
    assert not file.exists()
    held = folder_with(tmp_path / "held", "x")
    windows.hold(held / "file", sys.maxsize)
    remove_folder(held)
    assert (held / "file").exists()


def test_a_file_with_the_longest_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250 + ".json")
    write_atomically(path, "{}")
    write_atomically(path, "[]")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "[]"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_no_device_or_pipe_is_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-a-pipe").symlink_to(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path / "to-a-pipe", Path("/dev/stdout")):
        with pytest.raises(FileNotAccessible, match="is not a regular file"):
            write_atomically(place, "")
    assert (tmp_path / "pipe").is_fifo()


def test_only_links_are_removed_of_a_folder_with_links(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    (outside / "file").write_text("kept")
    (outside / "file").chmod(0o400)
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    remove_folder(folder)
    assert not folder.exists()
    (tmp_path / "link").symlink_to(outside)
    remove_folder(tmp_path / "link")
    assert not (tmp_path / "link").is_symlink()
    assert (outside / "file").stat().st_mode & 0o777 == 0o400
