from __future__ import annotations

import dataclasses
import shutil
import subprocess
import typing
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.cli.options import (
    AuditOptions,
    CompareOptions,
    Options,
    ReadOptions,
    RecordOptions,
    ReportOptions,
    Verbosity,
    WhyOptions,
)
from spacediff.cli.parser import parse
from spacediff.results import ReportFormat


def test_each_command_is_parsed_into_its_own_dataclass() -> None:
    lines = {
        "audit a.toml", "record run.py --steps 3", "probe --write spacediff_probe.py", "compare a.mp4 b.mp4",
        "report audits/a", "approve a.toml",
        "read run.py", "why --script run.py --space a/b", "check a/b", "environment a/b", "versions a.toml --from 0.36",
        "doctor", "cache", "completion bash",
        "init", "schema",
    }  # fmt: skip
    assert {type(parse(line.split())) for line in lines} == set(typing.get_args(Options))


def test_a_script_needs_no_arguments_and_gets_all_that_follow_it(capsys: pytest.CaptureFixture[str]) -> None:
    options = parse(["record", "--call", "2", "run.py", "--out", "x"])
    assert isinstance(options, RecordOptions)
    assert (options.call, options.arguments, options.out) == (2, ("--out", "x"), None)
    with pytest.raises(SystemExit):
        parse(["record"])
    assert capsys.readouterr().err.endswith("error: the following arguments are required: SCRIPT.py\n")


def test_options_do_not_change() -> None:
    options = parse(["read", "run.py"])
    assert options == ReadOptions(source="run.py", format="table", call="", block=0, folder="", arguments=None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.source = "other.py"  # type: ignore[misc]


def test_options_of_an_audit() -> None:
    assert parse(["audit", "a.toml"]) == AuditOptions(
        scenarios=(Path("a.toml"),),
        out=None,
        only=(),
        fresh=False,
        budget=None,
        reuse=True,
        against=None,
        strict=False,
        approximate=False,
        anyway=False,
        wait=0.0,
        executor="local",
        shared_folder="",
        reference_from=None,
        stop_without_reference=False,
        verbosity=Verbosity.NORMAL,
        as_json=False,
        open_page=False,
    )
    words = "audit a.toml --out o --only x --only y --fresh --budget 7 --no-reuse --against e --strict --approximate"
    words += " --anyway --wait 90 --executor ray --shared-folder s3://b --reference-from f --stop-without-reference"
    words += " --json --open -q"
    assert parse(words.split()) == AuditOptions(
        scenarios=(Path("a.toml"),),
        out=Path("o"),
        only=("x", "y"),
        fresh=True,
        budget=7,
        reuse=False,
        against=Path("e"),
        strict=True,
        approximate=True,
        anyway=True,
        wait=90.0,
        executor="ray",
        shared_folder="s3://b",
        reference_from=Path("f"),
        stop_without_reference=True,
        verbosity=Verbosity.QUIET,
        as_json=True,
        open_page=True,
    )


def test_options_of_a_comparison() -> None:
    words = "compare a.mp4 b.mp4 --metric flip --semantics org/clip --part hand --part lemon --max-frames 50"
    assert parse(words.split()) == CompareOptions(
        reference=Path("a.mp4"),
        candidate=Path("b.mp4"),
        out=None,
        metrics=("flip",),
        semantics="org/clip",
        parts=("hand", "lemon"),
        max_frames=50,
        verbosity=Verbosity.NORMAL,
        as_json=False,
        open_page=False,
    )


def test_options_of_why() -> None:
    assert parse(
        [
            "why",
            "--script",
            "run.py",
            "--space",
            "a/b",
            "--call",
            "7",
            "--space-call",
            "app.py:9",
            "--plan-only",
            "--versions",
            "--format",
            "json",
            "--write",
            "w.toml",
            "--patch",
            "p",
        ]
    ) == WhyOptions(
        script="run.py",
        space="a/b",
        call="7",
        space_call="app.py:9",
        block=0,
        folder="",
        arguments=None,
        plan_only=True,
        run=False,
        versions=True,
        format="json",
        scenario=Path("w.toml"),
        patch=Path("p"),
        budget=None,
        approximate=False,
        verbosity=Verbosity.NORMAL,
    )


def test_every_format_of_a_report_can_be_asked_for() -> None:
    formats = typing.get_args(ReportFormat)
    options = parse(["report", "audits/a", *(word for name in formats for word in ("--format", name))])
    assert isinstance(options, ReportOptions)
    assert options.formats == formats


def test_a_budget_may_be_a_fraction() -> None:
    options = parse(["audit", "a.toml", "--budget=2.5"])
    assert isinstance(options, AuditOptions)
    assert options.budget == 2.5


@pytest.mark.parametrize("count", ["0", "-1", "x", "inf", "nan"])
def test_a_budget_is_a_number_of_generations(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["audit", "a.toml", f"--budget={count}"])
    assert caught.value.code == 2
    assert "not a number of generations above 0" in capsys.readouterr().err


def test_metrics_on_request_are_those_that_there_are() -> None:
    from spacediff.metric_info import OptionalMetric
    from spacediff.metrics import OPTIONAL

    assert typing.get_args(OptionalMetric) == tuple(metric.name for metric in OPTIONAL)


WHY = ["why", "--script", "run.py", "--space", "a/b"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--plan-only", "--budget", "3"], "--budget has no effect with --plan-only"),
        (["--plan-only", "--approximate"], "--approximate has no effect with --plan-only"),
        (["--format", "json"], "--format json needs --plan-only"),
        (["--paln-only"], "unrecognized arguments: --paln-only"),
        (["--patch", ""], "argument --patch: the name is empty"),
        (["--call", "abc"], "argument --call: 'abc' is not LINE or FILE:LINE"),
        (["--call", "0"], "argument --call: '0' is not LINE or FILE:LINE"),
        (["--space-call=-5"], "argument --space-call: '-5' is not LINE or FILE:LINE"),
        (["--space-call", "app.py:"], "argument --space-call: 'app.py:' is not LINE or FILE:LINE"),
    ],
)
def test_an_option_that_cannot_work_is_refused_with_the_usage_of_its_command(
    more: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([*WHY, *more])
    assert caught.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("usage: spacediff why ")
    assert f"spacediff why: error: {named}" in shown


@pytest.mark.parametrize(
    "place", ["7", "app.py:7", "C:\\app.py:7", "n.ipynb, cell 2, line 7", "cell 2, line 7", "line 7"]
)
def test_a_call_is_named_by_its_line(place: str) -> None:
    options = parse(["read", "x", "--call", place])
    assert isinstance(options, ReadOptions)
    assert options.call == place


@pytest.mark.parametrize("command", ["audit", "why", "read", "compare", "report", "approve"])
def test_the_help_of_a_command_lists_its_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    assert "exit codes:\n  0  " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("adit a.toml", "there is no command 'adit'; did you mean 'audit'?"),
        ("frobnicate", "there is no command 'frobnicate'"),
        ("audit a.toml --bugdet 3", "unrecognized arguments: --bugdet 3; did you mean '--budget'?"),
        ("read run.py --colour=yes", "unrecognized arguments: --colour=yes"),
        ("report a --plan-only", "unrecognized arguments: --plan-only"),
    ],
)
def test_a_misspelt_word_gets_the_nearest_one(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(words.split())
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {said}\n")


def test_who_looks_for_the_plan_of_an_audit_learns_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["audit", "a.toml", "--plan-only"])
    said = capsys.readouterr().err.splitlines()[-1]
    assert "unrecognized arguments: --plan-only; in Python, spacediff.plan_audit(SCENARIO).runs are the runs" in said
    assert "--only" not in said


def test_the_exit_codes_of_versions_are_in_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["versions", "--help"])
    assert "3  no two releases could be compared" in capsys.readouterr().out


def test_no_word_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("usage: spacediff")


@pytest.mark.parametrize(
    ("words", "shown"), [("help", "usage: spacediff [-h]"), ("help audit", "usage: spacediff audit")]
)
def test_help_is_a_command_too(words: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(words.split())
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(shown)


def test_json_is_short_for_the_format() -> None:
    options = parse(["read", "run.py", "--json"])
    assert isinstance(options, ReadOptions)
    assert options.format == "json"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_options_and_files(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "why" in script
    assert "no-reuse" in script
    files = {"bash": "_shtab_compgen_files", "zsh": "_files", "fish": "__fish_complete_path"}[shell]
    assert script.count(files) > 5


def test_bash_completes_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    (tmp_path / "completion").write_text(capsys.readouterr().out)
    asked = """
        source completion
        complete -p spacediff > /dev/null || exit 1
        COMP_WORDS=(spacediff comp); COMP_CWORD=1
        $(complete -p spacediff | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        [shutil.which("bash") or "", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {"compare", "completion"}
