"""Versions of libraries in a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import ScenarioError
from spacediff.scenario.scenario import ensure_files_exist, parse_scenario
from support.scenarios import HERE, MINIMAL, mistakes_in


def test_a_version_is_a_setting_of_its_variant() -> None:
    scenario = parse_scenario(MINIMAL + '[variants.old]\nenv.diffusers = "0.36.0"\n', HERE)
    assert scenario.changes_of("old").value("env.diffusers") == "0.36.0"
    assert "env.diffusers" not in scenario.settings_of("baseline")


@pytest.mark.parametrize("version", ["0.36.0 ; evil", ">=0.36", "latest", "", "--index-url=x", "1" * 50])
def test_what_is_no_version_is_refused(version: str) -> None:
    (mistake,) = mistakes_in(f'{MINIMAL}[variants.old]\nenv.diffusers = "{version}"\n')
    assert mistake.key == "variants.old.env.diffusers"
    assert "0.37.1" in mistake.expected


def test_an_unknown_package_is_refused_by_its_line() -> None:
    (mistake,) = mistakes_in(f'{MINIMAL}[variants.old]\nenv.difusers = "0.36.0"\n')
    assert mistake.key == "variants.old.env.difusers"


def test_requirements_begin_at_the_scenarios_folder_and_have_to_be_there(tmp_path: Path) -> None:
    text = MINIMAL + '[variants.old]\nenv.requirements = "./theirs.txt"\n'
    scenario = parse_scenario(text, tmp_path / "s.toml")
    assert scenario.changes_of("old").value("env.requirements") == (tmp_path / "theirs.txt").as_posix()
    with pytest.raises(ScenarioError, match=r"theirs\.txt"):
        ensure_files_exist(scenario, ["baseline", "old"])
    (tmp_path / "theirs.txt").write_text("numpy\n")
    ensure_files_exist(scenario, ["baseline", "old"])


def test_a_version_cannot_be_put_into_a_script() -> None:
    text = MINIMAL.replace('baseline.model.id = "builtin:tiny-cogvideox"', 'baseline.script = "run.py"')
    (mistake,) = mistakes_in(f'{text}[variants.old]\nenv.diffusers = "0.36.0"\n')
    assert "what can be put into a script" in mistake.expected
