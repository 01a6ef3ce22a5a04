from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spacediff.record import AuditRecord, GateRecord, GateStatus, Role, RunRecord
from support.drawn_scene import pictures
from support.html_page import change_run, draw
from support.synthetic_audit import compare, save_clip, synthetic_audit
from support.synthetic_traces import with_traces


def test_an_interrupted_audit_says_so(record: AuditRecord, folder: Path) -> None:
    assert "this report is partial" in draw(record.model_copy(update={"finished": False}), folder).text
    assert "this report is partial" not in draw(record, folder).text


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


NAMES = ("baseline", "as-hosted", "cpu-noise", "dpm", "dynamic-cfg", "on-gpu", "seed-43", "sequential")


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
    assert "The reference was not measured, so nothing could be compared with it." in lost
    assert "no GPU quota left" in lost
    assert "There is no reference" in draw(STATES["no reference"](record), folder).text
    assert "The drift is unknown" in draw(STATES["no scale"](record), folder).text
    assert "This audit has no prompts" in draw(STATES["no prompts"](record), folder).text


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
    assert "every pixel is the same" in page.text
    assert page.data("report-data")["prompts"][0]["axes"]["psnr"]["infinite"]
