from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacediff.errors import SpacediffError
from spacediff.gate.accepted import accepted_path, approve, read_accepted
from spacediff.gate.gate import evaluate_gate, evaluate_over_time
from spacediff.gate.history import change_of, history_of
from spacediff.record import (
    AuditRecord,
    CauseRecord,
    Change,
    ComparisonRecord,
    Control,
    ControlRecord,
    GateStatus,
    MetricRecord,
    Subject,
    Verdict,
    quoted,
    redacted,
)
from spacediff.scenario.scenario import Gate
from spacediff.settings import Origin
from spacediff.wording import history_text, sentence, sentences
from support.synthetic_audit import setting, synthetic_audit

ASKS = Gate(against="accepted")


def compared(verdict: Verdict, drift: float | None = None, mae: float | None = None) -> ComparisonRecord:
    metrics = {} if mae is None else {"mae": MetricRecord(pooled=mae, worst=mae, worst_frame=0)}
    return ComparisonRecord(prompt="lemon", reference="r", candidate="v", verdict=verdict, drift=drift, metrics=metrics)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return redacted(synthetic_audit(tmp_path_factory.mktemp("audit"), frames=2, size=(32, 48)))


def with_outcome(record: AuditRecord, name: str, verdict: Verdict, drift: float | None) -> AuditRecord:
    update = {"verdict": verdict, "drift": drift}
    changed = [each.model_copy(update=update) if each.candidate == name else each for each in record.comparisons]
    return record.model_copy(update={"comparisons": changed})


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (compared(Verdict.CODEC_ONLY, 0.0), compared(Verdict.SETTINGS_DIFFER, 0.5), Change.WORSE),
        (compared(Verdict.DIFFERENT_SAMPLE, 1.1), compared(Verdict.NUMERIC_DRIFT, 0.01), Change.BETTER),
        (compared(Verdict.SETTINGS_DIFFER, 0.5), compared(Verdict.SETTINGS_DIFFER, 0.502), Change.WORSE),
        (compared(Verdict.SETTINGS_DIFFER, 0.5), compared(Verdict.SETTINGS_DIFFER, 0.5002), Change.SAME),
        (compared(Verdict.SETTINGS_DIFFER, 0.5), compared(Verdict.SETTINGS_DIFFER, 0.2), Change.BETTER),
        (compared(Verdict.IDENTICAL, 0.0), compared(Verdict.POST_PROCESSED, 0.0), Change.WORSE),
        (compared(Verdict.POST_PROCESSED, 0.4), compared(Verdict.CODEC_ONLY, 0.0), Change.BETTER),
        (compared(Verdict.SETTINGS_DIFFER, 0.4), compared(Verdict.POST_PROCESSED, 0.4), Change.OTHER),
        (compared(Verdict.SETTINGS_DIFFER, 0.4), compared(Verdict.SETTINGS_DIFFER), Change.OTHER),
        (compared(Verdict.DIFFERS), compared(Verdict.DIFFERS), Change.SAME),
        (compared(Verdict.DIFFERS, mae=3.0), compared(Verdict.DIFFERS, mae=3.00001), Change.SAME),
        (compared(Verdict.DIFFERS, mae=3.0), compared(Verdict.DIFFERS, mae=40.0), Change.OTHER),
        (compared(Verdict.DIFFERS, mae=3.0), compared(Verdict.DIFFERS), Change.OTHER),
        (compared(Verdict.CODEC_ONLY, 0.0), compared(Verdict.NOT_MEASURED), Change.LOST),
        (compared(Verdict.NOT_COMPARABLE), compared(Verdict.CODEC_ONLY, 0.0), Change.GAINED),
        (compared(Verdict.NOT_MEASURED), compared(Verdict.NOT_COMPARABLE), Change.SAME),
        (None, compared(Verdict.CODEC_ONLY, 0.0), Change.NEW),
        (compared(Verdict.CODEC_ONLY, 0.0), None, Change.GONE),
    ],
)
def test_a_change_is_better_or_worse_or_neither(
    before: ComparisonRecord | None, now: ComparisonRecord | None, change: Change
) -> None:
    assert change_of(before, now) is change


OUTCOMES = st.builds(
    compared, st.sampled_from(Verdict), st.one_of(st.none(), st.floats(0, 2)), st.one_of(st.none(), st.floats(0, 255))
)
TURNED = {Change.BETTER: Change.WORSE, Change.GAINED: Change.LOST, Change.NEW: Change.GONE}
TURNED |= {late: early for early, late in TURNED.items()}


@given(OUTCOMES, OUTCOMES)
def test_what_is_better_one_way_is_worse_the_other(one: ComparisonRecord, other: ComparisonRecord) -> None:
    forth, back = change_of(one, other), change_of(other, one)
    assert back is TURNED.get(forth, forth)
    assert change_of(one, one) is Change.SAME


def test_an_audit_has_not_changed_since_itself(record: AuditRecord) -> None:
    history = history_of(record, record, "itself")
    assert history_text(history) == "Every variant is as before."
    assert history.facts == []
    assert {each.change for each in history.variants} == {Change.SAME}
    assert {each.name for each in history.variants} >= {"baseline", "as-hosted", "dpm"}
    assert "seed-43" in {each.candidate for each in record.comparisons}
    assert {"seed-43", "reference"}.isdisjoint(each.name for each in history.variants), "no variants"


def test_whether_the_frames_are_the_same_is_reported_of_each_variant(record: AuditRecord) -> None:
    clip = record.run("lemon", "dpm").clip
    assert clip is not None
    for other, dpm in ((clip, True), (clip.model_copy(update={"digest": "f" * 64}), False), (None, None)):
        runs = [run.model_copy(update={"clip": other}) if run.name == "dpm" else run for run in record.runs]
        found = history_of(record, record.model_copy(update={"runs": runs}), "before").variants
        equal = {each.name: each.equal_frames for each in found}
        assert (equal["dpm"], equal["baseline"]) == (dpm, True)


def test_a_proof_that_is_no_longer_needed_is_not_gone(record: AuditRecord) -> None:
    cause = CauseRecord(prompt="lemon", start="baseline", target="as-hosted", finished=True, proof="dpm")
    without = [each for each in record.comparisons if each.candidate != "dpm"]
    now = record.model_copy(update={"comparisons": without})
    assert history_text(history_of(record, now, "before")) == "Gone: dpm. 5 as before."
    explained = record.model_copy(update={"cause": cause})
    assert history_text(history_of(explained, now, "before")) == "Every variant is as before."


def test_facts_that_changed_stand_beside(record: AuditRecord) -> None:
    local, hosted = record.environment.local, record.environment.hosted
    moved = record.environment.model_copy(
        update={"local": local | {"torch": "2.14.0"}, "hosted": {**hosted, "commit": "beef", "python": "3.12"}}
    )
    runs = [
        run.model_copy(
            update={
                "settings": run.settings | {"call.num_frames": setting(17)},
                "clip": run.clip.model_copy(update={"digest": "f" * 64}) if run.name == "reference" else run.clip,
            }
        )
        if run.clip and run.name in {"reference", "baseline", "dpm"}
        else run
        for run in record.runs
    ]
    facts = history_of(record, record.model_copy(update={"environment": moved, "runs": runs}), "before").facts
    assert {(fact.subject, fact.name, fact.before, fact.now) for fact in facts} == {
        (Subject.MACHINE, "torch", "2.13.0+cu130", "2.14.0"),
        (Subject.SPACE, "commit", "5f3f1c7", "beef"),
        (Subject.SPACE, "python", None, "3.12"),
        (Subject.REFERENCE, "lemon", record.runs[0].clip.digest[:12] if record.runs[0].clip else "", "f" * 12),
        (Subject.SETTING, "call.num_frames", 49, 17),
        (Subject.SETTING, "call.num_frames", None, 17),
    }
    assert [fact.runs for fact in facts if fact.before == 49] == [["baseline", "dpm"]]


def prompted(record: AuditRecord, text: str, negative: str, *, private: bool = False) -> AuditRecord:
    """Return the record with another prompt; of a private one it holds no words."""
    prompts = [each.model_copy(update={"text": "" if private else text, "private": private}) for each in record.prompts]
    negative = "[private]" if private else negative
    settings = {"call.negative_prompt": setting(negative), "call.prompts_per_second": setting(8)}
    runs = [run.model_copy(update={"settings": run.settings | settings}) for run in record.runs]
    return record.model_copy(update={"prompts": prompts, "runs": runs, "title": f"Of {text}"})


def test_another_prompt_and_other_metrics_are_facts(record: AuditRecord) -> None:
    before = prompted(record, "a lemon", "no hands")
    now = prompted(record, "a lime", "no hands").model_copy(
        update={"metrics": record.metrics[:1], "title": "Of a lemon"}
    )
    facts = history_of(before, now, "before").facts
    assert [(fact.subject, fact.name, fact.before, fact.now) for fact in facts] == [
        (Subject.AUDIT, "metrics", ", ".join(info.name for info in record.metrics), record.metrics[0].name),
        (Subject.PROMPT, "lemon", "a lemon", "a lime"),
    ]


def test_what_has_become_private_since_is_not_shown_of_the_earlier_audit(record: AuditRecord) -> None:
    text, negative = "a zeppelin lands on a secret roof", "purple elephants dancing badly"
    open_, hidden = (prompted(record, text, negative, private=private) for private in (False, True))
    hidden = hidden.model_copy(update={"title": "Of [private]"})
    for before, now in ((open_, hidden), (hidden, open_)):
        history = history_of(before, now, "before")
        words = history.model_dump_json()
        if now is hidden:
            assert not [word for word in ("zeppelin", "secret", "elephants") if word in words]
            assert history.facts == [], "what reads the same is no change"
        assert Subject.PROMPT not in {fact.subject for fact in history.facts}, "whether it changed is unknown"
    shown = history_of(open_, prompted(record, text, "other words", private=False), "before").model_dump_json()
    assert "elephants" in shown


def test_a_setting_unknown_then_and_now_has_not_changed(record: AuditRecord) -> None:
    unknown = setting(None, Origin.UNKNOWN)
    assert any(each == unknown for run in record.runs for each in run.settings.values())
    assert history_of(record, record, "itself").facts == []


def test_a_setting_known_on_one_side_alone_is_shown_with_the_other_open(record: AuditRecord) -> None:
    def with_value(value: object, origin: Origin) -> AuditRecord:
        runs = [
            run.model_copy(update={"settings": run.settings | {"vae.tiling": setting(value, origin)}})
            if run.name == "dpm"
            else run
            for run in record.runs
        ]
        return record.model_copy(update={"runs": runs})

    unknown, known = with_value(None, Origin.UNKNOWN), with_value(value=True, origin=Origin.OBSERVED)
    for before, now, sides in ((unknown, known, (None, True)), (known, unknown, (True, None))):
        (fact,) = history_of(before, now, "before").facts
        assert (fact.name, (fact.before, fact.now), fact.runs) == ("vae.tiling", sides, ["dpm"])


def test_the_sentence_names_the_worst_first(record: AuditRecord) -> None:
    now = with_outcome(record, "dpm", Verdict.IDENTICAL, 0.0)
    now = with_outcome(now, "on-gpu", Verdict.NOT_MEASURED, None)
    now = with_outcome(now, "as-hosted", Verdict.DIFFERENT_SAMPLE, 1.2)
    assert history_text(history_of(record, now, "before")) == (
        "Worse: as-hosted. No longer measured: on-gpu. Better: dpm. 3 as before."
    )


# ---- the gate


def outcome(record: AuditRecord, now: AuditRecord, gate: Gate) -> tuple[GateStatus, list[str]]:
    names = [prompt.name for prompt in now.prompts]
    held = evaluate_over_time(
        evaluate_gate(gate, names, now.comparisons, []), gate, history_of(record, now, "the accepted state")
    )
    return held.status, sentences(held.reasons)


def test_worse_fails_only_where_the_scenario_asks(record: AuditRecord) -> None:
    worse = with_outcome(record, "dpm", Verdict.DIFFERENT_SAMPLE, 1.5)
    assert outcome(record, worse, ASKS)[0] is GateStatus.FAILED
    assert "lemon: dpm was different sample" in outcome(record, worse, ASKS)[1][0]
    assert outcome(record, worse, Gate(variant="as-hosted"))[0] is GateStatus.PASSED
    assert outcome(record, record, ASKS) == (GateStatus.PASSED, ["Nothing is worse than in the accepted state."])
    better = with_outcome(record, "dpm", Verdict.IDENTICAL, 0.0)
    assert outcome(record, better, ASKS)[0] is GateStatus.PASSED


def test_a_rise_that_the_scenario_allows_holds(record: AuditRecord) -> None:
    before = with_outcome(record, "dpm", Verdict.SETTINGS_DIFFER, 0.5)
    now = with_outcome(record, "dpm", Verdict.SETTINGS_DIFFER, 0.52)
    assert outcome(before, now, ASKS)[0] is GateStatus.FAILED
    assert outcome(before, now, Gate(against="accepted", max_rise=0.03))[0] is GateStatus.PASSED
    assert outcome(before, now, Gate(against="accepted", max_rise=0.01))[0] is GateStatus.FAILED


@pytest.mark.parametrize("blank", [Verdict.NOT_MEASURED, Verdict.NOT_COMPARABLE])
def test_what_was_never_measured_is_never_green(record: AuditRecord, blank: Verdict) -> None:
    never = with_outcome(record, "dpm", blank, None)
    status, (reason, *_) = outcome(never, never, ASKS)
    assert status is GateStatus.NOT_MEASURED
    assert reason.startswith("lemon: dpm was ")
    assert blank.value in reason


def test_what_is_unknown_is_never_green(record: AuditRecord) -> None:
    for lost in (Verdict.NOT_MEASURED, Verdict.POST_PROCESSED):
        assert outcome(record, with_outcome(record, "dpm", lost, None), ASKS)[0] is GateStatus.NOT_MEASURED
    held = evaluate_over_time(evaluate_gate(ASKS, ["lemon"], record.comparisons, []), ASKS, None)
    assert held.status is GateStatus.NOT_MEASURED
    assert "spacediff approve" in sentence(held.reasons[0])


# ---- the accepted state


def test_an_accepted_state_is_kept_next_to_the_scenario_without_curves(record: AuditRecord, tmp_path: Path) -> None:
    scenario = tmp_path / record.scenario_name
    assert read_accepted(scenario) is None
    path, before = approve(record, scenario)
    assert (path, before) == (tmp_path / "cogvideox-lemon.accepted.json", None)
    kept = read_accepted(scenario)
    assert kept is not None
    assert any(each.per_frame and each.map for each in record.comparisons)
    assert not any(each.per_frame or each.map for each in kept.comparisons)
    assert history_text(history_of(kept, record, "it")) == "Every variant is as before."
    _, before = approve(with_outcome(record, "dpm", Verdict.IDENTICAL, 0.0), scenario)
    assert before is not None
    assert history_text(before) == "Better: dpm. 5 as before."


def test_what_is_not_whole_or_not_this_scenarios_is_not_accepted(record: AuditRecord, tmp_path: Path) -> None:
    scenario = tmp_path / record.scenario_name
    assert approve(record, scenario)[0].exists(), "else it would be"
    accepted_path(scenario).unlink()
    failed = ControlRecord(prompt="lemon", control=Control.SEED, run="seed-43", found=[quoted("near")], passed=False)
    for update, reason in (({"finished": False}, "interrupted"), ({"controls": [failed]}, "different seed seed-43")):
        with pytest.raises(SpacediffError, match=reason):
            approve(record.model_copy(update=update), scenario)
    with pytest.raises(SpacediffError, match="not of other"):
        approve(record, tmp_path / "other.toml")
    assert not accepted_path(scenario).exists()
