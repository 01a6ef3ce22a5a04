from __future__ import annotations

from typing import Any

from spacediff.explaining.residual import residual_suspects
from spacediff.record import ComparisonRecord, Fact, FactKind, Role, RunRecord, SettingRecord, Verdict, fact, quoted
from spacediff.settings import Origin

HERE = {"torch": "2.13.0+cpu", "diffusers": "0.35.0", "device": "cpu"}


def run(source: Any, hosted: dict[str, str] | None = None, seed: int | None = None, **settings: Any) -> RunRecord:
    return RunRecord(key="", name="r", role=Role.REFERENCE, prompt="p", source=source, measured=True, seed_echoed=seed,
                     hosted=hosted or {}, settings={path.replace("__", "."): SettingRecord(
                         value=value, origin=Origin.DEFAULT, where="somewhere") for path, value in settings.items()},
                     )  # fmt: skip


RIGHT = run("diffusers", rng__seed=42, model__commit="abc")


def test_each_suspect_comes_with_both_values_and_where_they_were_read() -> None:
    space = run("space", {"torch": "==2.4.0", "diffusers": "==0.35.0", "hardware": "zero-a10g"}, 7, space__id="o/n")
    found = residual_suspects(RIGHT, space, None, HERE)
    assert found == [
        fact(FactKind.VERSION_DIFFERS, library="torch", hosted="==2.4.0", here="2.13.0+cpu"),
        fact(FactKind.HARDWARE, hosted="zero-a10g", here="cpu"),
        fact(FactKind.REVISION_UNKNOWN, here="abc", where="somewhere"),
        fact(FactKind.SEED_DIFFERS, hosted=7, here=42, where="somewhere"),
        fact(FactKind.PROMPT_MAY_BE_REWRITTEN, space="o/n"),
    ]


def test_a_package_that_cleans_prompts_is_a_suspect_where_only_the_space_has_it() -> None:
    space = run("space", {"torch": "==2.13.0", "ftfy": "any version"})
    suspect = fact(FactKind.VERSION_DIFFERS, library="ftfy", hosted="any version", here="not installed")
    assert suspect in residual_suspects(run("diffusers", packages__ftfy=False), space, None, HERE)
    for other in (run("diffusers", packages__ftfy=True), RIGHT):
        assert suspect not in residual_suspects(other, space, None, HERE)


def test_a_run_in_another_environment_has_its_versions_and_not_those_of_this_one() -> None:
    space = run("space", {"torch": "==2.13.0", "diffusers": "==0.31.0"})
    assert FactKind.VERSION_DIFFERS in kinds(residual_suspects(RIGHT, space, None, HERE))
    theirs = run("diffusers", env__space="org/space", env__diffusers="0.31.0")
    assert FactKind.VERSION_DIFFERS not in kinds(residual_suspects(theirs, space, None, HERE))


def kinds(found: list[Fact]) -> set[FactKind]:
    return {each.kind for each in found}


def test_a_seed_that_was_followed_is_no_suspect() -> None:
    found = residual_suspects(RIGHT, run("space", seed=42), None, HERE)
    assert found
    assert FactKind.SEED_DIFFERS not in kinds(found)


def test_what_nobody_says_is_said_so() -> None:
    assert residual_suspects(run("diffusers"), run("video"), None, HERE) == [
        fact(FactKind.VERSIONS_UNKNOWN, here="torch 2.13.0+cpu, diffusers 0.35.0"),
        fact(FactKind.HARDWARE, hosted="", here="cpu"),
        fact(FactKind.REVISION_UNKNOWN, here="", where=""),
        fact(FactKind.PROMPT_OF_FILE_UNKNOWN),
    ]


def test_what_was_made_here_has_nothing_outside() -> None:
    assert residual_suspects(RIGHT, run("diffusers"), None, HERE) == []


def test_post_processing_is_named_where_it_was_seen() -> None:
    seen = ComparisonRecord(prompt="p", reference="r", candidate="c", verdict=Verdict.POST_PROCESSED,
                            evidence=[quoted("twice the frames")])  # fmt: skip
    assert fact(FactKind.POST_PROCESSED, quoted("twice the frames")) in residual_suspects(
        RIGHT, run("space"), seen, HERE
    )
    other = seen.model_copy(update={"verdict": Verdict.SETTINGS_DIFFER})
    assert FactKind.POST_PROCESSED not in kinds(residual_suspects(RIGHT, run("space"), other, HERE))


def test_a_machine_that_was_observed_to_be_the_same_is_no_suspect() -> None:
    here = HERE | {"processor": "Xeon, 2 logical cores", "instructions": "AVX512", "threads": "2"}

    def hardware(**changed: str) -> list[Fact]:
        theirs = run("recording", {**here, "hardware": "cpu", **changed}, model__commit="abc")
        return residual_suspects(RIGHT, theirs, None, here)

    assert hardware() == []
    assert hardware(instructions="DEFAULT") == [
        fact(
            FactKind.HARDWARE,
            hosted="cpu, Xeon, 2 logical cores, DEFAULT",
            here="cpu, Xeon, 2 logical cores, AVX512",
        )
    ]
    card = hardware(device="NVIDIA L4, 22 GiB, sm_89", hardware="NVIDIA L4, 22 GiB, sm_89")
    assert card == [fact(FactKind.HARDWARE, hosted="NVIDIA L4, 22 GiB, sm_89", here="cpu")]
