"""What follows from a record's measurements: rank, order, groups, frames of note, sums."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from spacediff.record import (
    AgreementRecord,
    AuditRecord,
    ComparisonRecord,
    FactKind,
    MetricInfo,
    RankRecord,
    Role,
    RunRecord,
    SemanticsRecord,
    SettingRecord,
    Stage,
    TextRecord,
    Verdict,
    fact,
    quoted,
    read_record,
    with_derived,
    write_record,
)
from spacediff.record.derived.frames import with_worst_frames
from spacediff.record.derived.isolated_steps import isolated_steps
from spacediff.record.derived.setting_groups import setting_groups
from spacediff.settings import WITHHELD, Origin
from spacediff.wording import sentence
from support.synthetic_audit import METRICS, setting, synthetic_audit
from support.synthetic_traces import OWN_ERRORS, with_traces


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return synthetic_audit(tmp_path_factory.mktemp("audit"), frames=5, size=(32, 48))


def test_what_a_file_lacks_of_it_is_derived_when_it_is_read(drawn: AuditRecord, tmp_path: Path) -> None:
    write_record(drawn, tmp_path)
    file = tmp_path / "audit.json"
    data = json.loads(file.read_text("utf-8"))
    assert data.pop("overviews")
    file.write_text(json.dumps(data), "utf-8")
    assert read_record(tmp_path).overviews == drawn.overviews


def changed(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    """Change a run's comparison, and derive again."""
    comparisons = [c.model_copy(update=changes) if c.candidate == name else c for c in record.comparisons]
    return with_derived(record.model_copy(update={"comparisons": comparisons}))


def with_run(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    """Change a run, and derive again."""
    runs = [run.model_copy(update=changes) if run.name == name else run for run in record.runs]
    return with_derived(record.model_copy(update={"runs": runs}))


def ranks(record: AuditRecord) -> dict[str, RankRecord | None]:
    return {each.candidate: each.rank for each in record.comparisons}


# ---- order and rank


def test_deriving_twice_changes_nothing_and_replaces_what_is_stale(drawn: AuditRecord) -> None:
    record = with_traces(drawn)
    assert with_derived(record) == record
    stale = record.model_copy(
        update={"overviews": [], "loops": [], "ignored": [], "run_warnings": record.run_warnings * 2}
    )
    assert with_derived(stale) == record


def test_equally_close_variants_share_a_place_and_the_next_place_is_skipped(drawn: AuditRecord) -> None:
    found = ranks(drawn)
    assert found["as-hosted"] == RankRecord(place=1, shared=False)
    assert found["baseline"] == found["on-gpu"] == RankRecord(place=4, shared=True)
    assert found["dynamic-cfg"] == RankRecord(place=6, shared=False)
    assert found["seed-43"] is None, "a control gives the scale and has no place"


def test_variants_come_before_those_without_a_score_and_controls_come_last(drawn: AuditRecord) -> None:
    order = drawn.overview("lemon").order
    assert order[0] == "as-hosted"
    assert order[-2:] == ["sequential", "seed-43"]
    assert "reference" not in order


def test_without_a_drift_of_every_variant_the_first_metric_orders_all(drawn: AuditRecord) -> None:
    psnr = {each.candidate: each.metrics["psnr"].pooled for each in drawn.comparisons}
    blind = changed(drawn, "dpm", drift=None)
    scored = [name for name in blind.overview("lemon").order if name in psnr and name != "seed-43"]
    assert scored == sorted(scored, key=lambda name: -psnr[name])
    reversed_metric = [dataclasses.replace(METRICS[0], higher_is_closer=False), *METRICS[1:]]
    other = with_derived(blind.model_copy(update={"metrics": reversed_metric}))
    assert next(name for name in other.overview("lemon").order if name in scored) == scored[-1]


def test_probes_isolated_steps_and_measured_reruns_are_not_compared_with_the_reference(drawn: AuditRecord) -> None:
    for role in (Role.PROBE, Role.STEPS, Role.RERUN):
        record = with_run(drawn, "dpm", role=role)
        assert "dpm" not in record.overview("lemon").order
        assert record.run("lemon", "dpm").setting_groups is None
    lost = with_run(drawn, "dpm", role=Role.RERUN, measured=False, reason="no memory")
    assert "dpm" in lost.overview("lemon").order, "it is shown why there is no re-run"


# ---- what leads


def test_the_baseline_is_selected_else_the_judged_run_else_the_first_in_order(drawn: AuditRecord) -> None:
    overview = drawn.overview("lemon")
    assert (overview.baseline, overview.judged, overview.selected) == ("baseline", "as-hosted", "baseline")
    without = with_run(drawn, "baseline", role=Role.SEED)
    assert without.overview("lemon").selected == "as-hosted"
    gate = drawn.gate.model_copy(update={"variant": "elsewhere"})
    ungated = with_derived(without.model_copy(update={"gate": gate})).overview("lemon")
    assert (ungated.judged, ungated.selected) == ("", ungated.order[0])
    empty = with_derived(drawn.model_copy(update={"runs": [], "comparisons": []})).overview("lemon")
    assert (empty.order, empty.selected) == ([], "")


def test_a_scale_is_shared_only_where_all_comparisons_have_it(drawn: AuditRecord) -> None:
    assert drawn.overview("lemon").scale["psnr"].floor == 45.0
    metrics = next(each for each in drawn.comparisons if each.candidate == "dpm").metrics
    other = metrics | {"psnr": metrics["psnr"].model_copy(update={"floor": 44.0})}
    assert drawn.overview("lemon").scale.keys() - changed(drawn, "dpm", metrics=other).overview(
        "lemon"
    ).scale.keys() == {"psnr"}


def test_equal_remarks_stand_once_and_controls_have_none(drawn: AuditRecord) -> None:
    record = drawn
    for name in ("dpm", "cpu-noise", "seed-43"):
        record = changed(record, name, notes=[quoted("cut to 4 frames")])
    record = changed(record, "dynamic-cfg", verdict=Verdict.NOT_COMPARABLE, evidence=[quoted("other size")])
    found = {remark.fact.values["text"]: set(remark.runs) for remark in record.overview("lemon").remarks}
    assert found == {"cut to 4 frames": {"dpm", "cpu-noise"}, "other size": {"dynamic-cfg"}}


def test_why_no_drift_is_known_is_said_once_and_not_of_two_files_alone(drawn: AuditRecord) -> None:
    def unknown(share: float | None) -> dict[str, Any]:
        values = {"metric": "", "rerun": False, "seeds": True, "codec_share": share}
        return {"drift": None, "evidence": [fact(FactKind.METRIC_DRIFT_UNKNOWN, **values)]}

    record = drawn
    for name, share in (("dpm", 0.5), ("cpu-noise", None), ("seed-43", None)):
        record = changed(record, name, **unknown(share))
    (remark,) = record.overview("lemon").remarks
    assert set(remark.runs) == {"dpm", "cpu-noise"}
    assert sentence(remark.fact) == "Drift is unknown, because a re-run was not measured."
    assert changed(record, "dpm", drift=0.5).overview("lemon").remarks[0].runs == ["cpu-noise"], (
        "other metrics have one"
    )
    without = with_derived(record.model_copy(update={"runs": [r for r in record.runs if r.role is not Role.BASELINE]}))
    assert without.overview("lemon").remarks == []


def test_runs_with_the_same_frames_are_twins(drawn: AuditRecord) -> None:
    assert drawn.overview("lemon").twins == [["baseline", "on-gpu"]]
    assert with_run(drawn, "on-gpu", role=Role.PROBE).overview("lemon").twins == []


# ---- frames


@pytest.mark.parametrize(
    ("values", "higher", "worst"),
    [
        ([30.0, 20.0, 25.0, 20.0, 40.0], True, [12, 16, 14]),
        ([0.1, 0.3, 0.2, 0.3, 0.0], False, [12, 16, 14]),
        ([math.inf, 20.0], True, [12, 10]),
        ([], True, []),
    ],
)
def test_the_worst_frames_are_numbered_as_in_the_reference(values: list[float], higher: bool, worst: list[int]) -> None:  # noqa: FBT001 - a direction
    info = MetricInfo(name="m", title="M", unit="", higher_is_closer=higher, about="")
    found = with_worst_frames(comparison(values), [info])
    assert found.metrics["m"].worst_frames == worst
    same = comparison(values).model_copy(update={"identical": True})
    assert with_worst_frames(same, [info]).metrics["m"].worst_frames == [], "identical clips have no worst frame"


def comparison(values: list[float]) -> ComparisonRecord:
    return ComparisonRecord.model_validate({
        "prompt": "p", "reference": "r", "candidate": "c", "verdict": "differs",
        "frame_map": [(10 + 2 * n, n) for n in range(len(values))], "per_frame": {"m": values},
        "metrics": {"m": {"pooled": 1.0, "worst": 1.0, "worst_frame": 0}},
    })  # fmt: skip


# ---- settings


def run(**settings: SettingRecord) -> RunRecord:
    return RunRecord(
        key="k", name="n", role=Role.VARIANT, prompt="p", source="diffusers", measured=True, settings=settings
    )


def test_each_setting_is_in_the_group_of_what_is_known_of_it() -> None:
    unknown = setting(None, Origin.UNKNOWN)
    baseline = run(a=setting(1), b=setting(1), c=setting(1), d=unknown, e=setting(1))
    reference = run(a=setting(2), b=setting(2), c=setting(1.0), d=setting(3), f=setting(5))
    own = run(a=setting(2), b=setting(1), c=setting(1), d=setting(3), e=setting(1))
    found = setting_groups(own, baseline, reference)
    assert found.changed == ["a"]
    assert found.differing == ["b"]
    assert found.unknown == ["d"], "it may be changed: the baseline's value is unknown"
    assert found.same == ["c", "e", "f"], "equal, or known of one side only"
    assert found.as_reference == ["a", "c", "d"]


def test_two_files_have_no_baseline_from_which_a_setting_could_be_changed() -> None:
    found = setting_groups(run(a=setting(1), b=setting(1)), None, run(a=setting(1), b=setting(2)))
    assert (found.changed, found.differing, found.same) == ([], ["b"], ["a"])


def test_an_unknown_value_is_never_called_the_references() -> None:
    unknown = setting(None, Origin.UNKNOWN)
    found = setting_groups(run(a=unknown), None, run(a=unknown))
    assert (found.unknown, found.as_reference) == (["a"], [])


def test_what_a_script_leaves_open_is_no_difference_between_two_runs_of_it() -> None:
    def script(where: str, **more: SettingRecord) -> RunRecord:
        left_open = SettingRecord(value=None, origin=Origin.UNKNOWN, where=where)
        return run(fps=left_open, **more).model_copy(update={"source": "script"})

    baseline, own = script("run.py"), script("run.py", a=setting(1))
    found = setting_groups(own, baseline, None)
    assert (found.changed, found.unknown, found.same) == (["a"], [], ["fps"])
    assert setting_groups(own, baseline, baseline).as_reference == ["fps"]
    assert setting_groups(script("run.py:7"), baseline, None).unknown == ["fps"], "it is said elsewhere"
    hosted = run(fps=setting(8)).model_copy(update={"source": "space"})
    assert setting_groups(own, baseline, hosted).unknown == ["fps"]
    assert setting_groups(own, own, None).unknown == ["fps"], "there is no second run"


def test_what_a_private_recording_withholds_is_unknown_and_does_not_differ() -> None:
    withheld = SettingRecord(value=None, origin=Origin.UNKNOWN, where=WITHHELD)
    shown = {"call.negative_prompt": setting("x"), "call.eta": setting(1), "lora.style.fused": setting(0)}
    mine = run(**shown).model_copy(update={"source": "recording"})
    kept = {"call.negative_prompt": withheld, "lora": withheld, "lora.1.fused": setting(0)}
    theirs = run(**kept).model_copy(update={"source": "recording"})
    for found in (setting_groups(mine, None, theirs), setting_groups(theirs, None, mine)):
        assert found.differing == ["call.eta"], "which the private recording would have"
        assert {*kept, "lora.style.fused"} <= {*found.unknown, *found.same}
    assert "call.negative_prompt" in setting_groups(mine, None, theirs).unknown
    assert "lora.1.fused" in setting_groups(theirs, None, theirs).same


# ---- inside the loop


def test_runs_that_diverge_in_the_same_place_are_one_divergence(drawn: AuditRecord) -> None:
    (loop,) = with_traces(drawn).loops
    assert [(each.stage, each.step, each.runs) for each in loop.divergences] == [
        (Stage.TEXT, None, ["cpu-noise"]),
        (Stage.NOISE, None, ["as-hosted", "seed-43"]),
        (Stage.STEP, 1, ["dpm"]),
        (Stage.STEP, 3, ["dynamic-cfg"]),
    ]
    assert loop.identical == ["on-gpu"]
    assert loop.without_distances == ["cpu-noise"]


def test_it_is_known_why_traces_are_compared_with_that_run(drawn: AuditRecord) -> None:
    traced = with_traces(drawn)
    (loop,) = traced.loops
    assert loop.reference
    assert (loop.reference.run, loop.reference.role, loop.reference.hosted) == ("baseline", "baseline", True)
    (reached,) = changed(traced, "baseline", verdict=Verdict.CODEC_ONLY).loops
    assert reached.reference
    assert (reached.reference.role, reached.reference.verdict) == ("stand-in", Verdict.CODEC_ONLY)
    (own,) = with_derived(traced.model_copy(update={"reference": "baseline"})).loops
    assert own.reference
    assert own.reference.role == "reference"


def test_guidance_that_changes_is_described_by_range_and_turns(drawn: AuditRecord) -> None:
    (loop,) = with_traces(drawn).loops
    assert loop.guidance is None
    found = {name: each for each in loop.guidance_changes for range_ in each.ranges for name in range_.runs}
    assert found.keys() == {"as-hosted", "dynamic-cfg"}
    change = found["dynamic-cfg"]
    assert (change.dynamic, change.first_timestep, change.steps, change.turns) == (True, 999.0, 4, 2)
    assert [(range_.low, range_.high) for range_ in change.ranges] == [(1.25, 6.75)]


def test_what_runs_took_over_is_added_up(drawn: AuditRecord) -> None:
    (loop,) = with_traces(drawn).loops
    sharing = loop.sharing
    assert (sharing.embeddings, sharing.embeddings_seconds, sharing.encoding_seconds) == (["dpm"], 0.079, 0.079)
    assert sharing.latents == ["on-gpu"]
    assert sharing.spared_seconds == pytest.approx(0.079 + 4.25)
    trace = with_traces(drawn).run("lemon", "on-gpu").trace
    assert trace
    assert [stage.taken_over for stage in trace.stages] == [True, True, False]


def test_the_largest_own_errors_that_make_half_of_the_sum_are_named(drawn: AuditRecord) -> None:
    (loop,) = with_traces(drawn).loops
    (found,) = loop.isolated
    assert (found.variant, found.largest, found.other) == ("dynamic-cfg", [3], "")
    assert found.largest_share == pytest.approx(OWN_ERRORS[2] / sum(OWN_ERRORS))
    assert sum(found.shares) == pytest.approx(1.0)
    elsewhere = [each.model_copy(update={"reference": "dpm"}) for each in with_traces(drawn).traces]
    stepped = with_traces(drawn).run("lemon", "dynamic-cfg-alone")
    assert isolated_steps(stepped, elsewhere).other == "dpm"


# ---- notices, environment, contents


def test_equal_findings_of_runs_stand_once_without_the_runs_that_repeat_them(drawn: AuditRecord) -> None:
    (ignored,) = with_traces(drawn).ignored
    assert ignored.runs[:2] == ["baseline", "as-hosted"]
    assert "dynamic-cfg-alone" not in ignored.runs
    alone = with_run(with_traces(drawn), "dynamic-cfg-alone", warnings=["only here"])
    assert {each.warning: each.runs for each in alone.run_warnings}["only here"] == ["dynamic-cfg-alone"]


def test_facts_of_the_environment_that_differ_come_first(drawn: AuditRecord) -> None:
    environment = drawn.environment
    assert environment.differing == ["torch"]
    assert environment.order[:2] == ["torch", "diffusers"]
    assert set(environment.order) == environment.local.keys() | environment.hosted.keys()


def test_what_the_selected_clip_shows_least_of_is_known(drawn: AuditRecord) -> None:
    def text(part: str, difference: float | None) -> TextRecord:
        clip = AgreementRecord(run="baseline", mean=0.5, frames=[0.5], difference=difference)
        return TextRecord(part=part, asked=part, clips=[clip])

    def least(*differences: float | None) -> int | None:
        texts = [text(f"part {n}", difference) for n, difference in enumerate(differences)]
        found = SemanticsRecord(prompt="lemon", model="m", texts=texts)
        return with_derived(drawn.model_copy(update={"semantics": [found]})).semantics[0].least_shown

    assert least(0.1, 0.4, 0.2) == 1
    assert least(0.0, None) is None
    assert least(-0.2, -0.1) == 1


def test_a_record_that_is_damaged_is_derived_as_far_as_it_goes(drawn: AuditRecord) -> None:
    lost = drawn.model_copy(update={"prompts": []})
    assert with_derived(lost).overviews == []
    short = changed(drawn, "dpm", frame_map=[(0, 0)])
    found = next(each for each in short.comparisons if each.candidate == "dpm")
    assert found.metrics["psnr"].worst_frames == [0]


def test_a_record_without_an_overview_has_none(tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    with pytest.raises(KeyError):
        record.overview("melon")
