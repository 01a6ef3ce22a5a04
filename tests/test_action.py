"""The GitHub Action and its example workflow: their schemas, and the action's steps, run as a runner does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from spacediff.cli.parser import parsers
from support.paths import ROOT

ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "docs" / "workflows" / "release.yml"
STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" "--" >> "$CALLS"
case "$1" in
  audit) mkdir -p "$4"; echo "{}" > "$4/audit.json"; exit "${WANTED:-0}" ;;
  approve) echo accepted > "${2%.toml}.accepted.json" ;;
esac
"""


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))
    return found


class Runner:
    """Runs the steps of the composite action: expressions only in `env` and `if`, outputs through files."""

    def __init__(self, folder: Path, program: Path, **environment: str) -> None:
        self.folder, self.outputs = folder, dict[str, dict[str, str]]()
        self.bash = shutil.which("bash") or "bash"
        self.summary = folder / "summary.md"
        self.environment = {
            **os.environ, "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "GITHUB_STEP_SUMMARY": str(self.summary),
            "PATH": f"{program}{os.pathsep}{os.environ['PATH']}", **environment,
        }  # fmt: skip

    def run(self, **inputs: str) -> int:
        """Run all steps but the installation; returns the first exit code that is not 0."""
        given = {name: each.get("default", "") for name, each in action()["inputs"].items()}
        given |= {name.replace("_", "-"): each for name, each in inputs.items()}
        for number, step in enumerate(action()["runs"]["steps"][1:]):
            variables = {name: self._evaluated(each, given) for name, each in step["env"].items()}
            output = self.folder / f"output-{number}"
            output.write_text("")
            done = subprocess.run(
                [self.bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.folder, check=False, env={**self.environment, **variables, "GITHUB_OUTPUT": str(output)},
            )  # fmt: skip
            lines = [line.partition("=") for line in output.read_text().splitlines()]
            self.outputs[step.get("id", "")] = {name: each for name, _, each in lines}
            if done.returncode:
                return done.returncode
        return 0

    def _evaluated(self, text: str, given: dict[str, str]) -> str:
        found = re.fullmatch(r"\$\{\{ (?:inputs\.([\w-]+)|steps\.(\w+)\.outputs\.([\w-]+)) \}\}", text)
        assert found, text
        return given[found[1]] if found[1] else self.outputs[found[2]].get(found[3], "")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner whose `spacediff` only notes how it is called."""
    program = tmp_path / "program"
    program.mkdir()
    (program / "spacediff").write_text(STAND_IN)
    (program / "spacediff").chmod(0o755)
    (tmp_path / "mine.toml").touch()
    return Runner(tmp_path, program, CALLS=str(tmp_path / "calls"))


def calls(runner: Runner) -> list[list[str]]:
    text = (runner.folder / "calls").read_text()
    return [call.splitlines() for call in text.split("--\n")[:-1] if call] if text else []


def test_no_expression_stands_in_a_script() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    steps = [*action()["runs"]["steps"], *(step for job in workflow["jobs"].values() for step in job["steps"])]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) > 5
    assert not [script for script in scripts if "${{" in script]


def test_other_peoples_actions_are_pinned_to_a_commit_and_rights_are_named() -> None:
    text = WORKFLOW.read_text("utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each) for each in used if each != "./")
    assert yaml.safe_load(text)["permissions"] == {}


def test_action_and_workflow_are_valid_by_their_published_schemas() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    for schema, file in (("vendor.github-actions", ACTION), ("vendor.github-workflows", WORKFLOW)):
        done = subprocess.run([*check, schema, file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    (job,) = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].values()
    (step,) = [step for step in job["steps"] if step.get("uses") == "./"]
    assert set(step["with"]) <= set(action()["inputs"])
    named = set(re.findall(r"steps\.spacediff\.outputs\.([\w-]+)", WORKFLOW.read_text("utf-8")))
    assert named <= set(action()["outputs"])


def test_the_steps_use_commands_and_options_that_exist() -> None:
    commands = parsers()[1]
    scripts = "\n".join(step["run"] for step in action()["runs"]["steps"])
    called = re.findall(r"spacediff (\w+) ([^|;\n]*)", scripts)
    assert {name for name, _ in called} == {"audit", "report", "approve"}
    for name, words in called:
        assert set(re.findall(r"(?<!\S)--[a-z]+", words)) <= set(commands[name].options)


def test_the_outputs_name_what_was_written(runner: Runner) -> None:
    assert runner.run(scenario="mine.toml", folder="audits/mine") == 0
    assert runner.outputs["audit"] == {"exit-code": "0"}
    assert runner.outputs["report"]["zip"] == "audits/mine/report.zip"
    assert calls(runner)[0] == ["audit", "mine.toml", "--out", "audits/mine"]


@pytest.mark.parametrize("code", ["1", "3"])
def test_the_job_ends_with_the_exit_code_of_the_audit_after_the_attachments(runner: Runner, code: str) -> None:
    runner.environment["WANTED"] = code
    assert runner.run(scenario="mine.toml", strict="true") == int(code)
    assert [call[0] for call in calls(runner)] == ["audit", "report"]
    assert "--strict" in calls(runner)[0]


@pytest.mark.parametrize("code", ["2", "70", "130"])
def test_the_result_of_an_earlier_audit_is_neither_attached_nor_accepted(runner: Runner, code: str) -> None:
    assert runner.run(scenario="mine.toml", folder="audits/mine") == 0
    runner.environment["WANTED"] = code
    assert runner.run(scenario="mine.toml", folder="audits/mine", accept="true", accepted="accepted") == int(code)
    assert [call[0] for call in calls(runner)] == ["audit", "report", "audit"]
    assert (runner.outputs["report"], runner.outputs["accepted"]) == ({}, {})


@pytest.mark.parametrize(("package", "installed"), [("", "/action[run]"), (".[run]", ".[run]")])
def test_the_commit_of_the_action_is_what_is_installed(package: str, installed: str, tmp_path: Path) -> None:
    step = action()["runs"]["steps"][0]
    assert step["if"] == "inputs.package != 'none'"
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    variables = {"PACKAGE": package, "CONSTRAINTS": "", "GITHUB_ACTION_PATH": "/action"}
    environment = {**os.environ, **variables, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-eo", "pipefail", "-c", step["run"]],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["-m", "pip", "install", "--quiet", "--", installed]


@pytest.mark.parametrize("name", ["$(touch pwned).toml", "a; touch pwned;.toml", "`touch pwned`.toml", "a b'c\".toml"])
def test_an_input_is_a_value_and_no_part_of_a_script(runner: Runner, name: str) -> None:
    assert runner.run(scenario=name, folder="$(touch pwned)") == 0
    assert not (runner.folder / "pwned").exists()
    assert calls(runner)[0][1] == name


@pytest.mark.parametrize("name", ["a.toml\nzip=/etc/passwd", "--help.toml", "run.py"])
def test_what_is_no_scenario_is_refused_before_anything_runs(runner: Runner, name: str) -> None:
    assert runner.run(scenario=name) == 2
    assert not (runner.folder / "calls").exists()


def test_each_platform_has_an_accepted_state_of_its_own(runner: Runner) -> None:
    (runner.folder / "mine.accepted.json").write_text("of another platform")
    assert runner.run(scenario="mine.toml", accepted="accepted") == 0
    assert not (runner.folder / "mine.accepted.json").exists()
    assert "state" not in runner.outputs["accepted"]
    assert runner.run(scenario="mine.toml", accepted="accepted", accept="true") == 0
    assert (runner.folder / "accepted" / "Linux-X64" / "mine.accepted.json").read_text() == "accepted\n"
    (runner.folder / "mine.accepted.json").write_text("of another platform")
    assert runner.run(scenario="mine.toml", accepted="accepted") == 0
    assert (runner.folder / "mine.accepted.json").read_text() == "accepted\n"
    assert runner.outputs["accepted"]["state"] == "accepted/Linux-X64/mine.accepted.json"


SMALL = """title = "in the action"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 1, num_frames = 9 }
placement = "cpu"
[variants.guided]
call.guidance_scale = 3.0
[reference]
variant = "guided"
[scale]
seeds = 1
rerun = false
[gate]
variant = "baseline"
max_drift = 0.0
"""


@pytest.mark.slow
def test_a_real_audit_writes_zip_junit_and_the_jobs_summary(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(SMALL)
    program = tmp_path / "program"
    program.mkdir()
    (program / "spacediff").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m spacediff "$@"\n')
    (program / "spacediff").chmod(0o755)
    runner = Runner(tmp_path, program, PYTHONPATH=str(ROOT / "harness"))
    assert runner.run(scenario="mine.toml", accepted="accepted") == 3, "the pixels differ, and no re-run gives a scale"
    for name in ("report", "zip", "junit"):
        assert (tmp_path / runner.outputs["report"][name]).stat().st_size > 100
    assert "Gate not measured" in runner.summary.read_text("utf-8")
