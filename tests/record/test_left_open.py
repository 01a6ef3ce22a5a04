"""What an audit leaves open: each thing is named where it was not measured, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacediff.record import (
    AuditRecord,
    ClipRecord,
    FactKind,
    ProbeRecord,
    Role,
    RunRecord,
    SamplesRecord,
    SemanticsRecord,
    Verdict,
    fact,
    with_derived,
)
from spacediff.settings import Origin
from support.html_page import change_comparison, change_run, with_cause
from support.synthetic_audit import REFERENCE_SETTINGS, setting, synthetic_audit

KNOWN = {"torch": "==2.8.0", "diffusers": "0.36.0", "transformers": "== 4.55.0", "hardware": "zero-a10g"}


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return synthetic_audit(tmp_path_factory.mktemp("audit"), frames=1, size=(32, 48))


def found(record: AuditRecord) -> dict[FactKind, dict[str, Any]]:
    return {each.kind: each.values for each in with_derived(record).left_open}


def kinds(record: AuditRecord) -> set[FactKind]:
    return set(found(record))


def test_every_audit_names_what_it_rests_on_last(audit: AuditRecord) -> None:
    last = with_derived(audit).left_open[-1]
    assert (last.kind, last.values) == (FactKind.OPEN_PROMPTS, {"prompts": 1, "seeds": 1})
    files = with_derived(audit.model_copy(update={"scenario_name": ""})).left_open[-1]
    assert files.kind is FactKind.OPEN_CLIPS
    assert with_derived(audit.model_copy(update={"prompts": []})).left_open == []


def test_the_seeds_of_a_group_count_and_those_that_only_give_the_scale_do_not(audit: AuditRecord) -> None:
    seed = {"rng.seed": setting(43)}
    sampled = change_run(audit, "dpm", role=Role.SAMPLE, settings=seed)
    assert found(sampled)[FactKind.OPEN_PROMPTS]["seeds"] == 2
    assert found(change_run(audit, "dpm", role=Role.SEED, settings=seed))[FactKind.OPEN_PROMPTS]["seeds"] == 1


def test_settings_that_the_space_does_not_report_are_counted(audit: AuditRecord) -> None:
    own = audit.run("lemon", "baseline").settings
    values = found(audit)[FactKind.OPEN_SETTINGS]
    assert values == {"unknown": len(own.keys() - REFERENCE_SETTINGS.keys()) + 1, "of": len(own)}, "one is unknown"
    everything = change_run(audit, "reference", settings={path: setting(1) for path in own})
    assert FactKind.OPEN_SETTINGS not in kinds(everything)
    recorded = change_run(audit, "reference", source="recording")
    assert found(recorded)[FactKind.OPEN_SETTINGS]["unknown"] == 1, "what a recording lacks was not given"


@pytest.mark.parametrize("version", ["", ">=2.4", "any version", "==2.*", "==2.8.0,!=2.8.1"])
def test_a_version_that_is_not_the_only_one_is_unknown(audit: AuditRecord, version: str) -> None:
    unknown = change_run(audit, "reference", hosted=KNOWN | {"torch": version})
    assert found(unknown)[FactKind.OPEN_LIBRARIES] == {"libraries": ["torch"]}
    assert FactKind.OPEN_LIBRARIES not in kinds(change_run(audit, "reference", hosted=KNOWN))


def test_unknown_hardware_and_revision_are_named(audit: AuditRecord) -> None:
    assert {FactKind.OPEN_HARDWARE, FactKind.OPEN_REVISION} <= kinds(audit)
    observed = REFERENCE_SETTINGS | {"model.commit": setting("8fc5b28", Origin.OBSERVED)}
    known = change_run(audit, "reference", hosted=KNOWN, settings=observed)
    assert not {FactKind.OPEN_HARDWARE, FactKind.OPEN_REVISION} & kinds(known)
    program = change_run(audit, "reference", source="command")
    assert FactKind.OPEN_HARDWARE not in kinds(program), "it ran on this machine"


def test_a_reference_of_this_machine_leaves_the_space_open_and_nothing_of_itself(audit: AuditRecord) -> None:
    own = kinds(change_run(audit, "reference", source="diffusers"))
    assert FactKind.OPEN_HOSTED in own
    assert not {FactKind.OPEN_SETTINGS, FactKind.OPEN_LIBRARIES, FactKind.OPEN_HARDWARE, FactKind.OPEN_REPEAT} & own


def unlike(audit: AuditRecord) -> AuditRecord:
    """Leave no run that matches the reference."""
    for each in audit.comparisons:
        audit = change_comparison(audit, each.candidate, verdict=Verdict.SETTINGS_DIFFER)
    return audit


def test_whether_the_space_repeats_itself_is_open_until_it_was_asked_again_or_matched(audit: AuditRecord) -> None:
    assert FactKind.OPEN_REPEAT in kinds(unlike(audit))
    matched = change_comparison(unlike(audit), "as-hosted", verdict=Verdict.CODEC_ONLY)
    assert FactKind.OPEN_REPEAT not in kinds(matched), "a run gives its clip, so that is no accident"
    again = change_run(unlike(audit), "dpm", role=Role.REPEAT)
    assert FactKind.OPEN_REPEAT not in kinds(again)
    cached = change_comparison(change_run(again, "dpm", used_cache="full"), "dpm", verdict=Verdict.IDENTICAL)
    assert FactKind.OPEN_REPEAT in kinds(change_run(cached, "dpm", source="space")), "the cache answered"
    grouped = SamplesRecord(prompt="lemon", reference="reference", candidate="baseline")
    assert FactKind.OPEN_REPEAT not in kinds(unlike(audit).model_copy(update={"samples": [grouped]}))
    assert FactKind.OPEN_REPEAT not in kinds(change_run(unlike(audit), "reference", source="video"))


def test_an_unknown_drift_of_the_shown_run_is_named_with_what_is_missing(audit: AuditRecord) -> None:
    why = fact(FactKind.METRIC_DRIFT_UNKNOWN, metric="", rerun=True, seeds=False, codec_share=None)
    blind = change_comparison(audit, "baseline", drift=None, evidence=[why])
    assert found(blind)[FactKind.OPEN_DRIFT] == {"rerun": True, "seeds": False}
    assert FactKind.OPEN_DRIFT not in kinds(change_comparison(audit, "dpm", drift=None, evidence=[why]))


def test_metrics_without_large_enough_frames_are_named(audit: AuditRecord) -> None:
    sides = {"LPIPS": 32, "SSIM": 11}
    notes = [fact(FactKind.METRIC_UNDEFINED, metric=name, smallest_side=side) for name, side in sides.items()]
    lacking = change_comparison(audit, "dpm", notes=notes)
    assert found(lacking)[FactKind.OPEN_METRICS] == {"metrics": ["LPIPS", "SSIM"]}
    assert FactKind.OPEN_METRICS not in kinds(audit)


def test_runs_without_a_clip_are_named_but_not_the_reference_nor_probes(audit: AuditRecord) -> None:
    assert found(audit)[FactKind.OPEN_RUNS] == {"runs": ["sequential"]}
    lost = change_run(change_run(audit, "sequential", role=Role.PROBE), "reference", measured=False)
    assert kinds(lost) == {FactKind.OPEN_PROMPTS}, "nothing can be said of a reference that is not there"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (FactKind.OPEN_INTERRUPTED, {"finished": False}),
        (
            FactKind.OPEN_APPROXIMATIONS,
            {"approximations": [fact(FactKind.APPROXIMATED, setting="a", value="1", where="run.py:1", reason="")]},
        ),
        (FactKind.OPEN_CONTENTS, {"semantics": [SemanticsRecord(prompt="lemon", model="clip", reason="no network")]}),
        (FactKind.OPEN_SOUND, {"warnings": [fact(FactKind.SOUND_NOT_COMPARED, runs=["dpm"])]}),
    ],
)
def test_what_else_was_not_measured_is_named(audit: AuditRecord, kind: FactKind, changes: dict[str, Any]) -> None:
    assert kind in kinds(audit.model_copy(update=changes))
    assert kind not in kinds(audit)


def test_probes_that_ended_early_have_no_clip(audit: AuditRecord) -> None:
    probes = [ProbeRecord(run=f"probe-{n}", changed=[], reproduced=False, early=n > 1) for n in range(4)]
    assert found(with_cause(audit, probes=probes))[FactKind.OPEN_PROBES] == {"early": 2}
    assert FactKind.OPEN_PROBES not in kinds(with_cause(audit, probes=probes[:2]))


def test_a_changed_prompt_is_open_where_a_difference_remains_unexplained(audit: AuditRecord) -> None:
    suspect = fact(FactKind.PROMPT_MAY_BE_REWRITTEN, space="")
    assert FactKind.OPEN_PROMPT_TEXT in kinds(with_cause(audit, residual_suspects=[suspect]))
    assert FactKind.OPEN_PROMPT_TEXT not in kinds(with_cause(audit))


def test_of_two_files_the_settings_and_the_rest_of_a_long_one_are_open(audit: AuditRecord) -> None:
    def file(run: RunRecord) -> RunRecord:
        clip = ClipRecord.model_validate(run.clip).model_copy(update={"original": "a.mp4"})
        return run.model_copy(update={"source": "video", "clip": clip, "settings": {"output.fps": setting(8)}})

    both = [file(audit.run("lemon", name)) for name in ("reference", "dpm")]
    files = audit.model_copy(update={"runs": both, "scenario_name": ""})
    assert found(files)[FactKind.OPEN_SETTINGS] == {"unknown": 0, "of": 0}
    assert not {FactKind.OPEN_LIBRARIES, FactKind.OPEN_HARDWARE, FactKind.OPEN_REVISION, FactKind.OPEN_END} & kinds(
        files
    )
    assert both[1].clip
    cut = change_run(files, "dpm", clip=both[1].clip.model_copy(update={"original": None}))
    assert found(cut)[FactKind.OPEN_END] == {"frames": 1}


def test_they_are_in_the_order_of_their_weight(audit: AuditRecord) -> None:
    order = [list(FactKind).index(each.kind) for each in with_derived(unlike(audit)).left_open]
    assert order == sorted(order)
    assert len(order) == len({*order}), "what several prompts leave open is said once"


def test_what_an_older_record_lacks_is_derived_when_it_is_read(audit: AuditRecord, tmp_path: Path) -> None:
    """Such a record has no resolved values beside those that its suspects declare."""
    import json

    from spacediff.record import read_record, write_record

    record = with_derived(with_cause(audit))
    write_record(record, tmp_path)
    data = json.loads((tmp_path / "audit.json").read_text("utf-8"))
    del data["left_open"]
    for suspect in data["cause"]["suspects"]:
        del suspect["start_setting"], suspect["target_setting"]
    (tmp_path / "audit.json").write_text(json.dumps(data), "utf-8")
    read = read_record(tmp_path)
    assert read.left_open == record.left_open
    assert read.cause
    assert read.cause.suspects[0].start_setting == audit.run("lemon", "baseline").settings["call.use_dynamic_cfg"]
    assert read == record
