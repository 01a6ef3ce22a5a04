"""Which file of a folder is the main one."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import SourceNotReadable
from spacediff.reading import read_source

LOADS = (
    'from diffusers import CogVideoXPipeline\ndef load():\n    return CogVideoXPipeline.from_pretrained("org/base")\n'
)
CALLS = 'from lib import load\nload()("a kite", num_inference_steps=3)\n'


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"fetch.py": "import requests\n"},
        {"broken.py": "def (\n"},
        {"setup.py": "from setuptools import setup\nsetup()\n", "fetch.py": "print(1)\n"},
    ],
)
def test_the_script_that_calls_a_pipeline_and_that_no_other_imports_is_read(
    tmp_path: Path, others: dict[str, str]
) -> None:
    reading = read_source(folder(tmp_path, {"lib.py": LOADS, "cli.py": CALLS, **others}))
    assert reading.called_at.startswith("cli.py:")
    assert reading.settings.value("call.num_inference_steps") == 3


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"lib.py": LOADS, "cli.py": CALLS, "web.py": CALLS}, "cli.py, web.py"),
        ({"one.py": "import two\n", "two.py": "import one\n"}, "one.py, two.py"),
        ({"a.txt": ""}, "no .py file"),
    ],
)
def test_a_folder_without_one_main_file_names_the_candidates(tmp_path: Path, files: dict[str, str], named: str) -> None:
    with pytest.raises(SourceNotReadable, match=f"found {named}$"):
        read_source(folder(tmp_path, files))
