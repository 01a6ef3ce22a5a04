"""The signatures of the library, checked by mypy: each call has the asserted type, and each wrong call is an error.

mypy reports an `ignore` that nothing needs, so a signature that becomes too wide is found too. Nothing here is called.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, assert_type

import spacediff


def audits(path: Path) -> None:
    scenario = spacediff.load_scenario(path)
    assert_type(scenario, spacediff.Scenario)
    assert_type(spacediff.load_scenario("mine.toml"), spacediff.Scenario)
    assert_type(spacediff.plan_audit(scenario, only=["dpm"], budget=3), spacediff.Plan)
    assert_type(spacediff.plan_audit(path).runs, tuple[spacediff.Run, ...])
    result = spacediff.run_audit(
        scenario,
        out=path,
        only=("dpm",),
        budget=None,
        fresh=True,
        reuse=False,
        strict=True,
        anyway=True,
        against="audits/earlier",
        listener=spacediff.SilentListener(),
    )
    assert_type(result, spacediff.AuditResult)
    assert_type(result.record, spacediff.AuditRecord)
    assert_type(result.record.runs, list[spacediff.RunRecord])
    assert_type(result.record.cause, spacediff.CauseRecord | None)
    assert_type(result.record.history, spacediff.HistoryRecord | None)
    assert_type(result.folder, Path)
    assert_type(result.report, Path)
    assert_type(result.passed, bool)
    assert_type(result.exit_code, spacediff.Exit)
    assert_type(result.unmeasured, list[spacediff.NotMeasuredError])
    assert_type(result.comparison("dpm"), spacediff.ComparisonRecord)
    assert_type(result.comparison("dpm", "lemon").verdict, spacediff.Verdict)
    assert_type(result.record.gate.status, spacediff.GateStatus)
    assert_type(result.record.runs[0].role, spacediff.Role)
    assert_type(spacediff.compare_videos("a.mp4", path, metrics=["flip"], parts=["hand"]), spacediff.AuditResult)
    assert_type(spacediff.compare_videos("a.mp4", path, metrics="flip", parts="hand"), spacediff.AuditResult)
    assert_type(spacediff.plan_audit(scenario, only="dpm"), spacediff.Plan)
    assert_type(spacediff.accept_audit(path, out="audits/mine").history, spacediff.HistoryRecord | None)
    assert_type(spacediff.assert_reproduces(path, variant="dpm", max_drift=0.05, out="a"), spacediff.AuditResult)
    spacediff.run_audit(path, "audits/mine")  # type: ignore[call-arg]  # options are keywords
    spacediff.run_audit(7)  # type: ignore[arg-type]
    spacediff.run_audit(path, only="dpm", frsh=True)  # type: ignore[call-arg]
    several = spacediff.run_audits(
        [scenario, "mine.toml", path], out="audits", executor="ray", shared_folder="s3://b/f"
    )
    assert_type(several, Iterator[spacediff.AuditResult])
    assert_type(next(several).record.runs[0].machine is None, bool)
    spacediff.run_audits(path, executor="slurm")  # type: ignore[arg-type]
    result.folder = path  # type: ignore[misc]  # results do not change


def releases(path: Path) -> None:
    found = spacediff.compare_versions(path, first="0.36", last="0.38", package="diffusers", executor="ray")
    assert_type(found, spacediff.VersionsResult)
    assert_type(found.versions, spacediff.VersionsRecord)
    assert_type(found.audit, spacediff.AuditResult)
    spacediff.compare_versions(path)  # type: ignore[call-arg]


def environments() -> None:
    found = spacediff.space_environment("org/space", torch="2.4.0")
    assert_type(found, spacediff.SpaceEnvironment)
    assert_type(found.packages[0].version, str)
    assert_type(found.facts, tuple[spacediff.Fact, ...])
    assert_type(found.sentences, list[str])
    spacediff.space_environment("org/space", diffusers="0.36")  # type: ignore[call-arg]


def sources(path: Path) -> None:
    reading = spacediff.read_source(path, like="CogVideoXPipeline")
    assert_type(reading, spacediff.Reading)
    assert_type(reading.settings, spacediff.Settings)
    assert_type(reading.settings["model.id"], spacediff.Setting)
    assert_type(reading.settings["model.id"].origin, spacediff.Origin)
    found = spacediff.compare_sources("run.py", "org/space")
    assert_type(found, spacediff.SourceComparison)
    assert_type(found.differences, Sequence[spacediff.SourceDifference])
    assert_type(found.compared, spacediff.ComparedSettings)
    assert_type(found.advice, spacediff.Advice)
    assert_type(found.write_scenario("mine.toml", versions=True), Path)
    assert_type(found.hosted_versions, spacediff.Settings)
    why = spacediff.measure_difference(found, scenario=path, patch="mine.patch", versions=True, budget=20)
    assert_type(why, spacediff.WhyResult)
    assert_type(why.cause, spacediff.CauseRecord | None)
    assert_type(why.corrected, Path | None)
    assert_type(why.audit, spacediff.AuditResult)
    assert_type(spacediff.explain_difference("run.py", "org/space", listener=None), spacediff.WhyResult)
    spacediff.measure_difference("run.py")  # type: ignore[arg-type]


def reports(path: Path, result: spacediff.AuditResult) -> None:
    assert_type(spacediff.read_record(path), spacediff.AuditRecord)
    assert_type(spacediff.render_report(result, "html", against=path), str)
    assert_type(spacediff.render_report(result, "issue", template="diffusers"), str)
    spacediff.write_report(result, "issue", template="comfyui")  # type: ignore[arg-type]
    assert_type(spacediff.write_report(path, ["md", "zip"], variant="dpm"), tuple[spacediff.ReportFile, ...])
    assert_type(spacediff.write_report(result)[0].left_out, tuple[str, ...])
    spacediff.render_report(result, "pdf")  # type: ignore[arg-type]


def machine() -> None:
    assert_type(spacediff.check_machine(), list[spacediff.Check])
    assert_type(spacediff.check_space("org/space", calls=3, endpoint="/generate"), spacediff.SpaceCheck)
    assert_type(spacediff.check_space(Path("mine.toml")).exit_code, spacediff.Exit)
    assert_type(spacediff.copy_scenarios(Path("scenarios")), tuple[list[Path], list[Path]])
    assert_type(spacediff.scenario_schema(), dict[str, Any])
    assert_type(spacediff.record_schema(), dict[str, Any])


def errors() -> None:
    try:
        spacediff.load_scenario("mine.toml")
    except spacediff.ScenarioError as error:
        assert_type(error.mistakes, tuple[spacediff.Mistake, ...])
        assert_type(error.code, str)
        assert_type(error.exit_code, spacediff.Exit)
    except spacediff.AuditInterrupted as interrupted:
        assert_type(interrupted.result, spacediff.AuditResult)
    try:
        spacediff.check_space("org/space")
    except spacediff.CheckInterrupted as stopped:
        assert_type(stopped.result, spacediff.SpaceCheck)


class Listener:
    """A listener without a base class: it has the methods of the protocol."""

    def on_status(self, text: str) -> None: ...
    def on_step(self, done: int, total: int) -> None: ...
    def on_plan(self, runs: Sequence[spacediff.Run]) -> None: ...
    def on_notice(self, notice: spacediff.Fact) -> None: ...
    def on_run_started(self, run: spacediff.Run) -> None: ...
    def on_run_finished(self, run: spacediff.Run, record: spacediff.RunRecord, *, reused: bool) -> None: ...
    def on_worker(self, progress: spacediff.WorkerProgress) -> None: ...
    def on_search_started(self, search: spacediff.SearchProgress) -> None: ...
    def on_probe_finished(
        self,
        search: spacediff.SearchProgress,
        run: spacediff.RunRecord,
        changed: frozenset[str],
        *,
        reproduced: bool | None,
    ) -> None: ...
    def on_search_finished(self) -> None: ...


def scripts() -> None:
    recording = spacediff.record_script("run.py", ["--steps", "30"], out="mine.zip", python="venv/bin/python", call=2)
    assert_type(recording.exit_code, int)
    spacediff.record_script("run.py", out="mine.zip", tensors=True, tensors_steps=[1, 10])
    spacediff.record_script("run.py", out="mine.zip", tensors_steps=10)  # type: ignore[arg-type]
    assert_type(spacediff.write_probe("spacediff_probe.py"), None)
    spacediff.record_script("run.py", out="mine.zip", private="yes")  # type: ignore[arg-type]


def listeners() -> None:
    listener: spacediff.ProgressListener = Listener()
    spacediff.run_audit("mine.toml", listener=listener)
    with spacediff.ProgressBars() as bars:
        spacediff.run_audit("mine.toml", listener=bars)
    spacediff.run_audit("mine.toml", listener=print)  # type: ignore[arg-type]


def traces(path: Path) -> None:
    spacediff.trace.write(path, step=1, timestep=999.0, latents=[0.0])
    spacediff.trace.write("t", noise=[0.0], embeddings=[None], scaling="flow matching", settings={"call": {}})
    spacediff.trace.write(path, steps=1)  # type: ignore[call-arg]


def test_every_public_function_has_its_signature_checked_here() -> None:
    checked = set(re.findall(r"spacediff\.(\w+)\(", Path(__file__).read_text("utf-8")))
    functions = {name for name in spacediff.__all__ if inspect.isfunction(getattr(spacediff, name))}
    assert len(functions) > 10
    assert functions <= checked


def test_every_public_function_describes_each_argument() -> None:
    for name in spacediff.__all__:
        function = getattr(spacediff, name)
        if inspect.isfunction(function) and len(inspect.signature(function).parameters) > 1:
            documented = inspect.getdoc(function) or ""
            for parameter in inspect.signature(function).parameters:
                assert re.search(rf"^    {parameter}: ", documented, re.MULTILINE), f"{name}({parameter})"
