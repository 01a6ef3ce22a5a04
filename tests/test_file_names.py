"""Names that every system has, and paths that stay inside a folder on every system."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath

import pytest

from spacediff.file_names import (
    LONGEST_NAME,
    is_device,
    path_within,
    portable_name,
    read_regular,
    read_within,
    short_name,
)


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("quickstart", "quickstart"),
        ("CON", "_CON"),
        ("nul.mp4", "_nul.mp4"),
        ("console", "console"),
        ("com1", "_com1"),
        ("com10", "com10"),
        ('a:b?"c', "a_b__c"),
        ("ends.", "ends_"),
        ("ends ", "ends_"),
        ("手", "手"),
    ],
)
def test_a_portable_name_exists_on_every_system(name: str, portable: str) -> None:
    assert portable_name(name) == portable
    assert not is_device(portable)


def test_a_path_within_a_folder_has_forward_slashes(tmp_path: Path) -> None:
    assert path_within(tmp_path, "runs/0123/clip.mkv") == tmp_path / "runs" / "0123" / "clip.mkv"


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "..\\x", "a\\..\\..\\x", "C:/x", "C:x", "\\\\server\\x", "x\0"]
)
def test_a_path_that_leaves_the_folder_on_any_system_is_refused(name: str, tmp_path: Path) -> None:
    assert path_within(tmp_path, name) is None


def test_joining_alone_would_leave_the_folder_on_windows() -> None:
    assert PureWindowsPath("D:/audit", "C:/x") == PureWindowsPath("C:/x")


def test_a_long_name_is_cut_to_one_that_every_system_takes_and_stays_its_own(tmp_path: Path) -> None:
    names = [portable_name("a" * 300), portable_name("a" * 299 + "b"), portable_name("手" * 100)]
    assert len(set(names)) == 3
    for name in names:
        (tmp_path / name).mkdir()
    assert short_name("mine", ".accepted.json") == "mine.accepted.json"
    assert short_name("b" * 300, ".accepted.json").endswith(".accepted.json")
    assert len(short_name("手" * 300, ".accepted.json").encode()) <= LONGEST_NAME


def test_a_file_of_the_folder_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "previews").mkdir()
    (tmp_path / "previews" / "a.mp4").write_bytes(b"12345")
    assert read_within(tmp_path, "previews/a.mp4", 5) == b"12345"
    assert read_within(tmp_path, "previews/a.mp4", 4) is None
    assert read_within(tmp_path, "previews", 5) is None
    assert read_within(tmp_path, "../a.mp4", 5) is None


def test_what_lies_elsewhere_or_never_ends_is_not_read(tmp_path: Path) -> None:
    folder, secret = tmp_path / "audit", tmp_path / "secret.png"
    folder.mkdir()
    secret.write_bytes(b"secret")
    (folder / "link.png").symlink_to(secret)
    (folder / "out").symlink_to(tmp_path)
    (folder / "device.png").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.png")
    for name in ("link.png", "out/secret.png", "device.png", "pipe.png"):
        assert read_within(folder, name, 100) is None, name
    for name in ("device.png", "pipe.png"):
        with pytest.raises(OSError, match="not a regular file"):
            read_regular(folder / name, 100)
    (folder / "own.png").write_bytes(b"own")
    (folder / "again.png").symlink_to(folder / "own.png")
    assert read_within(folder, "again.png", 100) == b"own"
