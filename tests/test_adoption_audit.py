"""Audits of a real Gradio app that uses another seed and another text than it is asked for, and says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacediff.audit import audit
from spacediff.cli.summary import show_summary
from spacediff.errors import NotAcceptable
from spacediff.gate.accepted import approve
from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.record import AuditRecord, GateStatus, RunRecord, Verdict
from spacediff.reporting.html import write_report
from spacediff.reporting.markdown import render_markdown
from spacediff.scenario.scenario import parse_scenario
from support.gradio_servers import canary, space_app
from support.in_process import InProcess

pytestmark = pytest.mark.slow

TEXT = """
title = "Another sample"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 2, num_frames = 5 }
placement = "cpu"
[variants.guided]
call.guidance_scale = 2.0
[scale]
seeds = 1
[gate]
variant = "baseline"
"""
SPACE = """
[reference.space]
id = "{url}"
endpoint = "/own_way"
inputs = {{ prompt = "{{prompt}}", seed_value = "{{seed}}" }}
outputs = {{ video = 0, seed = 1, prompt = 2 }}
"""


def audited(text: str, folder: Path) -> AuditRecord:
    return audit(plan_scenario(parse_scenario(text, Path("t.toml"))), folder, SilentListener(), InProcess({}))


def the(record: AuditRecord, name: str) -> RunRecord:
    return record.run("p", name)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app that answers with the clip that the baseline gives for seed 7 and its own text."""
    made, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("hosted")
    its_own = TEXT.replace('"a lemon"', '"a lemon, cinematic"').replace("seed = 42", "seed = 7")
    its_own = its_own.replace('variant = "baseline"', 'variant = "guided"')
    clip = the(audited(f'{its_own}[reference]\nvariant = "baseline"\n', made), "baseline").clip
    assert clip is not None
    assert clip.delivered is not None
    shutil.copyfile(made / clip.delivered, folder / "clip.mp4")
    with canary() as (elsewhere, _), space_app(folder, elsewhere) as app:
        yield app.url


def test_the_local_runs_are_made_from_what_the_space_says_it_used(space: str, tmp_path: Path) -> None:
    text = TEXT + SPACE.format(url=space)
    record = audited(text, tmp_path)
    assert {c.candidate: c.verdict for c in record.comparisons}["baseline"] is Verdict.CODEC_ONLY
    assert record.gate.status is GateStatus.PASSED
    assert (record.prompts[0].seed, record.prompts[0].used_seed) == (42, 7)
    assert (record.prompts[0].text, record.prompts[0].used_text) == ("a lemon", "a lemon, cinematic")
    assert the(record, "baseline").settings["rng.seed"].value == 7
    written = render_markdown(record)
    assert "asked for seed 42 and says that it used 7" in written
    again = audited(text, tmp_path)
    assert [run.key for run in again.runs] == [run.key for run in record.runs], "from the kept answer, the same runs"


def test_another_sample_that_is_not_adopted_fails_no_gate(space: str, tmp_path: Path) -> None:
    declined = SPACE.format(url=space).replace("[reference.space]", "[reference]\nadopt = false\n[reference.space]")
    record = audited(TEXT + declined, tmp_path)
    assert {c.verdict for c in record.comparisons if c.candidate in {"baseline", "guided"}} == {Verdict.NOT_MEASURED}
    assert record.gate.status is GateStatus.NOT_MEASURED
    assert record.prompts[0].used_seed is None
    assert {each.values["why"] for each in record.about_reference} == {"declined"}


def test_without_a_reference_the_runs_here_are_compared_with_the_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explain = '[explain]\nfrom = "baseline"\nto = "guided"\nbudget = 3\n'
    record = audited(TEXT + explain + SPACE.format(url="http://127.0.0.1:9"), tmp_path)
    assert {run.name: run.measured for run in record.runs if run.role.value != "probe for the cause"} == {
        "reference": False, "baseline": True, "guided": True, "rerun": True, "seed-43": True,
    }  # fmt: skip
    assert {each.verdict for each in record.comparisons} == {Verdict.NOT_MEASURED}
    local = {each.candidate: each for each in record.local_comparisons}
    assert {each.reference for each in local.values()} == {"baseline"}
    assert local["rerun"].verdict is Verdict.IDENTICAL
    assert not local["guided"].verdict.matches
    assert local["guided"].drift is not None
    assert record.gate.status is GateStatus.NOT_MEASURED
    assert record.cause is not None
    assert record.cause.sufficient == ["call.guidance_scale"]
    assert record.cause.residual_suspects == []
    with pytest.raises(NotAcceptable):
        approve(record, tmp_path / "t.toml")
    show_summary(record, tmp_path / "none")
    said = " ".join(capsys.readouterr().out.split())
    assert "p: without a reference, compared with baseline" in said
    assert "The reference of p is unavailable." in said
    assert "so nothing could be compared with it" in said
    assert "How guided compares with the Space is unknown." in said
    assert "Without a reference, compared with the baseline" in render_markdown(record)
    page = write_report(record, tmp_path).read_text()
    assert "Nothing of it shows how they compare with the reference." in page
