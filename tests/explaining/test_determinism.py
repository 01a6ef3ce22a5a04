"""The control with deterministic algorithms, with real runs on a machine that is simulated not to repeat itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.executor import Sequential
from spacediff.explaining.determinism import compared, control_of_determinism
from spacediff.plan import Plan, plan_scenario
from spacediff.progress import SilentListener
from spacediff.record import ClipRecord, DeterminismRecord, Role, RunRecord, StepRecord, TraceRecord
from spacediff.run import Run
from spacediff.scenario.scenario import parse_scenario
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM
from spacediff.wording import determinism_text
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.local import LocalWorker
from support.noisy_attention import noisy_attention

SCENARIO = f"""
title = "a machine that does not repeat itself"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = {{ id = "{RANDOM.id}", dtype = "float32" }}
call = {{ num_inference_steps = 2, num_frames = 5, height = 48, width = 64 }}
placement = "cpu"
[reference]
variant = "baseline"
[scale]
deterministic_control = true
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_scenario(parse_scenario(SCENARIO, tmp_path / "s.toml"))


def control_here(plan: Plan, folder: Path) -> tuple[DeterminismRecord | None, tuple[RunRecord, ...]]:
    """Generate the baseline and its re-run here, and then what the control asks for."""
    store, executor = Store(folder), Sequential(AuditWorker(LocalWorker({}), folder))

    def generate(run: Run) -> RunRecord:
        (record,) = executor.execute([run], store, SilentListener())
        return record

    usual = [generate(run) for run in plan.runs if run.role in {Role.BASELINE, Role.RERUN}]
    return control_of_determinism(plan, usual, generate)


def made_up(name: str, role: Role, picture: str = "a", steps: str = "ab") -> RunRecord:
    """A run with the digests of its clip and of its steps."""
    clip = ClipRecord(lossless="", preview="", digest=picture, frames=1, width=8, height=8, fps=8)
    known = {"timestep": None, "guidance": None, "mean": 0.0, "std": 1.0, "norm": 1.0, "nonfinite": 0}
    trace = TraceRecord(steps=[StepRecord.model_validate(known | {"digest": digest}) for digest in steps])
    return RunRecord(
        key=name, name=name, role=role, prompt="p", source="diffusers", measured=True, clip=clip, trace=trace
    )


def never(run: Run) -> RunRecord:
    raise AssertionError(run.name)


BASELINE = made_up("baseline", Role.BASELINE)


@pytest.mark.parametrize(
    "rerun", [made_up("rerun", Role.RERUN, picture="b"), made_up("rerun", Role.RERUN, steps="ac")], ids=["clip", "step"]
)
def test_without_being_asked_no_run_is_made_and_the_sentence_names_the_key(plan: Plan, rerun: RunRecord) -> None:
    found, made = control_of_determinism(replace(plan, deterministic_control=False), [BASELINE, rerun], never)
    assert (found, made) == (DeterminismRecord(prompt="p"), ())
    assert found
    assert "deterministic_control = true in [scale]" in determinism_text(found)


def test_a_machine_that_repeats_itself_needs_no_control(plan: Plan) -> None:
    assert control_of_determinism(plan, [BASELINE, made_up("rerun", Role.RERUN)], never) == (None, ())


def test_a_baseline_that_declares_them_needs_no_further_runs(plan: Plan) -> None:
    change = Settings.of({"numerics": {"deterministic": True}}, Origin.DECLARED)
    declared = replace(plan, runs=tuple(replace(run, settings=run.settings.changed_by(change)) for run in plan.runs))
    found, made = control_of_determinism(declared, [BASELINE, made_up("rerun", Role.RERUN, steps="ac")], never)
    assert found is not None
    assert (found.declared, found.equal, found.first, found.runs, made) == (True, False, 2, ["baseline", "rerun"], ())
    assert determinism_text(found).endswith("differ, too, from step 2 on.")


def test_runs_that_differ_only_once_decoded_are_said_to() -> None:
    found = compared(BASELINE, made_up("rerun", Role.RERUN, picture="b"))
    assert (found.equal, found.first) == (False, None)
    assert determinism_text(found).endswith("differ, too, but only in the decoded pixels.")
    unseen = [run.model_copy(update={"trace": None}) for run in (BASELINE, made_up("rerun", Role.RERUN, picture="b"))]
    assert determinism_text(compared(*unseen)).endswith("differ, too.")


def test_a_run_that_fails_is_not_tried_twice_and_leaves_it_unknown(plan: Plan) -> None:
    asked: list[str] = []

    def fails(run: Run) -> RunRecord:
        asked.append(run.name)
        reason = "scatter has no deterministic implementation."
        return made_up(run.name, run.role).model_copy(update={"measured": False, "clip": None, "reason": reason})

    found, made = control_of_determinism(plan, [BASELINE, made_up("rerun", Role.RERUN, picture="b")], fails)
    assert found is not None
    assert (found.equal, asked, len(made)) == (None, ["rerun-deterministic-1"], 1)
    assert determinism_text(found).endswith("is unknown: scatter has no deterministic implementation.")


@pytest.mark.slow
def test_where_they_change_nothing_the_first_step_that_differs_is_named(plan: Plan, tmp_path: Path) -> None:
    with noisy_attention(always=True):
        found, _ = control_here(plan, tmp_path / "audit")
    assert found is not None
    assert (found.equal, found.first) == (False, 1)


def test_two_runs_with_deterministic_algorithms_show_that_the_spread_goes_to_zero(plan: Plan, tmp_path: Path) -> None:
    with noisy_attention():
        found, made = control_here(plan, tmp_path / "audit")
    assert found == DeterminismRecord(prompt="p", runs=[run.name for run in made], equal=True, steps=2)
    assert [run.role for run in made] == [Role.DETERMINISTIC] * 2
    assert determinism_text(found) == (
        "With deterministic algorithms, two runs of the baseline are equal bit for bit, in the latents of 2 steps and "
        "every pixel: the spread goes to zero with numerics.deterministic = true."
    )
