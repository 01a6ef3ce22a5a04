"""Commands that run a script: what they give its options takes the place of the defaults."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from spacediff import BlockNotChosen, SourceNotReadable, read_source
from spacediff.reading.commands import Command, commands_in

PIPELINE = """
import argparse
import os
import sys
import torch
from diffusers import CogVideoXPipeline

def generate(prompt="a lemon", steps=50, scale=6.0, tiling=False, model="THUDM/CogVideoX-5b"):
    pipe = CogVideoXPipeline.from_pretrained(model)
    if tiling:
        pipe.vae.enable_tiling()
    pipe(prompt=prompt, num_inference_steps=steps, guidance_scale=scale)
"""
ARGPARSE = (
    PIPELINE
    + """
parser = argparse.ArgumentParser()
parser.add_argument("prompt", nargs="?", default="a lemon")
parser.add_argument("-s", "--num_inference_steps", type=int, default=50)
parser.add_argument("--guidance-scale", type=float, default=6.0)
parser.add_argument("--tiling", action="store_true")
parser.add_argument("--model_path", default=os.environ.get("MODEL", "THUDM/CogVideoX-5b"))
args = parser.parse_args()
generate(args.prompt, args.num_inference_steps, args.guidance_scale, args.tiling, args.model_path)
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inference").mkdir()
    (tmp_path / "inference" / "__init__.py").write_text("")
    (tmp_path / "inference" / "cli_demo.py").write_text(ARGPARSE)
    return tmp_path


def test_a_command_gives_the_values_of_options(folder: Path) -> None:
    command = "python inference/cli_demo.py 'a lime' --num_inference_steps 30 --guidance-scale=7 --tiling"
    reading = read_source(command, folder=folder)
    assert reading.settings.value("call.prompt") == "a lime"
    assert reading.settings.value("call.num_inference_steps") == 30
    assert reading.settings.value("call.guidance_scale") == 7.0
    assert reading.settings["call.num_inference_steps"].where == "the command"
    assert reading.settings.value("model.id") == "THUDM/CogVideoX-5b"
    assert "call.num_inference_steps" not in reading.inputs
    assert reading.command == "inference/cli_demo.py 'a lime' --num_inference_steps 30 --guidance-scale=7 --tiling"


def test_arguments_are_given_to_a_script(folder: Path) -> None:
    script = folder / "inference" / "cli_demo.py"
    assert read_source(script).settings.value("call.num_inference_steps") == 50
    reading = read_source(script, arguments="-s 20")
    assert reading.settings.value("call.num_inference_steps") == 20
    assert reading.settings["call.num_inference_steps"].where == "the arguments"
    with pytest.raises(SourceNotReadable, match="No closing quotation"):
        read_source(script, arguments="--prompt 'a")


def test_a_command_in_a_markdown_file_is_read_at_its_line(folder: Path) -> None:
    issue = folder / "issue.md"
    issue.write_text(
        textwrap.dedent(
            """
            I ran this:

            ```bash
            $ pip install -r requirements.txt
            $ MODEL=THUDM/CogVideoX-2b python inference/cli_demo.py "a lime" \\
                --num_inference_steps 30
            ```

            ```
            Loading pipeline components...: 100%
            ```
            """
        )
    )
    reading = read_source(issue, folder=folder)
    assert reading.settings.value("call.num_inference_steps") == 30
    assert reading.settings["call.num_inference_steps"].where == "issue.md:6"
    assert reading.settings.value("model.id") == "THUDM/CogVideoX-2b"
    assert reading.called_at == "cli_demo.py:12"
    with pytest.raises(SourceNotReadable, match="commands"):
        read_source(issue)


@pytest.mark.parametrize(
    "text",
    [
        "I ran `torchrun --nproc_per_node=1 inference/cli_demo.py x -s 30` and it is bad.",
        "```\n$ python inference/cli_demo.py x -s 30\nLoading: 100%|###| 5/5 [00:01<00:00, 3it/s]\n```",
        "```console\n(env) me@host:~$ python -m inference.cli_demo x -s 30\n```",
        '```shell\ncd code\nCUDA_VISIBLE_DEVICES=0 python inference/cli_demo.py "x" \\\n    -s 30\n```\nand it is bad',
    ],
)
def test_a_command_is_found_wherever_it_stands(folder: Path, text: str) -> None:
    (folder / "issue.md").write_text(text)
    reading = read_source(folder / "issue.md", folder=folder)
    assert reading.settings.value("call.num_inference_steps") == 30
    assert reading.settings.value("call.prompt") == "x"
    with pytest.raises(SourceNotReadable, match="give the folder"):
        read_source(folder / "issue.md")


def test_several_commands_are_listed_and_one_is_chosen(folder: Path) -> None:
    block = "```bash\npython inference/cli_demo.py x -s {}\n```\n\n"
    (folder / "issue.md").write_text(block.format(10) + block.format(10) + block.format(20))
    with pytest.raises(BlockNotChosen, match=r"-s 10 \(issue.md:2\); .*-s 20 \(issue.md:10\)"):
        read_source(folder / "issue.md", folder=folder)
    reading = read_source(folder / "issue.md", folder=folder, block=3)
    assert reading.settings.value("call.num_inference_steps") == 20
    with pytest.raises(BlockNotChosen, match="no command that runs a script"):
        read_source(folder / "issue.md", folder=folder / "inference")


CLICK = (
    PIPELINE
    + """
import click
@click.command()
@click.option("--steps", default=50)
@click.option("--scale", type=float, default=6.0)
@click.option("--tiling", is_flag=True)
def main(steps, scale, tiling):
    generate(steps=steps, scale=scale)
main()
"""
)
TYPER = (
    PIPELINE
    + """
import typer
app = typer.Typer()
@app.command()
def main(steps: int = 50, scale: float = 6.0, tiling: bool = False):
    generate(steps=steps, scale=scale, tiling=tiling)
app()
"""
)
FIRE = (
    PIPELINE
    + """
import fire
fire.Fire(generate)
"""
)
ARGV = (
    PIPELINE
    + """
generate(steps=int(sys.argv[2]), scale=float(sys.argv[4]))
"""
)


@pytest.mark.parametrize("code", [CLICK, TYPER, FIRE, ARGV], ids=["click", "typer", "fire", "sys.argv"])
def test_every_kind_of_command_line_is_given_its_values(tmp_path: Path, code: str) -> None:
    (tmp_path / "run.py").write_text(code)
    reading = read_source(tmp_path / "run.py", arguments="--steps 30 --scale 7.5 --tiling")
    assert reading.settings.value("call.num_inference_steps") == 30
    assert reading.settings.value("call.guidance_scale") == 7.5


OPTION = """
import argparse
from diffusers import CogVideoXPipeline
parser = argparse.ArgumentParser()
parser.add_argument("--value", {})
args = parser.parse_args()
CogVideoXPipeline.from_pretrained("a/b")(num_frames=args.value)
"""


@pytest.mark.parametrize(
    ("option", "arguments", "expected"),
    [
        ("type=int", "--value 3", 3),
        ("type=int", "--value -3", -3),
        ("type=int", "--value=3 --value 4", 4),
        ("type=float", "--value 3", 3.0),
        ("default=3", "--value 4", "4"),
        ("type=str", "--value '3 4'", "3 4"),
        ("type=bool, default=False", "--value False", True),
        ("type=str2bool, default=True", "--value False", False),
        ("type=int, nargs='+'", "--value 3 4", [3, 4]),
        ("action='store_false'", "--value", False),
        ("action=argparse.BooleanOptionalAction", "--no-value", False),
        ("action=argparse.BooleanOptionalAction", "--value", True),
        ("type=lambda text: int(text) * 2", "--value 3", None),
        ("type=int", "--value three", None),
    ],
)
def test_a_value_is_converted_as_the_parser_does(tmp_path: Path, option: str, arguments: str, expected: object) -> None:
    (tmp_path / "run.py").write_text(OPTION.format(option))
    assert read_source(tmp_path / "run.py", arguments=arguments).settings.value("call.num_frames") == expected


@pytest.mark.parametrize(
    ("text", "script", "arguments"),
    [
        ("python run.py --a 1", "run.py", ("--a", "1")),
        ("$ python3.11 -u -W ignore run.py", "run.py", ()),
        ("(venv) me@host:~/code$ python run.py", "run.py", ()),
        ("> python run.py --a 'b c'", "run.py", ("--a", "b c")),
        ("CUDA_VISIBLE_DEVICES=0 python run.py", "run.py", ()),
        ("env A=1 nohup python run.py > log.txt 2>&1 &", "run.py", ()),
        ("cd code && python run.py --a; echo done", "run.py", ("--a",)),
        ("accelerate launch --num_processes 1 run.py --a", "run.py", ("--a",)),
        ("torchrun --nproc_per_node=2 run.py --a", "run.py", ("--a",)),
        ("uv run run.py --a", "run.py", ("--a",)),
        ("uv run python -m pkg.tool --a", "pkg.tool", ("--a",)),
        ("./run.py --a", "./run.py", ("--a",)),
        ("python run.py \\\n  --a 1 \\\n  --b 2", "run.py", ("--a", "1", "--b", "2")),
        ("python run.py ^\n  --a 1", "run.py", ("--a", "1")),
        ("python run.py --p 'two\nlines'", "run.py", ("--p", "two\nlines")),
    ],
)
def test_the_command_of_a_script_is_found(text: str, script: str, arguments: tuple[str, ...]) -> None:
    [command] = commands_in(text, str)
    assert (command.script, command.arguments, command.where) == (script, arguments, "1")


def test_variables_are_those_of_the_command_and_those_exported_before() -> None:
    [command] = commands_in("export A=1\nB=2 python run.py C=3", str)
    assert command == Command("run.py", ("C=3",), {"A": "1", "B": "2"}, "2")


@pytest.mark.parametrize("text", ["", "pip install x", "python", "python -c 'a'", "'", "\\", "a" * 50_000, "python -m"])
def test_what_runs_no_script_is_no_command(text: str) -> None:
    assert commands_in(text, str) == []


@pytest.mark.parametrize("source", ["pip install x", "python a.py; python b.py", "run.py --a"])
def test_a_text_that_is_not_one_command_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(SourceNotReadable):
        read_source(source, folder=tmp_path)


def test_a_script_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(ARGPARSE)
    (tmp_path / "inner").mkdir()
    with pytest.raises(SourceNotReadable, match=r"has no \.\./run\.py"):
        read_source("python ../run.py", folder=tmp_path / "inner")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("python run.py --value $STEPS", None),
        ("STEPS=30\npython run.py --value $STEPS", 30),
        ("export STEPS=30; python run.py --value=${STEPS}", 30),
        ("STEPS=30 python run.py --value $STEPS", None),
        ("ARGS='--value 30'\npython run.py $ARGS", 30),
        ("if [ -z $STEPS ]; then\nSTEPS=30\nfi\npython run.py --value $STEPS", None),
        ("i=3\nfor i in 1 2; do python run.py --value $i; done", None),
        ("python run.py --value ${STEPS:-30}", None),
        ("python run.py --value $(nproc --all)", None),
        ("python run.py --value `nproc`", None),
        ("python run.py --value %STEPS%", None),
        ('python "$HERE/run.py" --value 30', 30),
    ],
)
def test_a_variable_of_the_shell_is_its_value_or_unknown(tmp_path: Path, text: str, steps: int | None) -> None:
    (tmp_path / "run.py").write_text(OPTION.format("type=int, default=50"))
    (tmp_path / "issue.md").write_text(f"```bash\n{text}\n```\n")
    reading = read_source(tmp_path / "issue.md", folder=tmp_path)
    assert reading.settings.value("call.num_frames") == steps
    assert reading.settings["call.num_frames"].origin == ("read" if steps else "unknown")


@pytest.mark.parametrize(
    ("word", "prompt"),
    [
        ('"$PROMPT"', None),
        ('"a $COLOUR cat"', None),
        ("a-${COLOUR}-cat", None),
        ('"$(cat prompt.txt)"', None),
        ("'costs $5'", "costs $5"),
        (r'"costs \$5"', "costs $5"),
        ('"100% cat, 5 $"', "100% cat, 5 $"),
    ],
)
@pytest.mark.parametrize("parsed", ["argparse", "sys.argv", "environment"])
def test_a_prompt_that_only_the_shell_knows_is_unknown(
    tmp_path: Path, word: str, prompt: str | None, parsed: str
) -> None:
    code, command = {
        "argparse": (OPTION.replace("num_frames", "prompt").format("type=str"), f"python run.py --value {word}"),
        "sys.argv": (PIPELINE + "generate(sys.argv[1])", f"python run.py {word}"),
        "environment": (PIPELINE + "generate(os.environ['TEXT'])", f"TEXT={word} python run.py"),
    }[parsed]
    (tmp_path / "run.py").write_text(code)
    reading = read_source(command, folder=tmp_path)
    assert reading.settings.value("call.prompt") == prompt
    if prompt is None:
        assert "$" in reading.unknowns["call.prompt"]


@pytest.mark.parametrize(
    "text",
    [
        "cd inference && python cli_demo.py x",
        "git clone https://x.y/z; cd z/inference\npython cli_demo.py x",
        "pushd inference\npython ./cli_demo.py x",
        "cd inference/../inference && python cli_demo.py x",
        "cd $ROOT\npython inference/cli_demo.py x",
        "cd ~/z && python -m inference.cli_demo x",
    ],
)
def test_a_command_runs_in_the_folder_that_was_changed_to(folder: Path, text: str) -> None:
    (folder / "issue.md").write_text(f"```bash\n{text}\n```\n")
    assert read_source(folder / "issue.md", folder=folder).settings.value("call.prompt") == "x"
