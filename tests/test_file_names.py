"""Names that every system has, and paths that stay inside a folder on every system."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest

from spacediff.file_names import is_device, path_within, portable_name


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
