from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from markupsafe import escape

from spacediff.record import (
    AuditRecord,
    CauseRecord,
    FirstDivergenceRecord,
    GateRecord,
    GateStatus,
    InteractionRecord,
    MapRecord,
    ProbeRecord,
    ProofRecord,
    Role,
    RunRecord,
    Standing,
    SuspectRecord,
    TraceRecord,
    Verdict,
    with_derived,
)
from spacediff.record.derived.isolated_steps import isolated_steps
from spacediff.reporting import numbers
from spacediff.reporting.axes import from_zero
from spacediff.reporting.charting import charting
from spacediff.reporting.html import render_html, write_report
from spacediff.reporting.isolated_steps import most_of
from spacediff.reporting.numbers import number
from spacediff.reporting.page import _templates
from spacediff.reporting.view import prompt_view
from spacediff.settings import Origin
from support.synthetic_audit import (
    METRICS,
    STEPS,
    compare,
    pictures,
    save_clip,
    setting,
    synthetic_audit,
    with_traces,
)

PSNR, SSIM, LPIPS = METRICS
HOSTILE = (
    "</script><script>window.stolen = 1</script><img src=x onerror=alert(1)>\"'><style>*{display:none}</style>"
    "{{ 7 * 7 }}<!-- \u202etxet\u2066 \u2028 \x1b[31m \x00 \ud800 "
)
ENDLESS = "long " * 4000


class Page(HTMLParser):
    """A page as a parser sees it: tags with attributes, the texts of scripts and styles, the visible text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._inside = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - whatever ends, its raw text does
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.raw:
            self.raw[self._inside][-1] += data
        else:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def data(self, name: str) -> Any:
        ids = [attrs.get("id") for attrs in self.named("script")]
        return json.loads(self.raw["script"][ids.index(name)])


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, Path]:
    folder = tmp_path_factory.mktemp("audit")
    return synthetic_audit(folder, frames=5, size=(32, 48)), folder


@pytest.fixture
def record(audit: tuple[AuditRecord, Path]) -> AuditRecord:
    return audit[0]


@pytest.fixture
def folder(audit: tuple[AuditRecord, Path]) -> Path:
    return audit[1]


def draw(record: AuditRecord, folder: Path) -> Page:
    return Page(render_html(with_derived(record), folder))


def change_run(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    runs = [run.model_copy(update=changes) if run.name == name else run for run in record.runs]
    return record.model_copy(update={"runs": runs})


def change_comparison(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    comparisons = [c.model_copy(update=changes) if c.candidate == name else c for c in record.comparisons]
    return record.model_copy(update={"comparisons": comparisons})


def poisoned(data: Any) -> Any:
    """Put the hostile text behind every text of a record that is not one of our own words or paths."""
    if isinstance(data, dict):
        own_words = {"source", "origin", "verdict", "role", "status", "digest", "preview", "stage"}
        return {key: item if key in own_words else poisoned(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [poisoned(item) for item in data]
    if isinstance(data, str):
        return f"{data}{HOSTILE}{ENDLESS if len(data) > 40 else ''}"  # sentences, not names
    return data


def renamed_keys(data: Any) -> Any:
    """Make the keys of free tables hostile as well."""
    for run in data["runs"]:
        run["settings"] = {f"{path}{HOSTILE}": found for path, found in run["settings"].items()}
        run["changes"] = {f"{path}{HOSTILE}": found for path, found in run["changes"].items()}
    for metric in data["metrics"]:
        metric["name"] = metric["name"].removesuffix(HOSTILE)
    environment = data["environment"]
    environment["local"] = {f"{name}{HOSTILE}": text for name, text in environment["local"].items()}
    return data


# ---- strangers' texts


@pytest.fixture(scope="module")
def hostile(audit: tuple[AuditRecord, Path]) -> Page:
    record, folder = audit
    return draw(AuditRecord.model_validate(renamed_keys(poisoned(with_traces(record).model_dump()))), folder)


def test_hostile_texts_add_no_script_style_or_picture(hostile: Page, record: AuditRecord, folder: Path) -> None:
    tame = draw(with_traces(record), folder)
    for tag in ("script", "style", "img", "link", "iframe", "meta"):
        assert len(hostile.named(tag)) == len(tame.named(tag)), tag
    assert not [name for tag, attrs in hostile.tags for name in attrs if name.startswith("on")]
    assert HOSTILE[:60] in hostile.text  # it is there, as text


def test_hostile_texts_reach_the_script_as_data(hostile: Page) -> None:
    assert hostile.data("report-data")["prompts"][0]["name"].startswith("lemon</script><script>")
    assert "{{ 7 * 7 }}" in hostile.text
    assert "49<!--" not in hostile.text


def test_what_cannot_be_seen_is_spelt_out(hostile: Page, folder: Path, record: AuditRecord) -> None:
    for unseen in "\u202e\u2066\u2028\x1b\x00\ud800":
        assert unseen not in hostile.text
    assert "⟨U+202E⟩txet⟨U+2066⟩" in hostile.text
    kept = draw(record.model_copy(update={"title": "ﷺ नमस्ते 👩‍🔬 \u200fשלם\nsecond line"}), folder)
    assert "👩‍🔬 \u200fשלם\nsecond line" in kept.text


def test_long_texts_stay_in_a_box_that_scrolls(hostile: Page, record: AuditRecord, folder: Path) -> None:
    assert any(attrs.get("class") == "long" for attrs in hostile.named("bdi"))
    assert not any(attrs.get("class") == "long" for attrs in draw(record, folder).named("bdi"))
    assert ENDLESS.strip() in hostile.text  # nothing is cut off


def test_no_setting_can_name_a_template(record: AuditRecord, folder: Path) -> None:
    page = draw(change_run(record, "dpm", changes={"scheduler": "{% include 'report.css' %}"}), folder)
    assert "{% include 'report.css' %}" in page.text


# ---- the page's own rules


def policy(page: Page) -> dict[str, list[str]]:
    content = next(a["content"] for a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert content is not None
    return {name: values for name, *values in (rule.split() for rule in content.split(";"))}


def test_policy_allows_exactly_the_inlined_script_and_style(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    rules = policy(page)
    assert rules["media-src"] == ["blob:"], "videos come from nowhere else"
    [style] = page.raw["style"]
    [script] = [
        text
        for text, attrs in zip(page.raw["script"], page.named("script"), strict=True)
        if attrs["type"] != "application/json"
    ]

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    assert rules["style-src"] == [digest(style)]
    drawing = charting()
    assert drawing
    packed = page.data("report-charting")["packed"]
    assert rules["script-src"] == [digest(script), digest(gzip.decompress(base64.b64decode(packed)).decode())]
    assert rules["script-src"][1] == digest(drawing.script)
    assert digest(script + " ") not in rules["script-src"]
    assert rules["default-src"] == ["'none'"]
    assert "unsafe" not in str(rules)


def test_nothing_is_fetched_and_nothing_is_styled_inline(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    for tag, attrs in page.tags:
        assert "style" not in attrs
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith(("#", "data:")), (tag, attrs)
    assert "url(" not in page.raw["style"][0]
    assert "@import" not in page.raw["style"][0]


def test_a_name_that_templates_do_not_know_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        _templates().from_string("{{ nothing }}").render()


def test_importing_the_report_loads_nothing_heavy() -> None:
    heavy = ["torch", "diffusers", "av", "numpy", "pandas", "gradio_client", "cv2"]
    code = f"import sys, spacediff.reporting.html; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_report_is_written_whole_or_not_at_all(
    record: AuditRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(record, tmp_path)
    first = path.read_text("utf-8")
    assert first == render_html(record, tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.setattr("spacediff.reporting.page.SCRIPTS", ("missing.js",))
    with pytest.raises(OSError, match=r"missing\.js"):
        write_report(record, tmp_path)
    assert path.read_text("utf-8") == first
    assert list(tmp_path.iterdir()) == [path]


# ---- previews


def clips(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.data("report-clips")
    return found


def test_equal_previews_are_embedded_once(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    measured = [run for run in record.runs if run.clip]
    assert len(clips(page)) == len({run.clip.digest for run in measured if run.clip}) == len(measured) - 1
    keys = {v["name"]: v["clip"]["key"] for v in page.data("report-data")["prompts"][0]["variants"] if v["clip"]}
    assert keys["on-gpu"] == keys["baseline"] != keys["dpm"]


def test_equal_frames_at_another_rate_are_another_preview(record: AuditRecord, folder: Path) -> None:
    run = record.run("lemon", "on-gpu")
    assert run.clip
    slower = change_run(record, "on-gpu", clip=run.clip.model_copy(update={"fps": 4.0}))
    assert len(clips(draw(slower, folder))) == len(clips(draw(record, folder))) + 1


def test_a_missing_preview_is_said_not_raised(record: AuditRecord, tmp_path: Path) -> None:
    page = draw(record, tmp_path)
    assert clips(page) == {}
    assert "preview file is missing" in page.text
    assert page.data("report-data")["prompts"][0]["clip"] is None


@pytest.mark.parametrize("preview", ["../secret.mp4", "{absolute}", "previews/../../secret.mp4", "notes.txt"])
def test_only_videos_of_the_audit_folder_are_embedded(record: AuditRecord, tmp_path: Path, preview: str) -> None:
    inside = tmp_path / "audit"
    inside.mkdir()
    (tmp_path / "secret.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom secret")
    (inside / "notes.txt").write_bytes(b"not a video")
    run = record.run("lemon", "dpm")
    assert run.clip
    aimed = preview.format(absolute=tmp_path / "secret.mp4")
    page = draw(change_run(record, "dpm", clip=run.clip.model_copy(update={"preview": aimed})), inside)
    assert clips(page) == {}


def test_a_video_of_the_audit_folder_is_embedded(record: AuditRecord, tmp_path: Path) -> None:
    (tmp_path / "own.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom own")
    run = record.run("lemon", "dpm")
    assert run.clip
    page = draw(change_run(record, "dpm", clip=run.clip.model_copy(update={"preview": "own.mp4"})), tmp_path)
    assert [base64.b64decode(text) for text in clips(page).values()] == [b"\x00\x00\x00\x18ftypisom own"]


# ---- what is said


def sentence(page: Page, start: str) -> str:
    at = page.text.index(start)
    return " ".join(page.text[at : at + 200].split())


def test_the_gate_says_what_the_record_says(record: AuditRecord, folder: Path) -> None:
    said = {
        GateStatus.HOLDS: "Gate holds",
        GateStatus.FAILS: "Gate fails",
        GateStatus.NOT_MEASURED: "Gate not measured",
        GateStatus.NONE: "No gate",
    }
    for status, words in said.items():
        gate = record.gate.model_copy(update={"status": status})
        source = render_html(with_derived(record.model_copy(update={"gate": gate})), folder)
        assert words in Page(source).text
        assert ("g-holds" in source.split("</style>")[1]) == (status is GateStatus.HOLDS)
        assert [other for other in said.values() if other in Page(source).text] == [words]


def test_without_a_gate_the_closest_and_the_farthest_are_named(record: AuditRecord, folder: Path) -> None:
    page = draw(record.model_copy(update={"gate": GateRecord(status=GateStatus.NONE)}), folder)
    ranked = [name for name, rank in ranks(record).items() if rank]
    assert sentence(page, "Closest ").startswith(f"Closest {ranked[0]}")
    assert sentence(page, "Farthest ").startswith(f"Farthest {ranked[-1]}")


def ranks(record: AuditRecord) -> dict[str, str]:
    return {row.run.name: row.rank for row in prompt_view(with_derived(record), record.prompts[0]).rows}


def order(page: Page) -> list[str]:
    return [name for attrs in page.named("tr") if (name := attrs.get("data-pick"))]


def test_variants_stand_from_the_closest_to_the_farthest(record: AuditRecord, folder: Path) -> None:
    names = order(draw(record, folder))
    drifts = {c.candidate: c.drift for c in record.comparisons}
    scored = [name for name in names if name in drifts and name != "seed 43"]
    assert scored == sorted(scored, key=lambda name: drifts[name] or 0.0)
    assert names[0] == "as-hosted"
    assert names[-2:] == ["sequential", "seed 43"]  # not measured, then the control


def test_equal_variants_share_their_rank(record: AuditRecord, folder: Path) -> None:
    found = ranks(record)
    assert found["baseline"] == found["on-gpu"]
    assert found["baseline"].endswith("=")
    assert found["as-hosted"] == "1"
    assert found["baseline"] in draw(record, folder).text


def test_without_drift_the_first_metric_orders(record: AuditRecord, folder: Path) -> None:
    blind = change_comparison(record, "dpm", drift=None)
    pooled = {c.candidate: c.metrics["psnr"].pooled for c in record.comparisons}
    scored = [name for name in order(draw(blind, folder)) if name in pooled and name != "seed 43"]
    assert scored == sorted(scored, key=lambda name: -pooled[name])
    assert "cannot tell" in draw(blind, folder).text


def test_not_measured_says_why_and_what_to_do(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    run = record.run("lemon", "sequential")
    assert run.reason in page.text
    assert run.hint in page.text


def test_not_comparable_is_not_ranked(record: AuditRecord, folder: Path) -> None:
    apart = change_comparison(
        record,
        "dpm",
        verdict=Verdict.NOT_COMPARABLE,
        metrics={},
        per_frame={},
        frame_map=[],
        drift=None,
        evidence=["the reference is 48x32 pixels, this clip 96x64"],
    )
    page = draw(apart, folder)
    assert ranks(apart)["dpm"] == ""
    assert "the reference is 48x32 pixels" in page.text


def test_ignored_arguments_are_named_once_with_their_runs(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    assert page.text.count("without being used") == 1
    assert "In baseline, as-hosted, cpu-noise" in page.text
    silent = record.model_copy(update={"runs": [run.model_copy(update={"ignored": []}) for run in record.runs]})
    assert "Accepted, but ignored" not in draw(silent, folder).text


def test_what_the_codec_does_stands_on_the_scale(record: AuditRecord, folder: Path) -> None:
    def marks(page: Page) -> int:
        return sum(attrs.get("class") == "codec" for attrs in page.named("line"))

    assert marks(draw(record, folder)) == 0
    metrics = next(c for c in record.comparisons if c.candidate == "dpm").metrics
    metrics = metrics | {"psnr": metrics["psnr"].model_copy(update={"codec": 38.25, "codec_drift": 0.1})}
    page = draw(change_comparison(record, "dpm", metrics=metrics), folder)
    assert "codec alone 38.25" in page.text
    assert marks(page) == 1


def test_an_interrupted_audit_says_so(record: AuditRecord, folder: Path) -> None:
    assert "this report is partial" in draw(record.model_copy(update={"finished": False}), folder).text
    assert "this report is partial" not in draw(record, folder).text


def test_environments_that_differ_are_marked_and_first(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    assert page.text.count("≠ differs") == 1
    environment = page.text[page.text.index("Environment") :]
    assert environment.index("torch") < environment.index("diffusers") < environment.index("python")


def test_infinite_values_are_shown_and_drawn(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    prompt = page.data("report-data")["prompts"][0]
    curve = next(v for v in prompt["variants"] if v["name"] == "as-hosted")["curves"]["psnr"]
    assert (curve["values"][0], curve["shown"][0]) == ("inf", "∞")
    assert prompt["axes"]["psnr"]["infinite"]
    assert not prompt["axes"]["lpips"]["infinite"]


def test_axis_holds_every_value_and_both_ends_of_the_scale(record: AuditRecord, folder: Path) -> None:
    prompt = draw(record, folder).data("report-data")["prompts"][0]
    for info in METRICS:
        axis = prompt["axes"][info.name]
        curves = [v["curves"][info.name] for v in prompt["variants"] if v["curves"]]
        values = [n for c in curves for n in (*c["values"], c["floor"], c["ceiling"], *c["spread"]) if n != "inf"]
        assert axis["low"] <= min(values) <= max(values) <= axis["high"]
        assert 3 <= len(axis["ticks"]) <= 8
        assert [axis["ticks"][0][0], axis["ticks"][-1][0]] == [axis["low"], axis["high"]]


# ---- settings


def groups(record: AuditRecord, name: str) -> dict[str, list[str]]:
    prompt = prompt_view(with_derived(record), record.prompts[0])
    row = next(row for row in prompt.rows if row.run.name == name)
    return {group: [found.path for found in rows] for group, rows in row.settings.items()}


def test_settings_are_told_apart(record: AuditRecord) -> None:
    found = groups(record, "dpm")
    assert found["changed"] == ["scheduler.class", "scheduler.timestep_spacing"]
    assert "call.guidance_scale" in found["differing"]
    assert found["unknown"] == ["numerics.attention"]
    assert {"rng.seed", "call.num_frames"} <= set(found["same"])  # the reference does not tell the latter


def test_an_unknown_setting_never_counts_as_equal(record: AuditRecord) -> None:
    for name in ("baseline", "dpm"):
        assert "numerics.attention" in groups(record, name)["unknown"]
    known = [
        run.model_copy(update={"settings": {**run.settings, "numerics.attention": setting("sdpa", Origin.OBSERVED)}})
        for run in record.runs
        if run.measured
    ]
    assert "unknown" not in groups(record.model_copy(update={"runs": known}), "dpm")


def test_the_baseline_changes_nothing_against_itself(record: AuditRecord) -> None:
    assert "changed" not in groups(record, "baseline")


# ---- inside the loop


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
    assert "no run here reached its clip, so the baseline takes its place" in inside(traced, folder)
    reached = change_comparison(traced, "baseline", verdict=Verdict.CODEC_ONLY)
    assert "this run reached its clip (codec only), so it stands for it" in inside(reached, folder)
    local = traced.model_copy(update={"reference": "baseline", "comparisons": []})
    assert "baseline, stage by stage: it is the reference, and was generated here." in inside(local, folder)


def test_partings_stand_from_the_earliest_stage_to_the_last(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    found = [trace.sentence for trace in traced.traces if trace.candidate not in {"on-gpu", "seed 43"}]
    assert all(sentence in text for sentence in found)
    places = ["at the text embedding", "at the initial noise", "at step 1", "at step 3", "innocent on-gpu"]
    assert [text.index(place) for place in places] == sorted(text.index(place) for place in places)
    assert "as-hosted, seed 43 control other initial noise" in text


def test_a_row_and_the_evidence_say_where_a_run_parts(traced: AuditRecord, folder: Path) -> None:
    text = " ".join(draw(traced, folder).text.split())
    assert "parts at step 3" in text
    assert "identical inside" in text
    assert "Inside the loop, against baseline: identical up to step 2 of 4." in text


def test_every_number_of_the_plots_is_in_a_table(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "Distance of the latents as a table" in text
    assert "3 110% 50.0% 1.23% 0% 111%" in text  # step 3; cpu-noise has no distances
    assert "No distances for cpu-noise" in text
    assert "4 6 6.75" in text
    assert (
        "Timesteps as a table step baseline, as-hosted, cpu-noise, dynamic-cfg, on-gpu, seed 43 dpm 1 999 980" in text
    )


def test_curves_that_coincide_are_drawn_once(traced: AuditRecord) -> None:
    view = prompt_view(traced, traced.prompts[0]).inside
    assert view
    assert view.guidance
    assert [curve.names for curve in view.guidance.curves] == [
        ["baseline", "cpu-noise", "dpm", "on-gpu", "seed 43"],
        ["as-hosted", "dynamic-cfg"],
    ]
    assert view.distances
    assert view.distances.controls == ["seed 43"]
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
    assert "The guidance scale in force was 6 in every step of every run." in inside(flat, folder)


def test_own_errors_name_the_steps_that_make_most_of_them(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "Every step was fed the latents of baseline" in text
    assert "Step 3 of 4 makes 75.0% of the sum of own errors." in text
    assert "3 1.23% 75.0% 1.23%" in text
    other = traced.model_copy(
        update={"traces": [trace.model_copy(update={"reference": "dpm"}) for trace in traced.traces]}
    )
    assert "was measured against dpm, not against the run that was fed" in inside(other, folder)


def test_steps_that_stand_alone_are_no_variant(traced: AuditRecord, folder: Path) -> None:
    page = draw(traced, folder)
    assert "dynamic-cfg-alone" not in order(page)
    assert "dynamic-cfg-alone" not in ranks(traced)
    assert "dynamic-cfg-alone" not in json.dumps(page.data("report-data"))
    assert "dynamic-cfg-alone" not in page.text.split("Accepted, but ignored")[1]
    lost = change_run(traced, "dynamic-cfg-alone", measured=False, clip=None, trace=None, reason="no room", hint="buy")
    assert "Each step alone: dynamic-cfg Not measured: no room buy" in inside(lost, folder)


def test_time_memory_and_what_was_shared_are_told(traced: AuditRecord, folder: Path) -> None:
    text = inside(traced, folder)
    assert "baseline 0.079 s531 MiB 4.25 s21.00 GiB 2 min 10 s25.00 GiB 3 min 32 s nothing" in text
    assert "on-gpu 0.079 sby an earlier run 4.25 sby an earlier run" in text
    assert "1 run took over the text embeddings of an earlier run" in text
    assert "only decoded them: 4.33 s of encoding and denoising were not spent again" in text


def test_latents_that_are_no_numbers_are_warned_of(traced: AuditRecord, folder: Path) -> None:
    assert "not a number" not in inside(traced, folder)
    steps = traced.run("lemon", "dpm").trace.steps  # type: ignore[union-attr]
    broken = [step.model_copy(update={"nonfinite": 12 * (n > 1)}) for n, step in enumerate(steps)]
    assert "dpm: the latents hold 12 values that are infinite or not a number after step 3" in inside(
        change_trace(traced, "dpm", steps=broken), folder
    )


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([0.0, 0.0], ""),
        ([], ""),
        ([3.0, 1.0], "Step 1 of 2 makes 75.0% of the sum of own errors."),
        ([1.0, 1.0, 1.0, 0.0, 0.0], "Steps 1 and 2 of 5 make 66.7% of the sum of own errors."),
        ([0.0, *[1.0] * 3, *[0.0] * 8, 0.9, 0.4, 0.9], "Steps 2 to 4 of 15 make 57.7% of the sum of own errors."),
        (
            [2.0, *[1.0] * 48],
            (
                "No few steps make most of it: half of the sum of own errors takes 24 of 49 steps; "
                "the largest, step 1, makes 4.00%."
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


def test_an_axis_is_logarithmic_where_small_values_would_vanish() -> None:
    near, far = from_zero([0.0, 0.5, 1.0], str), from_zero([0.0, 0.0001, 1.4], str)
    assert near.unit is None
    assert far.unit
    places = [math.log1p(v / far.unit) / math.log1p(far.high / far.unit) for v in (0.0, 0.0001, 0.01, 1.4)]
    assert [low < high - 0.1 for low, high in pairwise(places)] == [True] * 3
    assert [v for v, _ in far.ticks][:2] == [0.0, 0.0001]
    assert (far.low, from_zero([], str).low) == (0.0, 0.0)


# ---- every state draws


def without(record: AuditRecord, *names: str) -> AuditRecord:
    return record.model_copy(
        update={
            "runs": [run for run in record.runs if run.name not in names],
            "comparisons": [c for c in record.comparisons if not {c.candidate, c.reference} & set(names)],
        }
    )


def unmeasured_reference(record: AuditRecord) -> AuditRecord:
    lost = change_run(
        record, "reference", measured=False, clip=None, settings={}, reason="no GPU quota left", hint="log in"
    )
    return lost.model_copy(update={"comparisons": []})


NAMES = ("baseline", "as-hosted", "cpu-noise", "dpm", "dynamic-cfg", "on-gpu", "seed 43", "sequential")
STATES: dict[str, Callable[[AuditRecord], AuditRecord]] = {
    "no comparisons": lambda record: record.model_copy(update={"comparisons": []}),
    "reference not measured": unmeasured_reference,
    "no reference": lambda record: without(record, "reference"),
    "only the reference": lambda record: without(record, *NAMES),
    "only one variant": lambda record: without(record, "reference", *NAMES[1:]),
    "no runs": lambda record: record.model_copy(update={"runs": [], "comparisons": []}),
    "no prompts": lambda record: record.model_copy(update={"prompts": [], "runs": [], "comparisons": []}),
    "no metrics": lambda record: record.model_copy(update={"metrics": []}),
    "no baseline": lambda record: without(record, "baseline"),
    "interrupted": lambda record: without(record, *NAMES[2:]).model_copy(update={"finished": False}),
    "gate's variant has no run": lambda record: record.model_copy(
        update={"gate": GateRecord(status=GateStatus.NOT_MEASURED, variant="elsewhere", max_drift=0.05)}
    ),
    "no scale": lambda record: record.model_copy(
        update={
            "comparisons": [
                c.model_copy(
                    update={
                        "drift": None,
                        "metrics": {
                            name: metric.model_copy(
                                update={"floor": None, "ceiling": None, "ceiling_spread": None, "drift": None}
                            )
                            for name, metric in c.metrics.items()
                        },
                    }
                )
                for c in record.comparisons
            ]
        }
    ),
    "looked into": with_traces,
    "looked into, nothing held": lambda record: with_traces(record).model_copy(update={"traces": []}),
    "looked into, no runs": lambda record: with_traces(record).model_copy(update={"runs": []}),
    "empty environment": lambda record: record.model_copy(
        update={"environment": record.environment.model_copy(update={"local": {}, "hosted": {}})}
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_draws(state: str, record: AuditRecord, folder: Path) -> None:
    page = draw(STATES[state](record), folder)
    assert record.title in page.text
    assert record.command in page.text
    page.data("report-data")


def test_states_are_put_into_words(record: AuditRecord, folder: Path) -> None:
    lost = draw(STATES["reference not measured"](record), folder).text
    assert "The reference was not measured, so nothing could be compared." in lost
    assert "no GPU quota left" in lost
    assert "There is no reference" in draw(STATES["no reference"](record), folder).text
    assert "Drift cannot be told" in draw(STATES["no scale"](record), folder).text
    assert "This audit holds no prompt" in draw(STATES["no prompts"](record), folder).text


def test_one_frame_draws(tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    axis = draw(record, tmp_path).data("report-data")["prompts"][0]["axes"]["ssim"]
    assert axis["low"] < axis["high"]


def test_an_identical_clip_draws(tmp_path: Path) -> None:
    pixels = {"reference": pictures(3, (32, 48))["reference"]}
    pixels["copy"] = pixels["reference"]
    both = [
        RunRecord(
            key=name,
            name=name,
            role=Role.REFERENCE if name == "reference" else Role.VARIANT,
            prompt="lemon",
            source="video",
            measured=True,
            clip=save_clip(tmp_path, name, frames, 8),
        )
        for name, frames in pixels.items()
    ]
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48)).model_copy(
        update={"runs": both, "comparisons": [compare(both[0], both[1], pixels)]}
    )
    page = draw(record, tmp_path)
    assert "every frame is the same, byte for byte" in page.text
    assert page.data("report-data")["prompts"][0]["axes"]["psnr"]["infinite"]


# ---- numbers


@pytest.mark.parametrize(
    ("given", "info", "shown"),
    [
        (34.2149, PSNR, "34.21"),
        (math.inf, PSNR, "∞"),
        (0.98765, SSIM, "0.9877"),
        (1.0, SSIM, "1.0000"),
        (0.999999, SSIM, ">0.9999"),
        (0.0, LPIPS, "0.0000"),
        (0.0000031, LPIPS, "<0.0001"),
        (0.00006, LPIPS, "0.0001"),
        (-0.25, SSIM, "−0.2500"),
        (None, SSIM, "—"),
        (math.nan, PSNR, "—"),
    ],
)
def test_numbers_are_never_rounded_onto_what_they_are_not(given: float | None, info: Any, shown: str) -> None:
    assert number(given, info) == shown


def test_durations_moments_and_values_are_written_for_people() -> None:
    assert [numbers.duration(s) for s in (4.04, 59.4, 61, 7500)] == ["4.0 s", "59.4 s", "1 min 1 s", "2 h 5 min"]
    assert numbers.moment("2025-11-22T19:13:04+00:00") == "2025-11-22 19:13 UTC"
    assert numbers.moment("some day") == "some day"
    assert [numbers.value(v) for v in ("ddim", "", True, None, 7.0, [1, "a"])] == [
        "ddim",
        '""',
        "true",
        "null",
        "7.0",
        '[1, "a"]',
    ]


def test_places_on_the_scale_stay_on_it() -> None:
    shares = [float(numbers.place(v).rstrip("%")) for v in (-9.0, 0.0, 0.5, 1.0, 99.0)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[1] < shares[3] < shares[4] < 100


def with_cause(record: AuditRecord, **changes: Any) -> AuditRecord:
    suspects = [
        SuspectRecord(
            path="call.use_dynamic_cfg",
            left=None,
            right=True,
            standing=Standing.CAUSE,
            left_out=0.9,
            alone=0.4,
            weight=0.7,
        ),
        SuspectRecord(path="call.<b>bold", left="<i>", right=7, standing=Standing.INNOCENT),
    ]
    cause = CauseRecord(
        prompt="lemon",
        left="baseline",
        right="as-hosted",
        finished=True,
        suspects=suspects,
        proof="as-hosted",
        counter_proof="dpm",
        counter_reached=False,
        probes=[ProbeRecord(run="probe-1", changed=["call.use_dynamic_cfg"], reached=True)],
        sentence="call.use_dynamic_cfg makes the difference",
    )
    return record.model_copy(update={"cause": cause.model_copy(update=changes)})


def test_the_cause_is_told_with_its_proof(record: AuditRecord, folder: Path) -> None:
    page = render_html(with_cause(record), folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "call.use_dynamic_cfg makes the difference" in section
    assert 'variant=as-hosted"><bdi>as-hosted</bdi></a>' in section
    assert "changes all the others and does not give the clip of" in section
    assert all(number in section for number in ("0.900", "0.400", "0.700"))
    assert "innocent, may be anything" in section
    assert "<b>" not in section
    assert "<i>" not in section
    assert 'id="cause"' not in render_html(record, folder)


def test_the_first_screen_has_the_cause_and_the_fix(record: AuditRecord, folder: Path) -> None:
    page = render_html(with_cause(record), folder)
    line = page.split('class="cause-line"')[1].split("</div>")[0]
    cause = with_cause(record).cause
    assert cause
    assert cause.sentence in line
    guilty = [suspect for suspect in cause.suspects if suspect.standing is Standing.CAUSE]
    innocent = [suspect for suspect in cause.suspects if suspect.standing is Standing.INNOCENT]
    assert guilty
    assert innocent
    assert all(f"<bdi>{suspect.path}</bdi>" in line for suspect in guilty)
    assert not any(escape(suspect.path) in line for suspect in innocent)
    cleared = page.split('id="innocents"')[1].split("</section>")[0]
    assert all(escape(suspect.path) in cleared for suspect in innocent)
    assert not any(suspect.path in cleared for suspect in guilty)
    assert "cause-line" not in render_html(record, folder).split("<main>")[1]


def test_sections_come_in_order_of_use(record: AuditRecord, folder: Path) -> None:
    page = Page(render_html(with_cause(with_traces(record)), folder))
    sections = [attrs.get("id") or attrs.get("class") for attrs in page.named("section")]
    order = ["player", "cause", "frames", "card inside", "ranking", "settings", "innocents", "ignored", "warnings"]
    order += ["environment", "method", "reproduce"]
    assert [name for name in sections if name in order] == order


def test_frames_that_stand_out_are_told_by_the_record(record: AuditRecord, folder: Path) -> None:
    parting = FirstDivergenceRecord(metric="psnr", beyond_floor=2, half_way=None)
    page = draw(change_comparison(record, "dpm", parting=parting), folder)
    variants = {each["name"]: each for each in page.data("report-data")["prompts"][0]["variants"]}
    values = next(c for c in record.comparisons if c.candidate == "dpm").per_frame
    worst = variants["dpm"]["marks"]["worst"]
    assert variants["dpm"]["marks"]["parts"] == 2
    assert [values["psnr"][n] for n in worst["psnr"]] == sorted(values["psnr"])[:3]
    assert [values["lpips"][n] for n in worst["lpips"]] == sorted(values["lpips"], reverse=True)[:3]


@pytest.mark.parametrize("file", ["../ssim.png", "{absolute}", "notes.txt", "missing.png"])
def test_only_pictures_of_the_audit_folder_are_embedded_as_maps(record: AuditRecord, tmp_path: Path, file: str) -> None:
    inside = tmp_path / "audit"
    inside.mkdir()
    (tmp_path / "ssim.png").write_bytes(b"\x89PNG\r\n\x1a\n secret")
    (inside / "notes.txt").write_bytes(b"not a picture")
    aimed = MapRecord(file=file.format(absolute=tmp_path / "ssim.png"), columns=3, rows=2)
    assert draw(change_comparison(record, "dpm", map=aimed), inside).data("report-maps") == {}


def test_what_is_left_unexplained_is_listed(record: AuditRecord, folder: Path) -> None:
    page = render_html(with_cause(record, residual=0.4, outside=["torch: <other>"], counter_reached=True), folder)
    assert "torch: &lt;other&gt;" in page
    assert "so the cause is one of two ways there" in page
    assert "innocent, beside the changed cause" in page
    assert "may be anything" not in page


def test_a_counter_proof_without_a_clip_is_shown_as_no_proof(record: AuditRecord, folder: Path) -> None:
    kept = ProofRecord(prompt="lemon", proof="as-hosted", reached=True, counter_proof="dpm", counter_reached=False)
    lost = kept.model_copy(update={"counter_reached": None, "reason": "dpm was not measured: out of memory"})
    page = render_html(with_cause(record, counter_reached=None, proofs=[lost, kept]), folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "has no clip, so it does not show that the cause is needed" in section
    first, second = section.split('class="proofs"')[1].split("</table>")[0].split("<tr>")[2:]
    assert "not proved: <bdi>dpm was not measured: out of memory</bdi>" in first
    assert "<td>yes</td>" in second


def test_what_the_standing_rests_on_and_what_is_known_is_told(record: AuditRecord, folder: Path) -> None:
    cause = with_cause(record).cause
    assert cause
    innocent = SuspectRecord(path="placement", left="cuda", right="cpu", standing=Standing.INNOCENT, why="<why>")
    page = render_html(with_cause(record, suspects=[cause.suspects[0], innocent]), folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "&lt;why&gt;" in section
    assert "known as offloading; tends to be: none" in section
    known = section.split('class="known"')[1].split("</dl>")[0]
    assert "objects appear or are missing" in known
    assert "use_dynamic_cfg=True to the call" in known
    assert "offloading" not in known, "of an innocent one, a few words do"
    assert 'class="known"' not in render_html(with_cause(record, suspects=[innocent]), folder)


def test_sources_of_the_catalogue_are_linked_where_they_have_an_address(record: AuditRecord, folder: Path) -> None:
    paths = {
        "call.guidance_scale": 'href="https://arxiv.org/abs/2207.12598"',
        "scheduler.class": 'href="https://huggingface.co/docs/diffusers/api/schedulers/overview"',
        "rng.stream": '<span class="none">docs/noise-streams.md</span>',
        "call.use_dynamic_cfg": '<span class="none">diffusers, CogVideoXPipeline.__call__</span>',
    }
    for path, link in paths.items():
        suspect = SuspectRecord(path=path, left=1, right=2, standing=Standing.CAUSE)
        assert link in render_html(with_cause(record, suspects=[suspect]), folder)


def test_the_proof_on_each_prompt_is_shown(record: AuditRecord, folder: Path) -> None:
    first = ProofRecord(prompt="lemon", proof="as-hosted", reached=True, drift=0.0, counter_proof="dpm",
                        counter_reached=False, counter_drift=0.321)  # fmt: skip
    fails = first.model_copy(update={"prompt": "str<eet", "reached": False, "drift": 0.123})
    missing = ProofRecord(prompt="third", reason="the budget was spent")
    one = render_html(with_cause(record, proofs=[first]), folder)
    assert "(drift 0.321)" in one
    assert 'class="proofs"' not in one, "one prompt needs no table"
    page = render_html(with_cause(record, proofs=[first, fails, missing]), folder)
    rows = page.split('class="proofs"')[1].split("</table>")[0].split("<tr>")[2:]
    assert [("yes" in row, "<strong>no</strong>" in row) for row in rows] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "not the clip of" in rows[1]
    assert "0.123" in rows[1]
    assert "str&lt;eet" in rows[1]
    assert "not proved: <bdi>the budget was spent</bdi>" in rows[2]


def test_members_that_act_together_are_told(record: AuditRecord, folder: Path) -> None:
    found = InteractionRecord(members=["a", "b"], index=0.1, sentence="a hides <b>")
    assert "a hides &lt;b&gt;" in render_html(with_cause(record, interactions=[found]), folder)
    assert "do not act each for itself" not in render_html(with_cause(record), folder)


def test_an_older_audit_without_these_is_read(record: AuditRecord) -> None:
    told = with_cause(record).model_dump(mode="json")
    for name in ("proofs", "interactions", "best", "best_drift"):
        del told["cause"][name]
    for suspect in told["cause"]["suspects"]:
        del suspect["why"]
    cause = AuditRecord.model_validate(told).cause
    assert cause
    assert (cause.proofs, cause.suspects[0].why) == ([], "")
