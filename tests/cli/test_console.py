"""What comes from outside reaches the terminal as text: no control character, no markup."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from spacediff.cli.commands import main
from spacediff.cli.console import Terminal, show_error, show_json, show_line, show_text
from spacediff.errors import Exit, SpacediffError

TITLE = "\x1b]0;title\x07"
CLEAR = "\x1b[2J"
HOSTILE = f"a{TITLE}b{CLEAR}c\x9b31md\u202ee\rf\x08g [bold red]x[/nope]"
SHOWN = "a\ufffd]0;title\ufffdb\ufffd[2Jc\ufffd31md\ufffde\ufffdf\ufffdg [bold red]x[/nope]"

SCENARIO = """
title = "T\\u001b]0;owned\\u001b\\\\ \\u202eevil [bold red]x[/nope]"
[prompts."p\\u001b[31m [/nope]"]
text = "P\\u001b[31mred"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 2, num_frames = 5 }
placement = "cpu"
[reference]
variant = "baseline"
[variants."\\u001b]0;owned\\u0007\\u202e[b]"]
call.guidance_scale = 7.0
from = ["\\u001b[2J[/nope]"]
"""


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("kind", ["str", "Text", "Table", "title", "Live"])
def test_nothing_printed_through_rich_controls_the_terminal(kind: str, *, terminal: bool) -> None:
    file = io.StringIO()
    console = Terminal(file=file, force_terminal=terminal)
    console.width = 200
    table = Table(title=HOSTILE if kind == "title" else None)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    if kind == "Live":
        with Live(Text(HOSTILE), console=console, auto_refresh=False):
            pass
    else:
        console.print({"str": HOSTILE, "Text": Text(HOSTILE), "Table": table, "title": table}[kind])
    written = file.getvalue()
    assert not [each for each in (TITLE, CLEAR, "\x9b", "\u202e", "\x07", "\x08") if each in written]
    assert "[bold red]x[/n" in written


def test_lines_texts_and_errors_show_control_characters_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    show_line(HOSTILE)
    show_text(f"{HOSTILE}\n")
    assert capsys.readouterr().out == f"{SHOWN}\n{SHOWN}\n"
    show_error(SpacediffError(HOSTILE, hint=HOSTILE))
    said = capsys.readouterr().err
    assert not {"\x1b", "\x9b", "\u202e"} & set(said)


def test_json_keeps_its_value_and_controls_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"title": HOSTILE + "\x7f", "word": "naïve ∞"}
    show_json(json.dumps(value, ensure_ascii=False))
    written = capsys.readouterr().out
    assert written.isprintable()
    assert json.loads(written) == value
    show_json(json.dumps({"word": "naïve ∞"}, ensure_ascii=False))
    assert capsys.readouterr().out == '{"word": "naïve ∞"}'


def test_names_of_a_scenario_are_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = tmp_path / "escape.toml"
    scenario.write_text(SCENARIO)
    assert main(["audit", str(scenario)]) == Exit.BAD_INPUT
    said = "".join(capsys.readouterr())
    assert "\x1b" not in said
    assert "[/nope]" in said


def test_an_error_of_the_disk_is_no_reader_that_has_left(tmp_path: Path) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

        def fileno(self) -> int:
            return file.fileno()

    with (tmp_path / "result.json").open("w") as file, pytest.raises(OSError, match="Input/output error"):
        Terminal(file=Broken()).print("{}")
