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


@pytest.mark.parametrize(("version", "fits"), [("3.10", True), ("3.12.3", True), ("3.9", False), ("2.7", False)])
def test_a_python_is_named_from_the_oldest_one_on(version: str, fits: bool) -> None:  # noqa: FBT001 - a parameter
    text = f'{MINIMAL}[variants.old]\nenv.python = "{version}"\n'
    if fits:
        assert parse_scenario(text, HERE).changes_of("old").value("env.python") == version
    else:
        (mistake,) = mistakes_in(text)
        assert "3.10 on" in mistake.expected


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


HOSTED = MINIMAL.replace(
    'reference.variant = "baseline"',
    'reference.space = { id = "https://huggingface.co/spaces/org/space", endpoint = "/generate" }',
)


def test_the_environment_of_the_space_is_named_by_the_reference() -> None:
    scenario = parse_scenario(HOSTED + '[variants.as-hosted]\nenv = "space"\n', HERE)
    setting = scenario.changes_of("as-hosted")["env.space"]
    assert (setting.value, setting.where) == ("org/space", "quickstart.toml:6")
    assert "env.space" not in scenario.settings_of("baseline")


def test_the_baseline_too_can_run_as_in_the_space_and_a_variant_pin_torch() -> None:
    text = 'baseline.env = "space"\n' + HOSTED + '[variants.theirs]\nenv.torch = "2.4.0"\n'
    settings = parse_scenario(text, HERE).settings_of("theirs")
    assert (settings.value("env.space"), settings.value("env.torch")) == ("org/space", "2.4.0")


def test_a_space_can_be_named_where_the_reference_is_a_file() -> None:
    scenario = parse_scenario(MINIMAL + '[variants.theirs]\nenv.space = "org/space"\n', HERE)
    assert scenario.changes_of("theirs").value("env.space") == "org/space"


@pytest.mark.parametrize(
    "text", [MINIMAL, HOSTED.replace("https://huggingface.co/spaces/org/space", "builtin:tiny-space")]
)
def test_without_a_space_of_the_hub_there_is_no_environment_of_it(text: str) -> None:
    (mistake,) = mistakes_in(text + '[variants.theirs]\nenv = "space"\n')
    assert mistake.key == "variants.theirs.env"
    assert 'env.space = "ORG/NAME"' in mistake.expected


@pytest.mark.parametrize("value", ['"hosted"', "3", '["space"]'])
def test_what_is_neither_a_table_nor_the_space_says_both(value: str) -> None:
    (mistake,) = mistakes_in(f"{HOSTED}[variants.theirs]\nenv = {value}\n")
    assert mistake.key == "variants.theirs.env"
    assert '"space"' in mistake.expected


@pytest.mark.parametrize("name", ["space", "org/space; x", "../space", "https://evil.example/x/y", "org/a/b"])
def test_what_is_no_space_is_refused(name: str) -> None:
    (mistake,) = mistakes_in(f'{HOSTED}[variants.theirs]\nenv.space = "{name}"\n')
    assert mistake.key == "variants.theirs.env.space"
