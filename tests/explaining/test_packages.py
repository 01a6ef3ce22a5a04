"""What moved with a version that is a setting, and how that is said."""

from __future__ import annotations

from spacediff.explaining.packages import moved_with_versions
from spacediff.explaining.result import SearchResult
from spacediff.record import CauseRecord, MovedRecord, Role, RunRecord, SettingRecord, Standing, SuspectRecord
from spacediff.settings import Difference, Origin, Setting
from spacediff.wording import cause_sentences

HERE = {"diffusers": "0.42.1", "transformers": "5.23.0"}


def run(name: str, **versions: str) -> RunRecord:
    settings = {f"env.{key}": SettingRecord(value=value, origin=Origin.DEFAULT) for key, value in versions.items()}
    return RunRecord(
        key=name, name=name, role=Role.VARIANT, prompt="p", source="diffusers", measured=True, settings=settings
    )


def search(left: RunRecord, right: RunRecord, *paths: str) -> SearchResult:
    suspects = tuple(Difference(path, None, Setting("x", Origin.DECLARED)) for path in paths)
    return SearchResult(left, right, suspects)


def test_what_moved_with_the_asked_version_is_listed_with_both_versions() -> None:
    old = run("old", diffusers="0.36.0", transformers="4.57.3", tokenizers="0.22.1")
    found = moved_with_versions(search(run("now"), old, "env.diffusers", "call.x"), HERE)
    assert found == [
        MovedRecord(name="transformers", start="5.23.0", target="4.57.3"),
        MovedRecord(name="tokenizers", start="", target="0.22.1"),
    ]


def test_two_versions_of_one_package_name_only_what_differs_between_them() -> None:
    one = run("one", diffusers="0.36.0", transformers="4.57.3")
    other = run("other", diffusers="0.37.0", transformers="4.57.3", peft="0.18")
    found = moved_with_versions(search(one, other, "env.diffusers"), {**HERE, "peft": "0.21"})
    assert found == [MovedRecord(name="peft", start="0.21", target="0.18")]


def test_where_no_version_is_a_setting_nothing_moved() -> None:
    assert moved_with_versions(search(run("a"), run("b", transformers="4"), "call.x"), HERE) == []


def cause(standing: Standing) -> str:
    suspect = SuspectRecord(path="env.diffusers", start=None, target="0.36.0", standing=standing)
    other = SuspectRecord(path="call.x", start=1, target=2, standing=Standing.CAUSE)
    moved = [MovedRecord(name="transformers", start="5.23.0", target="4.57.3")]
    record = CauseRecord(
        prompt="p", start="baseline", target="old", finished=True, suspects=[other, suspect], moved=moved
    )
    return " ".join(cause_sentences(record, "old"))


def test_a_version_as_the_cause_is_named_with_what_moved_with_it() -> None:
    said = cause(Standing.CAUSE)
    assert "version of diffusers" in said
    assert "transformers 5.23.0 to 4.57.3" in said


def test_a_version_that_is_not_the_cause_blames_no_package() -> None:
    assert "transformers" not in cause(Standing.NO_EFFECT)
