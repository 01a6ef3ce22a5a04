"""Audits over time, with real generations by the real commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.errors import NotAcceptable
from spacediff.gate.accepted import approve as accept
from spacediff.record import Change, GateStatus, Subject, Verdict, read_record
from support.synthetic_audit import synthetic_audit

SCENARIO = """
title = "over time"
[prompts.lemon]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 2, num_frames = 9, guidance_scale = GUIDANCE }
placement = "cpu"
[variants.hosted]
call.guidance_scale = 7.0
[reference]
variant = "hosted"
[scale]
seeds = 1
rerun = false
[gate]
against = "accepted"
"""


def test_a_state_is_accepted_held_against_and_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "job-page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    scenario, folder = Path("mine.toml"), Path("audits/mine")

    def audit(*more: str) -> tuple[int, str]:
        code = main(["audit", str(scenario), *more])
        return code, capsys.readouterr().out

    # nothing accepted yet: never green
    scenario.write_text(SCENARIO.replace("GUIDANCE", "7.0"))
    code, printed = audit()
    assert code == 3
    assert "There is no accepted state to compare with" in printed
    assert page.read_text().count("### spacediff") == 1

    # accepted, and held
    assert main(["approve", str(scenario)]) == 0
    assert "accepted: mine.accepted.json" in capsys.readouterr().out
    assert Path("mine.accepted.json").is_file()
    code, printed = audit()
    assert code == 0
    assert "compared with the accepted state: Every variant is as before." in printed
    assert page.read_text().count("### spacediff") == 2

    # worse: the gate failed, and the fact that changed stands beside
    scenario.write_text(SCENARIO.replace("GUIDANCE", "6.0"))
    code, printed = audit()
    assert code == 1
    assert "Worse: baseline." in printed
    assert "setting of baseline, call.guidance_scale: 7.0 → 6.0" in printed
    record = read_record(folder)
    assert record.gate.status is GateStatus.FAILED
    assert record.history is not None
    (moved,) = record.history.variants
    assert (moved.change, moved.verdict_before, moved.equal_frames) == (Change.WORSE, Verdict.IDENTICAL, False)
    assert [(fact.subject, fact.before, fact.now) for fact in record.history.facts] == [(Subject.SETTING, 7.0, 6.0)]
    assert 'id="history"' in (folder / "report.html").read_text()

    # looked at and accepted anew
    assert main(["approve", str(scenario)]) == 0
    assert "compared with what was accepted before: Worse: baseline." in capsys.readouterr().out
    assert audit()[0] == 0

    # the same setting as the reference's again: better, which no gate forbids
    scenario.write_text(SCENARIO.replace("GUIDANCE", "7.0"))
    code, printed = audit("--out", "other")
    assert code == 0
    assert "Better: baseline." in printed

    # any two audits: a folder in place of the accepted state, which the gate then cannot speak of
    code, printed = audit("--out", "other", "--against", str(folder), "--no-reuse", "--strict")
    assert code == 3
    command = "spacediff audit mine.toml --no-reuse --strict --against audits/mine --out other"
    assert read_record(Path("other")).command == command
    assert "compared with mine: Better: baseline." in printed
    assert main(["report", "other", "--against", str(folder), "--format", "md", "--format", "html"]) == 0
    assert "compared with `mine` of" not in Path("other/issue.md").read_text()
    assert "- **Over time**, compared with mine of" in Path("other/issue.md").read_text()
    assert f"\n{command}; spacediff report other --against audits/mine\n" in Path("other/issue.md").read_text()


def test_an_audit_of_something_else_is_not_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["approve", str(tmp_path / "gone.toml"), "--out", str(tmp_path)]) == 2
    assert "is not an audit folder" in " ".join(capsys.readouterr().err.split())


def test_an_audit_that_compared_nothing_is_not_accepted(tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    scenario = tmp_path / record.scenario_name
    with pytest.raises(NotAcceptable, match="nothing was compared"):
        accept(record.model_copy(update={"comparisons": []}), scenario)
    without_reference = [
        each.model_copy(update={"metrics": {}, "verdict": Verdict.NOT_MEASURED}) for each in record.comparisons
    ]
    with pytest.raises(NotAcceptable, match="nothing was compared"):
        accept(record.model_copy(update={"comparisons": without_reference}), scenario)
    assert not list(tmp_path.glob("*.accepted.json"))
    assert accept(record, scenario)[0].is_file()
