"""At which release an output changes, from the record of an audit."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.record import (
    AuditRecord,
    ClipRecord,
    EnvironmentRecord,
    MovedRecord,
    PromptRecord,
    Role,
    RunRecord,
    SettingRecord,
    Stage,
    StepRecord,
    TraceRecord,
    VersionsRecord,
)
from spacediff.record.derived.releases import versions_record
from spacediff.settings import Origin
from spacediff.wording import release_text, versions_text

NAMES = {"d-1": "1.0", "d-2": "2.0", "d-3": "3.0"}


def step(digest: str) -> StepRecord:
    return StepRecord(timestep=1.0, guidance=None, digest=digest, mean=0, std=1, norm=1, nonfinite=0)


def run(name: str, frames: str = "", steps: str = "ab", **more: Any) -> RunRecord:
    clip = ClipRecord(
        lossless="x", preview="x", original=None, digest=frames, frames=1, width=1, height=1, fps=8, medium="video"
    )
    trace = TraceRecord(embeddings=["t"], steps=[step(each) for each in steps], decoded=frames)
    usual: dict[str, Any] = {"key": name, "name": name, "role": Role.VARIANT, "prompt": "p", "source": "diffusers"}
    measured = {"measured": True, "clip": clip, "trace": trace} if frames else {"measured": False, "reason": "broken"}
    return RunRecord(**usual | measured | more)


def found(*runs: RunRecord) -> VersionsRecord:
    here = EnvironmentRecord(local={"transformers": "5"}, hosted={})
    prompts = [PromptRecord(name="p", text="", seed=1)]
    fields: dict[str, Any] = {"title": "t", "finished": True, "prompts": prompts, "runs": [*runs], "environment": here}
    return versions_record(AuditRecord.model_construct(**fields), "diffusers", NAMES)


def test_a_change_that_is_taken_back_is_found_twice() -> None:
    versions = found(run("d-1", "f"), run("d-2", "g", "xb"), run("d-3", "f"))
    assert [each.version for each in versions.changes] == ["2.0", "3.0"]
    assert [(each.before, each.stage, each.step, each.steps) for each in versions.changes] == [
        ("1.0", Stage.STEP, 1, 2),
        ("2.0", Stage.STEP, 1, 2),
    ]
    assert versions_text(versions) == "The output changes at diffusers 2.0, 3.0."


def test_equal_releases_are_said_to_be_equal_bit_for_bit() -> None:
    versions = found(run("d-1", "f"), run("d-2", "f"), run("d-3", "f"))
    assert versions.changes == []
    assert release_text(versions.releases[0]) == "the first that gives a clip"
    assert release_text(versions.releases[2]) == "the clip of 2.0, bit for bit"
    assert versions_text(versions) == "The output is the same with every release of diffusers that gave a clip."


def test_numbers_that_differ_behind_equal_frames_are_said() -> None:
    versions = found(run("d-1", "f"), run("d-2", "f", "ax"))
    assert versions.releases[1].changed is False
    assert release_text(versions.releases[1]) == "the frames of 1.0; the numbers differ from step 2 of 2 on"


def test_a_release_without_a_clip_has_its_reason_and_the_next_is_compared_with_the_last_that_had_one() -> None:
    versions = found(run("d-1", "f"), run("d-2"), run("d-3", "f"))
    assert release_text(versions.releases[1]) == "no clip: broken"
    assert versions.releases[2].before == "1.0"
    assert versions_text(versions).endswith("No clip with 2.0.")


def test_a_single_clip_claims_nothing() -> None:
    assert versions_text(found(run("d-1"), run("d-2", "f"))).startswith("No two releases of diffusers were compared.")


def test_only_the_decoding_may_differ() -> None:
    assert found(run("d-1", "f"), run("d-2", "g")).releases[1].stage is Stage.DECODING


def test_the_text_comes_before_the_steps() -> None:
    later = run("d-2", "g", "xy")
    trace = later.trace
    assert trace
    later = later.model_copy(update={"trace": trace.model_copy(update={"embeddings": ["u"]})})
    assert found(run("d-1", "f"), later).releases[1].stage is Stage.TEXT


@pytest.mark.parametrize("steps", ["", "ab"])
def test_what_was_not_seen_is_not_claimed(steps: str) -> None:
    release = found(run("d-1", "f", ""), run("d-2", "g", steps)).releases[1]
    assert (release.changed, release.stage) == (True, Stage.UNOBSERVED)


def test_what_moved_with_a_release_is_named_and_not_the_package_itself() -> None:
    versions = {"diffusers": "2.0", "transformers": "4"}
    settings = {f"env.{key}": SettingRecord(value=value, origin=Origin.DEFAULT) for key, value in versions.items()}
    release = found(run("d-1", "f"), run("d-2", "f", settings=settings)).releases[1]
    assert release.moved == [MovedRecord(name="transformers", start="5", target="4")]
