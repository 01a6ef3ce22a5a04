"""Versions that a Space pins: named with the line that tests them, and suspects of the scenario where that is asked."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.errors import InvalidArgument
from spacediff.investigation import SourceComparison
from spacediff.reading import Reading, read_text
from spacediff.reading.sources import read_any
from spacediff.scenario.scenario import parse_scenario
from spacediff.settings import Settings
from spacediff.why.differences import compare_sources
from spacediff.why.patch import Advice
from spacediff.why.scenario_writer import corrected_text, scenario_text
from spacediff.why.versions import differing_versions, version_settings

SCRIPT = """
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
video = pipe(prompt="a lemon", guidance_scale={}).frames[0]
"""
MANY = ",".join([*(f"!=0.31.{number}" for number in range(1, 10)), ">=0.31.0"])
HERE = importlib.metadata.version("diffusers")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def space(**versions: str) -> Reading:
    return replace(read_text(SCRIPT.format(7.0), "app.py"), facts={"space": "org/space", **versions})


def compared(**versions: str) -> SourceComparison:
    ours, theirs = read_text(SCRIPT.format(6.0), "run.py"), space(**versions)
    return SourceComparison(ours, theirs, compare_sources(ours, theirs), Advice(), (), "run.py", "org/space")


def test_a_pinned_version_is_named_with_the_line_that_tests_it() -> None:
    (found,) = differing_versions(space(diffusers="==0.31.0", ftfy="==6"))
    assert found.question == (
        "does the version of diffusers matter? The Space asks for ==0.31.0 (requirements.txt), and this machine has "
        f'{HERE}; env.diffusers = "0.31.0" in a variant tests it'
    )
    (torch,) = differing_versions(space(torch="==2.4.0"))
    assert torch.question.endswith('env.torch = "2.4.0" in a variant tests it, and downloads gigabytes')


def test_a_range_that_this_machine_is_outside_of_is_tested_by_the_space_as_a_whole() -> None:
    (found,) = differing_versions(space(transformers=">=4.40,<4.46"))
    assert found.pinned == ""
    assert 'env = "space" in a variant tests it' in found.question


@pytest.mark.parametrize("asked", [f"=={HERE}", ">=0.1", "any version", ""])
def test_what_is_here_is_no_suspect(asked: str) -> None:
    assert differing_versions(space(diffusers=asked)) == []


@pytest.mark.parametrize("asked", ["git+https://github.com/huggingface/diffusers", "==${V}", ">=0.2,…"])
def test_what_is_no_version_may_be_another_one(asked: str) -> None:
    (found,) = differing_versions(space(diffusers=asked))
    assert found.pinned == ""
    assert f"The Space asks for {asked}" in found.question


def test_the_scenario_leaves_versions_open_unless_they_are_asked_for() -> None:
    found = compared(diffusers="==0.31.0", transformers="==4.46.3", torch="==2.4.0")
    text = found.scenario_text()
    assert parse_scenario(text, Path("why.toml")).settings_of("as-hosted").table("env") == {}
    assert text.count("# open: does the version of") == 3

    text = found.scenario_text(versions=True)
    scenario = parse_scenario(text, Path("why.toml"))
    assert scenario.changes_of("as-hosted").table("env") == {"diffusers": "0.31.0", "transformers": "4.46.3"}
    assert scenario.settings_of("baseline").table("env") == {}
    assert "# open: does the version of torch matter?" in text
    assert text.count("# open: does the version of") == 1, "the others are tested"


def test_the_source_of_a_space_in_a_folder_says_its_versions_too(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT.format(7.0))
    assert differing_versions(read_any(str(tmp_path))) == []
    (tmp_path / "requirements.txt").write_text("diffusers==0.31.0\ntransformers<1\n")
    pinned, ranged = differing_versions(read_any(str(tmp_path)))
    assert pinned.pinned == "0.31.0"
    assert "env.requirements with the path of that file in a variant tests it" in ranged.question


@pytest.mark.parametrize("kind", ["folder", "pipe", "large"])
def test_requirements_that_are_no_small_file_are_not_read(kind: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT.format(7.0))
    file = tmp_path / "requirements.txt"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.write_text("diffusers==0.31.0\n" + "#" * 70_000)
    assert read_any(str(tmp_path)).facts == {}


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        ('diffusers==0.31.0 ; sys_platform == "linux"', "==0.31.0"),
        ('diffusers==0.31.0 ; sys_platform == "win32"\ndiffusers==0.32.0', "==0.32.0"),
        ('diffusers==0.31.0 ; python_version < "3.9"', "==0.31.0"),
        ('diffusers==0.31.0 ; sys_platform == "darwin" and python_version < "3.99"\ndiffusers==0.32.0', "==0.32.0"),
        (
            'diffusers==0.31.0 ; python_version < "3.11"\ndiffusers==0.32.0 ; python_version >= "3.11"',
            "==0.31.0 or ==0.32.0",
        ),
        ("diffusers==0.31.0 --hash=sha256:00", "==0.31.0"),
        (f"diffusers{MANY}", MANY),
        (
            "git+https://github.com/huggingface/diffusers.git@main",
            "git+https://github.com/huggingface/diffusers.git@main",
        ),
        ("diffusers", "any version"),
    ],
)
def test_what_a_space_asks_for_is_read_however_it_is_written(lines: str, asked: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT.format(7.0))
    (tmp_path / "pre-requirements.txt").write_text("pip\ntransformers==4.46.3\n")
    (tmp_path / "requirements.txt").write_text(lines)
    facts = read_any(str(tmp_path)).facts
    assert facts == {"diffusers": asked, "transformers": "==4.46.3"}


def test_a_folder_in_place_of_the_space_has_its_versions_among_the_approximations() -> None:
    found = compared(diffusers="==0.31.0")
    for versions, open_ones in ((Settings(), ["an open question"]), (version_settings(found.space), [])):
        text = scenario_text(found.compared, found.script, found.space, "", versions=versions)
        scenario = parse_scenario(text, Path("why.toml"))
        assert [each.setting for each in scenario.approximations if each.of == "space"] == open_ones


def test_without_a_pinned_version_asking_for_them_changes_nothing() -> None:
    found = compared(diffusers=">=0.1")
    assert found.scenario_text(versions=True) == found.scenario_text()
    assert not found.hosted_versions


def test_a_hostile_pin_is_no_setting_of_a_scenario() -> None:
    left, right = read_text(SCRIPT.format(6.0), "run.py"), space(diffusers="==0!1.0.dev3")
    text = scenario_text(compare_sources(left, right), left, right, "org/space", versions=version_settings(right))
    assert "env.diffusers" not in parse_scenario(text, Path("why.toml")).settings_of("as-hosted")


def test_a_version_of_the_cause_is_corrected_in_the_baseline() -> None:
    left, right = read_text(SCRIPT.format(6.0), "run.py"), space(diffusers="==0.31.0")
    cause = ["call.guidance_scale"]
    found = compare_sources(left, right)
    text = corrected_text(found, left, right, "org/space", cause, versions=version_settings(right))
    baseline = parse_scenario(text, Path("corrected.toml")).settings_of("baseline")
    assert (baseline.value("env.diffusers"), baseline.value("call.guidance_scale")) == ("0.31.0", 7.0)


def test_a_script_that_is_run_has_the_libraries_of_its_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.py").write_text(SCRIPT.format(6.0))
    with pytest.raises(InvalidArgument, match="other versions cannot be tried"):
        compared(diffusers="==0.31.0").scenario_text(run=[], versions=True)
