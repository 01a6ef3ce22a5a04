"""The cache folder is where the user or the system says."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.files import cache_dir


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
