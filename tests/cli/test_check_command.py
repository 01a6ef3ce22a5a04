from __future__ import annotations

import json

import pytest

from spacediff.api import checks
from spacediff.checking.result import Answer, Call, Purpose, Question, SpaceCheck, Standing
from spacediff.cli.commands import main
from spacediff.errors import Exit
from spacediff.record import FactKind, fact

FRAMES = ("a", "b")
CALLS = (
    Call(Purpose.FIRST, seconds=12.0, frames=FRAMES, used_cache="no"),
    Call(Purpose.AGAIN, seconds=11.0, code="space-failed", reason="CUDA \x1b[31merror", hint="try later"),
)
ANSWERS = (
    Answer(Question.REPEATS, Standing.UNKNOWN, fact(FactKind.SPACE_CALL_FAILED, reason="CUDA \x1b[31merror"), 1),
    Answer(
        Question.RANDOMISED,
        Standing.FINE,
        fact(FactKind.SPACE_SWITCH_OFF, inputs=["random\x1b[31m[red]"], usually_on=[]),
        0,
    ),
)


def found(**changes: object) -> SpaceCheck:
    known = {"calls": CALLS, "answers": ANSWERS, **changes}
    return SpaceCheck("org/space", "/run", {"prompt": "{prompt}"}, "0" * 64, {}, 6, **known)  # type: ignore[arg-type]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> list[SpaceCheck]:
    """What the next check finds; the Space itself is tested in tests/checking."""
    finds: list[SpaceCheck] = []
    monkeypatch.setattr("spacediff.checking.check.check", lambda *_: finds[0])
    return finds


def test_answers_are_a_table_with_the_calls_that_they_rest_on(
    answering: list[SpaceCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    answering.append(found())
    assert main(["check", "org/space"]) == Exit.NOT_MEASURED
    printed = capsys.readouterr()
    assert "question            calls  answer" in printed.out
    assert "repeats itself      1      Not known, the call failed: CUDA" in printed.out
    assert "randomising switch  none   Off: random" in printed.out
    assert "[red]" in printed.out
    assert "\x1b" not in printed.out + printed.err
    assert "2 calls of at most 6: whether the Space repeats itself is not known" in printed.out
    assert "error[space-failed]: CUDA" in printed.err


def test_an_interrupted_check_prints_what_was_found(
    answering: list[SpaceCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    answering.append(found(finished=False))
    assert main(["check", "org/space"]) == Exit.INTERRUPTED
    printed = capsys.readouterr().out
    assert "randomising switch" in printed
    assert "interrupted; what was found until then is above" in printed


def test_json_has_every_answer_and_call(answering: list[SpaceCheck], capsys: pytest.CaptureFixture[str]) -> None:
    answering.append(found())
    assert main(["check", "org/space", "--json"]) == Exit.NOT_MEASURED
    read = json.loads(capsys.readouterr().out)
    assert [each["question"] for each in read["answers"]] == ["repeats itself", "randomising switch"]
    assert read["answers"][1]["kind"] == "space-switch-off"
    assert [each["code"] for each in read["calls"]] == ["", "space-failed"]
    assert read["calls"][0]["frames"] == list(FRAMES)
    assert read["exit_code"] == Exit.NOT_MEASURED


def test_a_scenario_without_a_space_and_another_endpoint_than_the_scenarios_are_refused(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("scenarios")
    prompt = '[prompts.a]\ntext = "a lemon"\nseed = 1\n[baseline]\nmodel = { id = "builtin:tiny-cogvideox-random" }\n'
    (folder / "clip.mp4").write_bytes(b"")
    (folder / "file.toml").write_text(f'title = "t"\n{prompt}[reference.video]\nfile = "clip.mp4"\n')
    (folder / "space.toml").write_text(f'title = "t"\n{prompt}[reference.space]\nid = "org/space"\nendpoint = "/run"\n')
    assert main(["check", str(folder / "file.toml")]) == Exit.BAD_INPUT
    assert "is no Space" in capsys.readouterr().err
    assert main(["check", str(folder / "space.toml"), "--endpoint", "/other"]) == Exit.BAD_INPUT
    assert "names the endpoint /run" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nobody", "./app.py", "org/name/more", ""])
def test_what_names_no_space_is_refused_before_anything_is_asked(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == Exit.BAD_INPUT
    said = " ".join(capsys.readouterr().err.split())
    assert f"{name!r} is not a Space of the Hub" in said
    assert "give ORG/NAME" in said


def test_the_usual_budget_is_the_same_in_library_and_command() -> None:
    from spacediff.cli.parser import parse

    assert getattr(parse(["check", "org/space"]), "calls", None) == checks.CALLS
