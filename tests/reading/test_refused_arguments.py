"""Arguments that a script's own parser refuses: such a command runs nothing, so nothing is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff import read_source
from spacediff.reading import Reading

SCRIPT = """
import argparse
from diffusers import CogVideoXPipeline
parser = argparse.ArgumentParser({})
{}
args = parser.{}
CogVideoXPipeline.from_pretrained("a/b")(num_frames=args.frames)
"""
OPTIONS = """
parser.add_argument("-f", "--frames", type=int, default=49)
parser.add_argument("--kind", choices=["t2v", "i2v"], default="t2v")
parser.add_argument("--no_tiling", action="store_true")
"""


def read(
    folder: Path, arguments: str, options: str = OPTIONS, parser: str = "", parse: str = "parse_args()"
) -> Reading:
    (folder / "run.py").write_text(SCRIPT.format(parser, options, parse))
    return read_source(folder / "run.py", arguments=arguments)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--kind v2v", "--kind v2v: it takes t2v, i2v"),
        ("--steps 3", "it has no option --steps"),
        ("-x", "it has no option -x"),
        ("--frames=many", "--frames many: it takes a whole number"),
        ("49", "49 belongs to no option"),
        ("--kin i2v", "--kin is short for --kind, which is not read: write it out"),
    ],
)
def test_arguments_that_the_parser_refuses_leave_the_reading_undecided(
    tmp_path: Path, arguments: str, reason: str
) -> None:
    assert read(tmp_path, arguments).undecided == (f"the script refuses its arguments: {reason}",)


def test_a_required_option_has_to_be_given(tmp_path: Path) -> None:
    options = OPTIONS + 'parser.add_argument("--prompt", required=True)\n'
    assert read(tmp_path, "--frames 3", options).undecided == (
        "the script refuses its arguments: --prompt is required",
    )
    assert read(tmp_path, "--frames 3 --prompt x", options).undecided == ()
    (tmp_path / "run.py").write_text(SCRIPT.format("", options, "parse_args()"))
    assert read_source(tmp_path / "run.py").undecided == ()


@pytest.mark.parametrize("arguments", ["-f 9", "-f9", "--frames=9 --kind i2v", "-f 9 --no_tiling", "--kind $KIND -f 9"])
def test_arguments_that_the_parser_takes_are_read(tmp_path: Path, arguments: str) -> None:
    reading = read(tmp_path, arguments)
    assert reading.settings.value("call.num_frames") == 9
    assert reading.undecided == ()


@pytest.mark.parametrize(
    ("options", "parser", "parse"),
    [
        (OPTIONS, "parents=[common_options()]", "parse_args()"),
        (OPTIONS + "add_more(parser)\n", "", "parse_args()"),
        (OPTIONS + "trainer.add_more(parser)\n", "", "parse_args()"),
        (OPTIONS + "for name in names():\n    parser.add_argument(name)\n", "", "parse_args()"),
        (OPTIONS + "parser.add_subparsers()\n", "", "parse_args()"),
        (OPTIONS, "", "parse_known_args()[0]"),
    ],
)
def test_nothing_is_refused_by_a_parser_whose_options_are_not_all_known(
    tmp_path: Path, options: str, parser: str, parse: str
) -> None:
    options = f"from shared import add_more, trainer\n{options}"
    assert not [text for text in read(tmp_path, "--steps 3", options, parser, parse).undecided if "refuses" in text]


def test_a_script_that_reads_no_arguments_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "from diffusers import FluxPipeline\nFluxPipeline.from_pretrained('a/b')('x', num_inference_steps=28)\n"
    )
    reading = read_source(tmp_path / "run.py", arguments="--steps 4")
    assert reading.settings.value("call.num_inference_steps") == 28
    assert reading.command == ""
    assert "run.py reads no arguments, so these change nothing: --steps 4" in [note.text for note in reading.notes]
