"""What `read` and `why` say about a source, a folder or a file that cannot be what was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.hub.ids import space_of

SCRIPT = """
from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-dev")
pipe("a cat", num_inference_steps={}).images[0].save("cat.png")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.py").write_text(SCRIPT.format(28))
    (tmp_path / "app.py").write_text(SCRIPT.format(20))
    (tmp_path / "asked.py").write_text(SCRIPT.format(28).replace('"a cat"', "input()"))
    (tmp_path / "issue.md").write_text(f"```python{SCRIPT.format(28)}```\n")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "empty.md").write_text("no code")
    (tmp_path / "bad" / "list.ipynb").write_text("[]")
    (tmp_path / "bad" / "text.ipynb").write_text('{\n"cells": [}')
    (tmp_path / "bad" / "deep.ipynb").write_text("[" * 100_000)
    (tmp_path / "bad" / "nothing.ipynb").touch()
    (tmp_path / "bad" / "large.py").write_text("#" * (2**20 + 1))
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "app.py").write_text("a = 1\nb = = 2\n")
    (tmp_path / "bad" / "binary.py").write_bytes(b"\x00\x01")
    (tmp_path / "bad" / "wrong.py").write_text("a = 1\nb = = 2\n")
    return tmp_path


NOTEBOOK = "save it in Jupyter again"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (["read", "bad/empty.md"], "bad/empty.md has no code block", "code blocks of Markdown"),
        (["read", "bad/list.ipynb"], "bad/list.ipynb is not a notebook: it has no list of cells", NOTEBOOK),
        (["read", "bad/text.ipynb"], "bad/text.ipynb is not a notebook: line 2 is not JSON", NOTEBOOK),
        (["read", "bad/deep.ipynb"], "bad/deep.ipynb is not a notebook: its JSON is nested too deeply", NOTEBOOK),
        (["read", "bad/nothing.ipynb"], "bad/nothing.ipynb is not a notebook: it is empty", NOTEBOOK),
        (["read", "bad/binary.py"], "bad/binary.py", "name a script, a notebook or a Markdown file"),
        (["read", "bad/large.py"], "bad/large.py is larger than 1024 KiB", "Python up to 1024 KiB is read"),
        (["read", "bad/wrong.py"], "bad/wrong.py:2: not Python: invalid syntax", "correct it: Python 3"),
        (["read", "wrong"], "app.py:2: not Python: invalid syntax", "correct it: Python 3"),
        (["read", "https://github.com/a/b/blob/main/run.py"], "is not the address of a Space", "download the file"),
        (["read", "https://huggingface.co/THUDM/CogVideoX-5b"], "https://huggingface.co/THUDM", "ORG/NAME of a Space"),
        (["read", "issue.md", "--source", "none"], "the folder none does not exist", "in which the command is run"),
        (["read", "python run.py", "--source", "run.py"], "run.py is not a folder", "in which the command is run"),
        (["read", "run.py", "--block", "1"], "run.py has no blocks", "leave the block out"),
        (["read", "python run.py", "--source", ".", "--block", "1"], "has no blocks", "leave the block out"),
        (["read", "none.py", "--arguments", "-s 3"], "none.py does not exist", ""),
        (["read", "issue.md", "--arguments", "-s 3"], "issue.md is not a .py file, so it takes no arguments", ""),
        (
            ["why", "--script", "issue.md", "--space", "org/name", "--run"],
            "issue.md is not run: only a .py file of your own is",
            "",
        ),
        (
            ["why", "--script", "asked.py", "--space", "app.py", "--plan-only", "--run", "--write", "x.toml"],
            "the prompt of asked.py could not be read",
            "by hand",
        ),
        (
            ["why", "--script", "run.py", "--space", "app.py", "--plan-only", "--patch", "none/x.diff"],
            "none/x.diff cannot be written: the folder none does not exist",
            "",
        ),
        (["why", "--script", "run.py", "--space", "app.py", "--plan-only", "--patch", "bad"], "bad is a folder", ""),
        (
            ["why", "--script", "run.py", "--space", "app.py", "--plan-only", "--write", "none/x.toml"],
            "none/x.toml cannot be written: the folder none does not exist",
            "",
        ),
    ],
)
def test_bad_input_is_one_paragraph_that_names_it_once(
    line: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert message in shown
    assert hint in shown
    assert "Error" not in shown


@pytest.mark.parametrize(
    ("address", "space"),
    [
        ("https://huggingface.co/spaces/zai-org/CogVideoX-5B-Space", "zai-org/CogVideoX-5B-Space"),
        ("https://huggingface.co/spaces/a/b.c/blob/main/app.py", "a/b.c"),
        ("huggingface.co/spaces/a/b/", "a/b"),
        ("https://hf.co/spaces/a/b?logs=container", "a/b"),
        ("a/b", "a/b"),
        ("https://huggingface.co/a/b", "https://huggingface.co/a/b"),
        ("spaces/app.py", "spaces/app.py"),
    ],
)
def test_the_address_of_a_space_names_it(address: str, space: str) -> None:
    assert space_of(address) == space


def test_files_are_written_next_to_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "why --script run.py --space app.py --plan-only --format json --patch x.diff --write x.toml"
    assert main(line.split()) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["decided"] is True
    assert "wrote x.diff" in shown.err
    assert "+pipe(" in (folder / "x.diff").read_text()
    assert (folder / "x.toml").is_file()


def test_what_is_loaded_by_itself_has_the_paths_of_the_scenario_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["why", "--script", "run.py", "--space", "app.py", "--plan-only"]) == 0
    assert "the paths of a scenario" not in capsys.readouterr().out
    loaded = SCRIPT.format(28).replace("import FluxPipeline", "import AutoencoderKL, FluxPipeline")
    loaded = loaded.replace("pipe = ", 'vae = AutoencoderKL.from_pretrained("org/vae")\npipe = ')
    loaded = loaded.replace('.1-dev")', '.1-dev", vae=vae)')
    (folder / "app.py").write_text(loaded)
    assert main(["why", "--script", "run.py", "--space", "app.py", "--plan-only"]) == 0
    assert "load.vae: components.vae.class, components.vae.id" in capsys.readouterr().out
