"""`spacediff check` as a command, on a Gradio server."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.errors import Exit
from support.checked_app import STUCK_AFTER
from support.fresh_process import FreshProcess
from support.gradio_servers import SpaceApp

PROMPT = "a secret lemon that nobody may see"


def scenario(folder: Path, url: str, endpoint: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(f"""
title = "Mine"
private = true
[prompts.lemon]
text = "{PROMPT}"
seed = 7
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random" }}
[reference.space]
id = "{url}"
endpoint = "{endpoint}"
inputs = {{ prompt = "{{prompt}}", seed = "{{seed}}", guidance_scale = 3.0 }}
""")
    return file


def test_a_scenario_says_what_is_asked_and_a_private_prompt_is_not_shown(
    spaces: SpaceApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = scenario(tmp_path, spaces.url, "/rewriting")
    assert main(["check", str(file), "--calls", "1", "--json"]) == Exit.GATE_FAILED
    printed = capsys.readouterr()
    read = json.loads(printed.out)
    assert read["inputs"] == {"prompt": "{prompt}", "seed": "{seed}", "guidance_scale": 3.0}
    assert [each["kind"] for each in read["answers"] if each["question"] == "prompt"] == ["space-prompt-rewritten"]
    assert "[1] the first call" in printed.err
    assert "lemon that" not in printed.out + printed.err
    assert "masterpiece" not in printed.out


def test_a_call_that_fails_leaves_its_question_open(spaces: SpaceApp, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", spaces.url, "--endpoint", "/failing", "--calls", "4"])
    printed = capsys.readouterr()
    assert code == Exit.GATE_PASSED
    assert "guidance is fixed" in printed.out
    assert "error[space-failed]" in printed.err
    assert "4 calls of at most 4" in printed.out


@pytest.mark.slow
def test_the_tiny_space_repeats_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "builtin:tiny-space", "--calls", "2"]) == Exit.GATE_PASSED
    assert "the server says that neither answer came from its cache" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_found(spaces: SpaceApp) -> None:
    process = FreshProcess("check", spaces.url, "--endpoint", "/stuck")
    ends = time.monotonic() + 60
    while f"[{STUCK_AFTER}]" not in process.errors() and time.monotonic() < ends:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    done = process.ended(30)
    assert done.returncode == Exit.INTERRUPTED
    assert "repeats itself" in done.stdout
    assert "bit for bit" in done.stdout
    assert "interrupted; what was found until then is above" in done.stdout
