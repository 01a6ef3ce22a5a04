"""The file that `spacediff probe` writes: complete, always the same, and harmless where it does not fit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff import __version__
from spacediff.errors import FileExists
from spacediff.recordings.probe_file import probe_source, write_probe

IMPORT_ALL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
import spacediff_probe
sys.meta_path.append(spacediff_probe._FromThisFile())
for name in spacediff_probe.SOURCES:
    importlib.import_module("_spacediff_probe." + name.removesuffix(".__init__"))
print(len(spacediff_probe.SOURCES), "spacediff" in sys.modules, spacediff_probe.VERSION)
"""
ATTACH_TO_NOTHING = """
import sys
sys.path.insert(0, sys.argv[1])
import spacediff_probe
spacediff_probe.attach(None)
print("the app goes on")
"""


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without this source tree."""
    command = [sys.executable, "-I", "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_it_is_complete_by_itself(tmp_path: Path) -> None:
    write_probe(tmp_path / "spacediff_probe.py")
    modules, imported, version = run(IMPORT_ALL, tmp_path).stdout.split()
    assert int(modules) > 30
    assert (imported, version) == ("False", __version__)


def test_it_is_always_the_same_and_says_what_it_is() -> None:
    source = probe_source()
    assert source == probe_source()
    assert re.search(r"^DIGEST = '[0-9a-f]{64}'$", source, re.MULTILINE)
    assert "\nimport spacediff" not in source


def test_an_app_that_it_does_not_fit_goes_on(tmp_path: Path) -> None:
    write_probe(tmp_path / "spacediff_probe.py")
    done = run(ATTACH_TO_NOTHING, tmp_path)
    assert done.stdout == "the app goes on\n"
    assert re.fullmatch(r"spacediff_probe: not recording: \w+: [^\n]+\n", done.stderr)


def test_an_older_one_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    older, other = tmp_path / "spacediff_probe.py", tmp_path / "app.py"
    write_probe(older)
    older.write_text(older.read_text("utf-8") + "# of an older spacediff", "utf-8")
    write_probe(older)
    assert older.read_text("utf-8") == probe_source()
    other.write_text("print()")
    with pytest.raises(FileExists, match="no probe"):
        write_probe(other)
    assert other.read_text() == "print()"
