"""References that were fetched before: taken for the same request alone, with their age, and never by way of a link."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spacediff.errors import ReferenceNotKept
from spacediff.kept_references import changed_spaces, kept_references, take_references
from spacediff.plan import Plan
from spacediff.record import ClipRecord, FactKind, Role, RunRecord
from spacediff.run import Prompt, Run
from spacediff.store.store import Store
from spacediff.wording import sentence
from spacediff.worker.identity import key_of
from support.hub_stand_in import Space, hub_stand_in

PROMPT = Prompt("p", "a lemon", 42)
REQUEST = {"id": "org/space", "endpoint": "/generate", "inputs": {"seed": "{seed}"}, "outputs": {"video": 0}}
REFERENCE = Run("reference", Role.REFERENCE, PROMPT, "space", request=REQUEST)
COMMIT, OTHER = "a" * 40, "b" * 40
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def plan_of(*runs: Run) -> Plan:
    return Plan("t", "?", "", (PROMPT,), runs, "reference")


def record_of(run: Run, **more: object) -> RunRecord:
    fields = {"key": key_of(run, {}), "name": run.name, "role": run.role, "prompt": "p", "source": "space"}
    return RunRecord.model_validate({**fields, "measured": True, "fetched": "2026-11-25T09:30:00+00:00", **more})


def keep(folder: Path, run: Run, lossless: str = "") -> Store:
    store, key = Store(folder), key_of(run, {})
    clip = ClipRecord(lossless=lossless or f"runs/{key}/clip.mkv", preview=f"runs/{key}/clip.mkv", digest="d", frames=1,
                      width=8, height=8, fps=8.0)  # fmt: skip
    with store.writing(key) as draft:
        (draft / "clip.mkv").write_bytes(b"frames")
        store.seal(draft, record_of(run, clip=clip))
    return store


def test_the_reference_of_the_same_request_is_taken(tmp_path: Path) -> None:
    kept, here = keep(tmp_path / "earlier", REFERENCE), Store(tmp_path / "now")
    local = Run("baseline", Role.BASELINE, PROMPT, "diffusers")
    take_references(plan_of(REFERENCE, local), here, kept.folder)
    key = key_of(REFERENCE, {})
    assert here.get(key) == kept.get(key)
    assert (here.folder_of(key) / "clip.mkv").read_bytes() == b"frames"
    take_references(plan_of(REFERENCE), here, tmp_path / "nowhere")  # what is there stays


@pytest.mark.parametrize(
    "other",
    [
        replace(REFERENCE, prompt=replace(PROMPT, seed=43)),
        replace(REFERENCE, prompt=replace(PROMPT, text="a pear")),
        replace(REFERENCE, request={**REQUEST, "id": "org/other"}),
        replace(REFERENCE, request={**REQUEST, "inputs": {"seed": "{seed}", "steps": 4}}),
        replace(REFERENCE, name="reference-2", role=Role.REPEAT, repeat=2),
    ],
)
def test_that_of_another_request_is_not(tmp_path: Path, other: Run) -> None:
    kept = keep(tmp_path / "earlier", REFERENCE)
    with pytest.raises(ReferenceNotKept, match=f"no {other.name} of p that was fetched by the same request"):
        take_references(plan_of(other), Store(tmp_path / "now"), kept.folder)
    assert Store(tmp_path / "now").is_empty


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, said in (("none", "there is no folder"), ("file", "is a file")):
        with pytest.raises(ReferenceNotKept, match=said):
            take_references(plan_of(REFERENCE), Store(tmp_path / "now"), tmp_path / name)


def test_a_plan_whose_reference_nobody_fetches_takes_none(tmp_path: Path) -> None:
    file = Run("reference", Role.REFERENCE, PROMPT, "video", request={"file": "a.mp4"})
    with pytest.raises(ReferenceNotKept, match="nothing that could be taken"):
        take_references(plan_of(file), Store(tmp_path / "now"), tmp_path)


def test_no_link_is_followed_and_no_file_outside_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"frames")
    linked = keep(tmp_path / "linked", REFERENCE)
    clip = linked.folder_of(key_of(REFERENCE, {})) / "clip.mkv"
    clip.unlink()
    clip.symlink_to(tmp_path / "secret")
    outside = keep(tmp_path / "outside", REFERENCE, "../secret")
    for there in (linked, outside):
        assert there.get(key_of(REFERENCE, {})) is not None, "its digests are right"
        with pytest.raises(ReferenceNotKept):
            take_references(plan_of(REFERENCE), Store(tmp_path / "now"), there.folder)


def test_a_kept_reference_says_how_old_it_is() -> None:
    hosted = {"commit": COMMIT, "hardware": "zero-a10g"}
    runs = [record_of(REFERENCE, hosted=hosted), record_of(REFERENCE, fetched=""), record_of(REFERENCE, prompt="q")]
    (found,) = kept_references(runs, NOON)
    assert (found.kind, found.values["prompts"]) == (FactKind.REFERENCE_KEPT, ["p", "q"])
    assert sentence(found) == (
        "The reference (p, q) is a kept one: it was fetched 3 days ago, on 2026-11-25 09:30 UTC, at commit "
        f"{COMMIT}, on zero-a10g."
    )
    assert kept_references([record_of(REFERENCE, fetched="2026-11-28T12:00:01+00:00")], NOON) == []
    assert kept_references([record_of(REFERENCE, fetched="yesterday")], NOON) == []


def test_clips_of_two_commits_of_a_space_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # nobody says what it is now
    runs = [record_of(REFERENCE, hosted={"space": "org/space", "commit": commit}) for commit in (COMMIT, COMMIT, OTHER)]
    (found,) = changed_spaces(runs)
    assert sentence(found) == (
        f"The Space org/space has changed since the reference was fetched: from commit {COMMIT} to {OTHER}."
    )
    assert changed_spaces(runs[:2]) == []
    assert changed_spaces([record_of(REFERENCE, hosted={"address": "http://127.0.0.1"})]) == []


@pytest.mark.slow
def test_the_hub_is_asked_at_which_commit_a_space_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    with hub_stand_in({"org/space": Space("http://127.0.0.1:9")}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hosted = {"space": "org/space", "commit": COMMIT}
        (found,) = changed_spaces([record_of(REFERENCE, hosted=hosted)])
        assert found.values["commits"] == [COMMIT, "2e" * 20]
        assert changed_spaces([record_of(REFERENCE, hosted={**hosted, "commit": "2e" * 20})]) == []
