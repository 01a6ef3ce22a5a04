from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacediff.record import AuditRecord, Role, RunRecord, TraceRecord, Verdict, with_derived
from spacediff.record.derived.isolated_steps import isolated_steps
from spacediff.reporting.html import render_html
from spacediff.reporting.isolated_steps import most_of
from spacediff.reporting.view import prompt_view
from spacediff.wording import trace_text
from support.html_page import Page, change_comparison, change_run, draw, order, ranks
from support.synthetic_traces import STEPS, with_traces


@pytest.fixture
def traced(record: AuditRecord) -> AuditRecord:
    return with_traces(record)


def inside(record: AuditRecord, folder: Path) -> str:
    """Return the words of the section, with single spaces; cells are words of their own."""
    source = render_html(with_derived(record), folder).replace("</td>", "</td> ").replace("</th>", "</th> ")
    text = " ".join(Page(source).text.split())
    return text[text.index(" Inside the loop ") : text.index(" Variants by distance to the reference")]


def change_trace(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    run = record.run("lemon", name)
    assert run.trace
    return change_run(record, name, trace=run.trace.model_copy(update=changes))


def test_without_traces_there_is_no_section(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    assert "Inside the loop" not in page.text
    assert not any("inside" in (attrs.get("class") or "").split() for attrs in page.named("section"))


def test_it_is_said_what_runs_are_held_against_and_why(traced: AuditRecord, folder: Path) -> None:
    assert "no local run reproduces that clip, so the baseline replaces the reference" in inside(traced, folder)
    reached = change_comparison(traced, "baseline", verdict=Verdict.CODEC_ONLY)
    assert "this run reproduces that clip (codec only), so it replaces the reference" in inside(reached, folder)
    local = traced.model_copy(update={"reference": "baseline", "comparisons": []})
    assert "baseline, stage by stage: it is the reference, and was generated here." in inside(local, folder)
    recorded = change_run(local, "baseline", source="recording")
    assert "baseline, stage by stage: it is the reference. " in inside(recorded, folder)


def test_divergences_stand_from_the_earliest_stage_to_the_last(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    found = [trace_text(trace) for trace in traced.traces if trace.candidate not in {"on-gpu", "seed-43"}]
    assert all(sentence in text for sentence in found)
    places = ["at the text embedding", "at the initial noise", "at step 1", "at step 3", "identical on-gpu"]
    assert [text.index(place) for place in places] == sorted(text.index(place) for place in places)
    assert "as-hosted, seed-43 control The initial noise differs" in text


def test_a_row_and_the_evidence_say_where_a_run_parts(traced: AuditRecord, folder: Path) -> None:
    text = " ".join(draw(traced, folder).text.split())
    assert "diverges at step 3" in text
    assert "identical in every stage" in text
    assert "Inside the loop, compared with baseline: Identical up to step 2 of 4." in text


def test_every_number_of_the_plots_is_in_a_table(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "Distance of the latents as a table" in text
    assert "3 110% 50.0% 1.23% 0% 111%" in text  # step 3; cpu-noise has no distances
    assert "No distances for cpu-noise" in text
    assert "4 6 6.75" in text
    assert (
        "Timesteps as a table step baseline, as-hosted, cpu-noise, dynamic-cfg, on-gpu, seed-43 dpm 1 999 980" in text
    )


def test_curves_that_coincide_are_drawn_once(traced: AuditRecord) -> None:
    view = prompt_view(traced, traced.prompts[0]).inside
    assert view
    assert view.guidance
    assert [curve.names for curve in view.guidance.curves] == [
        ["baseline", "cpu-noise", "dpm", "on-gpu", "seed-43"],
        ["as-hosted", "dynamic-cfg"],
    ]
    assert view.distances
    assert view.distances.controls == ["seed-43"]
    assert view.distances.steps == list(range(STEPS + 1))


def test_guidance_that_changes_is_explained(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "changes inside the loop: as-hosted, dynamic-cfg between 1.25 and 6.75" in text
    assert "CogVideoXPipeline.__call__" in text
    assert "Here t starts at 999, above N = 4" in text
    fixed = [{"guidance": 6.0}] * STEPS
    flat = traced
    for name in ("dynamic-cfg", "as-hosted"):
        steps = traced.run("lemon", name).trace.steps  # type: ignore[union-attr]
        flat = change_trace(flat, name, steps=[s.model_copy(update=c) for s, c in zip(steps, fixed, strict=True)])
    assert "The effective guidance scale was 6 in every step of every run." in inside(flat, folder)


def test_own_errors_name_the_steps_that_make_most_of_them(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "Each step was given the latents of baseline" in text
    assert "Step 3 of 4 contributes 75.0% of the sum of own errors." in text
    assert "3 1.23% 75.0% 1.23%" in text
    other = traced.model_copy(
        update={"traces": [trace.model_copy(update={"reference": "dpm"}) for trace in traced.traces]}
    )
    assert "was measured from dpm, not from the run that gave the latents" in inside(other, folder)


def test_steps_that_stand_alone_are_no_variant(traced: AuditRecord, folder: Path) -> None:
    page = draw(traced, folder)
    assert "dynamic-cfg-alone" not in order(page)
    assert "dynamic-cfg-alone" not in ranks(traced)
    assert "dynamic-cfg-alone" not in json.dumps(page.data("report-data"))
    assert "dynamic-cfg-alone" not in page.text.split("Accepted, but ignored")[1]
    lost = change_run(traced, "dynamic-cfg-alone", measured=False, clip=None, trace=None, reason="no room", hint="buy")
    assert "Each step in isolation: dynamic-cfg Not measured: no room buy" in inside(lost, folder)


def test_time_memory_and_what_was_shared_are_reported(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "baseline 0.079 s531 MiB 4.25 s21.00 GiB 2 min 10 s25.00 GiB 3 min 32 s nothing" in text
    assert "on-gpu 0.079 sin an earlier run 4.25 sin an earlier run" in text
    assert "1 run reused the text embeddings of an earlier run" in text
    assert "only decoded them, which saved 4.33 s of encoding and denoising" in text


def test_latents_that_are_no_numbers_are_warned_of(traced: AuditRecord, folder: Path) -> None:
    assert "NaN" not in inside(traced, folder)
    steps = traced.run("lemon", "dpm").trace.steps  # type: ignore[union-attr]
    broken = [step.model_copy(update={"nonfinite": 12 * (n > 1)}) for n, step in enumerate(steps)]
    assert "dpm: the latents contain 12 infinite or NaN values after step 3" in inside(
        change_trace(traced, "dpm", steps=broken), folder
    )


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([0.0, 0.0], ""),
        ([], ""),
        ([3.0, 1.0], "Step 1 of 2 contributes 75.0% of the sum of own errors."),
        ([1.0, 1.0, 1.0, 0.0, 0.0], "Steps 1 and 2 of 5 contribute 66.7% of the sum of own errors."),
        ([0.0, *[1.0] * 3, *[0.0] * 8, 0.9, 0.4, 0.9], "Steps 2 to 4 of 15 contribute 57.7% of the sum of own errors."),
        (
            [2.0, *[1.0] * 48],
            (
                "No few steps dominate: half of the sum of own errors comes from 24 of 49 steps; "
                "the largest, step 1, contributes 4.00%."
            ),
        ),
    ],
)
def test_most_of_names_few_steps_or_says_that_there_are_none(errors: list[float], said: str) -> None:
    run = RunRecord(
        key="k", name="dpm-alone", role=Role.STEPS, prompt="lemon", source="diffusers", measured=True,
        fed_by="baseline", trace=TraceRecord(own_errors=errors),
    )  # fmt: skip
    assert most_of(isolated_steps(run, [])) == said
