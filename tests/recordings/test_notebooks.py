"""Notebooks as scripts: which of their lines run, what is refused before anything does, and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spacediff.errors import FileNotAccessible, InvalidArgument
from spacediff.reading.notebooks import MOST_NOTEBOOK_BYTES
from spacediff.recordings import read_recording
from spacediff.recordings.identity import code_of
from spacediff.recordings.notebook import cells_to_run
from spacediff.sources.recording import take_recorded
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint


def notebook(folder: Path, *cells: str, **changed: object) -> Path:
    """Write a notebook of nbformat 4 with a text and code cells, of which the first is cell 2."""
    text = {"cell_type": "markdown", "source": "# Lemons"}
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, *code], **changed}
    file = folder / "lemons.ipynb"
    file.write_text(json.dumps(content))
    return file


HARMLESS = {
    "%matplotlib inline": "pass",
    "%config InlineBackend.figure_format = 'retina'": "pass",
    "%load_ext autoreload\n%autoreload 2": "pass\npass",
    "!nvidia-smi": "pass",
    "!pip list": "pass",
    "?print": "pass",
    "print??": "pass",
    "%time x = 1": "x = 1",
    "if 1:\n    !ls -l \\\n      folder\n    x": "if 1:\n    pass\n\n    x",
    "%%time\nx = 1": "\nx = 1",
    "%%html\n<b>lemon</b>": "",
    "x = (7\n  %m)": "x = (7\n  %m)",
    "%pwd\nx = (7\n%m)": "pass\nx = (7\n%m)",
    '%pwd\nx = """\n!rm -r /\n"""': 'pass\nx = """\n!rm -r /\n"""',
}
REFUSED = {
    "%pip install diffusers": "%pip install diffusers",
    "!pip install diffusers": "!pip install diffusers",
    "pip install diffusers": "pip install diffusers",
    "%cd /content": "%cd /content",
    "%env A=1": "%env A=1",
    "%timeit pipe()": "%timeit pipe()",
    "%load_ext cython": "%load_ext cython",
    "%run other.py": "%run other.py",
    "%%bash\nls": "%%bash",
    "%%capture out\nx = 1": "%%capture out",
    "%%timeit\npipe()": "%%timeit",
    "%%writefile a.py\nx = 1": "%%writefile a.py",
    "files = !ls": "!ls",
    "here = %pwd": "%pwd",
    "!ls; rm -r folder": "!ls; rm -r folder",
    "!nvidia-smi > log": "!nvidia-smi > log",
    "!cat $(rm x)": "!cat $(rm x)",
    "x = get_ipython().run_line_magic('cd', '/')": "get_ipython()",
}


@pytest.mark.parametrize("text", HARMLESS)
def test_lines_that_only_show_something_are_left_out(text: str, tmp_path: Path) -> None:
    assert cells_to_run(notebook(tmp_path, text)) == [(2, HARMLESS[text])]


@pytest.mark.parametrize("text", REFUSED)
def test_what_changes_the_later_cells_is_refused_by_name_and_cell(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as caught:
        cells_to_run(notebook(tmp_path, "x = 1", text))
    assert caught.value.message.startswith("lemons.ipynb, cell 3")
    assert f": {REFUSED[text]} is not run" in caught.value.message


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"nbformat": 3, "cells": None, "worksheets": []}, "is a notebook of format 3; 4 is expected"),
        ({"nbformat": "x" * 999}, "of format x{60};"),
        ({"cells": 5}, "is no notebook: it has no list of cells"),
        ({"metadata": {"kernelspec": {"language": "julia"}}}, "is a notebook of julia"),
    ],
)
def test_another_format_or_language_is_refused(changed: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=message):
        cells_to_run(notebook(tmp_path, "x = 1", **changed))


@pytest.mark.parametrize("content", [b"", b"x = 1", b"[" * 100_000, b"\xff\xfe", b" " * (MOST_NOTEBOOK_BYTES + 1)])
def test_what_is_no_notebook_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_bytes(content)
    with pytest.raises(InvalidArgument, match=r"a\.ipynb is (no notebook|larger than 16 MiB)"):
        cells_to_run(file)
    with pytest.raises(FileNotAccessible):
        cells_to_run(tmp_path / "gone.ipynb")


MAKE = """\
def make(seed):
    generator = torch.Generator().manual_seed(seed)
    return pipe("a lemon", num_inference_steps=2, num_frames=5, output_type="np", generator=generator).frames[0]
"""


def recorded(file: Path, *arguments: str, search: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run the command with a notebook, from another folder than the notebook's."""
    place = file.parent / "elsewhere"
    place.mkdir(exist_ok=True)
    command = [sys.executable, "-P", "-m", "spacediff", "record", "--out", "r.zip", str(file), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*search, *sys.path])}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def test_cells_run_in_one_main_and_show_their_last_value(tmp_path: Path) -> None:
    cells = [
        "from __future__ import annotations\nimport os, sys\n__name__, sys.argv, os.path.basename(os.getcwd())",
        "def half(x: Unknown):\n    return x / 0\nhalf.__annotations__",
        "%matplotlib inline\n1, 2;",
        "display('shown', 3)",
        "raised = 1\nhalf(4)",
        "print('never')",
    ]
    done = recorded(notebook(tmp_path, *cells), "--steps", "2")
    shown = [
        "('__main__', ['lemons.ipynb', '--steps', '2'], '" + tmp_path.name + "')",
        "{'x': 'Unknown'}",
        "'shown'",
        "3",
    ]
    assert done.stdout.splitlines() == shown
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "^" not in line]
    assert said[:6] == [
        "Traceback (most recent call last):",
        '  File "lemons.ipynb, cell 6", line 2, in <module>',
        "    half(4)",
        '  File "lemons.ipynb, cell 3", line 2, in half',
        "    return x / 0",
        "ZeroDivisionError: division by zero",
    ]
    recording = read_recording(tmp_path / "elsewhere" / "r.zip")
    assert (recording.script, recording.exit_code) == ("lemons.ipynb", 1)


def test_nothing_runs_where_a_magic_is_refused(tmp_path: Path) -> None:
    done = recorded(notebook(tmp_path, "open('ran', 'w')", "%pip install diffusers"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "lemons.ipynb, cell 3, line 1: %pip install diffusers is not run by a recording" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_the_calls_of_a_notebook_are_recorded(tmp_path: Path) -> None:
    checkpoint = ensure_checkpoint(RANDOM)
    cells = [
        "from spacediff.torchvision_shim import shim_torchvision\nshim_torchvision()",
        "import numpy as np\nimport torch\nfrom diffusers import CogVideoXPipeline",
        f"pipe = CogVideoXPipeline.from_pretrained({str(checkpoint)!r}, dtype=torch.float32)",
        MAKE,
        "%time frames = make(42)\nnp.save('frames.npy', frames)",
    ]
    done = recorded(notebook(tmp_path, *cells))
    assert done.returncode == 0, done.stderr
    (call,) = read_recording(tmp_path / "elsewhere" / "r.zip").calls
    assert (call.where, call.settings["rng.seed"], call.finished) == ("lemons.ipynb, cell 5:3", 42, True)
    produced = take_recorded(tmp_path / "elsewhere" / "r.zip", 1, tmp_path)
    expected = np.rint(np.load(tmp_path / "frames.npy").clip(0, 1) * 255).astype(np.uint8)
    assert np.array_equal(produced.clip.frames, expected)


def test_a_notebook_is_a_baseline_whose_outputs_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text("HALF = 0.5")
    first = code_of(notebook(tmp_path, "%matplotlib inline\nimport half"))
    printed = {"cell_type": "code", "source": "%matplotlib inline\nimport half", "outputs": [{"text": "shown"}]}
    assert code_of(notebook(tmp_path, cells=[{"cell_type": "markdown", "source": "# Limes"}, printed])) == first
    assert sorted(first) == ["half.py", "lemons.ipynb"]
    assert code_of(notebook(tmp_path, "import half, sys"))["lemons.ipynb"] != first["lemons.ipynb"]
    with pytest.raises(InvalidArgument, match=r"cell 2, line 1: %cd / is not run"):
        code_of(notebook(tmp_path, "%cd /"))
