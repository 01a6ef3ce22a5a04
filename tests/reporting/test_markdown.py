from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from spacediff.record import (
    AuditRecord,
    CauseRecord,
    Change,
    FactChange,
    GateRecord,
    GateStatus,
    HistoryRecord,
    Origin,
    SettingRecord,
    Standing,
    Subject,
    SuspectRecord,
    VariantHistory,
    Verdict,
    quoted,
    with_derived,
)
from spacediff.reporting.markdown import LIMIT, SUMMARY_LIMIT, render_markdown, render_summary
from support.fuzzing import examples
from support.hostile_audit import hostile
from support.markdown_texts import NOTICED, RENDERER, TEXTS
from support.quickstart import Finished
from support.synthetic_audit import synthetic_audit


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return synthetic_audit(tmp_path_factory.mktemp("audit"), frames=2, size=(32, 48))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
@given(text=TEXTS)
def test_foreign_texts_draw_no_element_and_reach_nobody(record: AuditRecord, text: str) -> None:
    for render in (render_markdown, render_summary):
        drawn = render(hostile(record, text))
        tokens = RENDERER.parse(drawn)
        inner = [child for token in tokens for child in token.children or []]
        breaks = {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
        assert {child.type for child in inner} <= breaks
        blocks = [token.content.strip() for token in tokens if token.type == "html_block"]
        assert all(block.startswith(("<details", "</details>")) and block.count("<") <= 4 for block in blocks)
        assert not any(NOTICED.search(child.content) for child in inner if child.type == "text")
        assert "fence" in {token.type for token in tokens} or render is render_summary


def test_a_text_that_is_not_made_inert_would_be_found(record: AuditRecord) -> None:
    drawn = render_markdown(record) + "\n\nping @octocat <b>x</b>\n"
    inner = [child for token in RENDERER.parse(drawn) for child in token.children or []]
    assert "html_inline" in {child.type for child in inner}
    assert any(NOTICED.search(child.content) for child in inner if child.type == "text")


def test_verdict_cause_tables_and_command_are_there(record: AuditRecord) -> None:
    suspect = SuspectRecord(path="rng.device", start="cuda", target="cpu", standing=Standing.CAUSE)
    cause = CauseRecord(prompt="lemon", start="baseline", target="as-hosted", finished=True, suspects=[suspect])
    drawn = render_markdown(record.model_copy(update={"cause": cause}))
    assert "- `as-hosted`: **" in drawn
    assert "- **Cause**: The baseline differs from as-hosted because of one setting: device of the noise." in drawn
    assert '```python\ngenerator = torch.Generator("cpu").manual_seed(seed)\n```' in drawn
    assert "- **Gate passed** (`as-hosted`): as-hosted stays within 0.05." in drawn
    for title in ("Variants, closest first (7)", "Settings that differ (", "Environment (6)"):
        assert f"<details><summary>{title}" in drawn
    assert "| `scheduler.class` | `CogVideoXDDIMScheduler` (default) | `CogVideoXDPMScheduler` (declared) |" in drawn
    assert "```console\nspacediff audit scenarios/cogvideox-lemon.toml\n```" in drawn
    assert "was not measured: sequential offload needs a CUDA device" in drawn


@pytest.mark.parametrize(("render", "limit"), [(render_markdown, LIMIT), (render_summary, SUMMARY_LIMIT)])
def test_a_long_audit_is_cut_and_says_so(record: AuditRecord, render: Any, limit: int) -> None:
    variant = next(run for run in record.runs if run.name == "dpm")
    compared = next(each for each in record.comparisons if each.candidate == "dpm")
    names = [f"variant-{n:04}-{'x' * 40}" for n in range(1500)]
    changed = record.model_copy(
        update={
            "runs": [*record.runs, *(variant.model_copy(update={"name": name}) for name in names)],
            "comparisons": [*record.comparisons, *(compared.model_copy(update={"candidate": n}) for n in names)],
            "warnings": [quoted("@" * 5000)] * 30,
            "command": "x" * 70_000,
            "prompts": [record.prompts[0].model_copy(update={"text": "`" * 20_000})],
        }
    )
    drawn = render(with_derived(changed))
    assert limit * 0.8 < len(drawn) < limit
    table = drawn.split("closest first (1507)</summary>")[1].split("</details>")[0]
    assert f"{1507 - table.count('| `')} more rows left out" in table
    assert "Variants, closest first (1507)" in drawn
    assert len(render(record)) < limit
    assert "left out" not in render(record)


def test_settings_that_differ_only_where_a_cell_is_cut_are_in_the_table(record: AuditRecord) -> None:
    start = "a" * 400
    texts = {"baseline": f"{start}b", "as-hosted": f"{start}c", "reference": f"{start}c"}
    runs = [
        run.model_copy(
            update={
                "settings": run.settings
                | {"call.negative_prompt": SettingRecord(value=texts[run.name], origin=Origin.DECLARED)}
            }
        )
        if run.name in texts
        else run
        for run in record.runs
    ]
    drawn = render_markdown(with_derived(record.model_copy(update={"runs": runs})))
    table = drawn.split("<summary>Settings that differ (")[1].split("</details>")[0]
    assert "| `call.negative_prompt` |" in table
    assert "| `call.num_frames` |" not in table, "the reference does not report it, and the others agree"


def settings_table_of(record: AuditRecord) -> str:
    drawn = render_markdown(with_derived(record))
    return drawn.split("<summary>Settings that differ (")[1].split("</details>")[0]


def test_the_baseline_is_shown_beside_the_run_that_it_is_to_become(record: AuditRecord) -> None:
    """Without a gate, too: the search has a target."""
    gateless = record.model_copy(update={"gate": GateRecord(status=GateStatus.NONE)})
    assert "| setting | `baseline` | `reference` |" in settings_table_of(gateless)
    cause = CauseRecord(prompt="lemon", start="baseline", target="dpm", finished=True)
    searched = settings_table_of(gateless.model_copy(update={"cause": cause}))
    assert "| setting | `baseline` | `dpm` | `reference` |" in searched
    own = "`CogVideoXDDIMScheduler` (default) | `CogVideoXDPMScheduler` (declared) | `CogVideoXDPMScheduler` (read)"
    assert f"| `scheduler.class` | {own} |" in searched


def test_a_reference_that_reports_none_of_the_settings_has_no_column(record: AuditRecord) -> None:
    runs = [run.model_copy(update={"settings": {}}) if run.name == "reference" else run for run in record.runs]
    table = settings_table_of(record.model_copy(update={"runs": runs}))
    assert "| setting | `baseline` | `as-hosted` |\n" in table
    assert "not reported" not in table


def test_a_run_that_never_began_shows_what_it_declares(record: AuditRecord) -> None:
    """Its defaults were not resolved, which is not the same as a reference that does not report them."""
    gate = record.gate.model_copy(update={"variant": "sequential"})
    runs = [
        run.model_copy(update={"changes": {"call.guidance_scale": 9.0}}) if run.name == "sequential" else run
        for run in record.runs
    ]
    table = settings_table_of(record.model_copy(update={"gate": gate, "runs": runs}))
    assert "| `call.guidance_scale` | `6.0` (declared) | `9.0` (declared) | `7.0` (read) |" in table
    assert "| `scheduler.class` | `CogVideoXDDIMScheduler` (default) | not resolved |" in table


def with_prompts(record: AuditRecord, count: int, text: str = "a lemon") -> AuditRecord:
    """Return the record with its prompt repeated under other names."""
    names = [f"prompt-{n}" for n in range(count)]
    changed = record.model_copy(
        update={
            "prompts": [record.prompts[0].model_copy(update={"name": name, "text": text}) for name in names],
            "runs": [run.model_copy(update={"prompt": name}) for name in names for run in record.runs],
            "comparisons": [each.model_copy(update={"prompt": name}) for name in names for each in record.comparisons],
        }
    )
    return with_derived(changed)


@pytest.mark.parametrize(("render", "limit"), [(render_markdown, LIMIT), (render_summary, SUMMARY_LIMIT)])
def test_hundreds_of_prompts_are_cut_and_say_so(record: AuditRecord, render: Any, limit: int) -> None:
    drawn = render(with_prompts(record, 120, "a lemon " * 60))
    assert limit * 0.6 < len(drawn) < limit
    shown = sum(line.startswith("- `prompt-") for line in drawn.splitlines()) // 2
    assert 5 < shown < 120
    assert f"- {120 - shown} more prompts left out to keep this short; the report has all of them." in drawn
    assert drawn.count("more rows left out") >= 1
    assert "| `prompt-0` | 1 | `as-hosted` |" in drawn
    assert "more prompt" not in render(with_prompts(record, 3))


@pytest.mark.parametrize(("render", "limit"), [(render_markdown, LIMIT), (render_summary, SUMMARY_LIMIT)])
def test_whatever_a_record_holds_the_length_is_bounded(record: AuditRecord, render: Any, limit: int) -> None:
    ticks = "`" * 700
    monster = hostile(record, ticks).model_copy(
        update={
            "warnings": [quoted(f"{ticks}{n}") for n in range(50)],
            "gate": GateRecord(
                status=GateStatus.FAILED, variant=ticks, reasons=[quoted(f"{ticks}{n}") for n in range(50)]
            ),
            "metrics": [dataclasses.replace(record.metrics[0], name=f"m{n}", title=ticks) for n in range(500)],
        }
    )
    drawn = render(with_prompts(monster, 3, ticks))
    assert len(drawn) < limit
    assert ("too long to show here" in drawn) == (render is render_summary)


def test_reasons_that_are_not_shown_are_counted(record: AuditRecord) -> None:
    gate = GateRecord(status=GateStatus.FAILED, reasons=[quoted("far")] * 11)
    assert ": far. far. far. far. far. far. far. far. 3 more in the report." in render_markdown(
        record.model_copy(update={"gate": gate})
    )


def test_the_text_of_a_private_prompt_is_not_shown(record: AuditRecord) -> None:
    hidden = record.model_copy(update={"prompts": [record.prompts[0].model_copy(update={"private": True})]})
    assert "A hand squeezes" in render_markdown(record)
    drawn = render_markdown(hidden)
    assert "A hand squeezes" not in drawn
    assert "The prompt is private" in drawn
    assert "| `dpm` |" in drawn


def test_what_changed_over_time_is_reported(record: AuditRecord) -> None:
    moved = VariantHistory(
        prompt="lemon", name="dpm", change=Change.WORSE, verdict_before=Verdict.CODEC_ONLY,
        verdict_now=Verdict.SETTINGS_DIFFER, drift_before=0.0, drift_now=0.4321, equal_frames=False,
    )  # fmt: skip
    fact = FactChange(subject=Subject.SPACE, name="commit", before="5f3f1c7", now=None)
    history = HistoryRecord(
        against="the accepted state", created="2025-11-22T19:13:04+00:00", variants=[moved], facts=[fact],
    )  # fmt: skip
    for render in (render_markdown, render_summary):
        drawn = render(record.model_copy(update={"history": history}))
        assert "- **Over time**, compared with the accepted state of `2025-11-22 19:13 UTC`: Worse: dpm." in drawn
        row = "codec only, drift 0.000 | settings differ, drift 0.432 | worse, different pixels |"
        assert f"| `lemon / dpm` | {row}" in drawn
        assert "| `commit` | `5f3f1c7` | — | the Space |" in drawn


def test_the_markdown_of_a_real_audit(quickstart: Finished) -> None:
    drawn = render_markdown(quickstart.record)
    assert len(drawn) < LIMIT
    assert "`as-hosted`: **codec only**, drift 0.000" in drawn
    assert "**Cause**: The baseline differs from the Space because of three settings" in drawn
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(drawn)
    assert rendered.count("<details>") == rendered.count("</details>") == 4
    assert rendered.count("<table>") == 3


def test_an_audit_without_anything_draws(record: AuditRecord, tmp_path: Path) -> None:
    empty = record.model_copy(update={"runs": [], "comparisons": [], "prompts": [], "metrics": []})
    assert "None." in render_markdown(with_derived(empty))
    unmeasured = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    reference = unmeasured.runs[0].model_copy(update={"measured": False, "clip": None, "reason": "the Space sleeps"})
    gone = unmeasured.model_copy(update={"runs": [reference, *unmeasured.runs[1:]]})
    assert "The reference was not measured, so nothing could be compared with it: the Space sleeps" in render_markdown(
        with_derived(gone)
    )
