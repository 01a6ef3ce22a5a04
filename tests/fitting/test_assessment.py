"""Plans of a tiny checkpoint on machines of other sizes, which are the only thing that is pretended here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import DoesNotFit
from spacediff.fitting import activations, assessment, measuring
from spacediff.fitting.assessment import assess
from spacediff.fitting.checkpoint import find
from spacediff.fitting.refusal import refuse_what_cannot_fit
from spacediff.plan import Explanation, Plan
from spacediff.progress import SilentListener
from spacediff.record import Fact, FactKind, Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.wording import sentence
from support.weight_files import checkpoint

PROMPT = Prompt("p", "a lemon", 42)
CALL = {"num_frames": 9, "height": 64, "width": 96}
PLENTY = 2**50


@pytest.fixture(autouse=True)
def measured_in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Starting the measuring process takes seconds; `test_activations.py` does."""
    asked: list[Mapping[str, Any]] = []

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return measuring.answer({**request, "device": None})

    monkeypatch.setattr(activations, "_answer", answer)
    return asked


class Machine:
    """A machine with one card, and memory as a test needs it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def has(self, *, device: int = PLENTY, host: int = PLENTY) -> None:
        for module in ("assessment", "need", "refusal"):
            where = f"spacediff.fitting.{module}"
            self._patch.setattr(f"{where}.execution_device", lambda p: "cpu" if p == "cpu" else "cuda:0", raising=False)
            self._patch.setattr(f"{where}.total_memory", lambda d: host if d == "cpu" else device, raising=False)
        self._patch.setattr("spacediff.fitting.need.CONTEXT", 0)  # many times the tiny checkpoint
        self._patch.setattr(assessment, "host_memory", lambda: (host, host))
        self._patch.setattr(assessment, "missing", lambda _: "")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(monkeypatch)
    made.has()
    return made


def run(name: str, model: Path, *, changes: Mapping[str, Any] | None = None, **tables: Any) -> Run:
    base = Settings.of({"model": {"id": str(model), "dtype": "bfloat16"}, "call": CALL, **tables}, Origin.DECLARED)
    changed = Settings.of(changes or {}, Origin.DECLARED)
    return Run(name, Role.VARIANT, PROMPT, "diffusers", base.changed_by(changed), changed)


def plan(*runs: Run, **more: Any) -> Plan:
    return Plan("t", "q", "c", (PROMPT,), runs, "a", **more)


def notices(tmp_path: Path, *runs: Run, **more: Any) -> list[Fact]:
    return list(assess(plan(*runs, **more), tmp_path, SilentListener()).notices)


@pytest.fixture(scope="module")
def tiny() -> Path:
    return ensure_checkpoint(RANDOM)


def weights(model: Path) -> int:
    found = find(run("a", model).settings)
    assert found is not None
    return found.loaded("bfloat16")


def test_a_small_model_is_not_even_measured(
    tiny: Path, tmp_path: Path, machine: Machine, measured_in_this_process: list[Mapping[str, Any]]
) -> None:
    machine.has(device=16 * 2**30, host=16 * 2**30)
    assert notices(tmp_path, run("a", tiny)) == []
    assert notices(tmp_path, run("a", Path("builtin:tiny-cogvideox"))) == []
    assert measured_in_this_process == []


def test_runs_that_may_not_fit_are_distinguished_from_those_that_do(
    tiny: Path, tmp_path: Path, machine: Machine
) -> None:
    decoding = {"vae": {"tiling": False}}
    machine.has(device=weights(tiny) + 30 * 2**20)
    (notice,) = notices(tmp_path, run("a", tiny, vae={"tiling": True}), run("b", tiny, **decoding))
    assert notice.kind is FactKind.MEMORY_SHORT
    assert notice.values["runs"] == ["b"]
    assert not notice.values["certain"]
    assert notice.values["changes"] == ["vae.tiling = true"]
    assert sentence(notice).startswith("b may run out of memory: about ")
    assert sentence(notice).endswith("with vae.tiling = true in [baseline] it fits.")


def test_no_run_is_advised_to_change_what_it_tests(tiny: Path, tmp_path: Path, machine: Machine) -> None:
    machine.has(device=weights(tiny) + 30 * 2**20)
    (notice,) = notices(tmp_path, run("b", tiny, vae={"tiling": True}, changes={"vae": {"tiling": False}}))
    assert (notice.values["changes"], notice.values["tested"]) == ([], ["vae.tiling"])
    assert "what it tests: vae.tiling" in sentence(notice)


def test_weights_that_exceed_the_device_are_refused_before_anything_is_loaded(
    tiny: Path, tmp_path: Path, machine: Machine
) -> None:
    resident = run("resident", tiny, placement="cuda")
    machine.has(device=weights(tiny) // 2)
    (notice,) = notices(tmp_path, resident)
    assert notice.values["certain"]
    assert "cannot run here" in sentence(notice)
    with pytest.raises(DoesNotFit, match="the weights alone need") as refused:
        refuse_what_cannot_fit(resident)
    assert 'placement = "model_cpu_offload"' in refused.value.hint
    with pytest.raises(DoesNotFit) as refused:
        refuse_what_cannot_fit(run("b", tiny, placement="model_cpu_offload", changes={"placement": "cuda"}))
    assert "placement" not in refused.value.hint
    machine.has(device=weights(tiny) + 1)
    refuse_what_cannot_fit(resident)  # only estimated not to fit, so it is tried


def test_weights_that_exceed_the_machine_are_refused_on_any_device(tiny: Path, machine: Machine) -> None:
    machine.has(host=weights(tiny) // 2)
    for placement in ("cpu", "cuda", "model_cpu_offload"):
        with pytest.raises(DoesNotFit, match="this machine has"):
            refuse_what_cannot_fit(run("a", tiny, placement=placement))


def test_unknown_weights_are_said_and_never_refused(tmp_path: Path, machine: Machine) -> None:
    machine.has(device=1, host=1)
    missing = run("a", tmp_path / "missing")
    (notice,) = notices(tmp_path, missing)
    assert notice.kind is FactKind.MEMORY_UNKNOWN
    assert "the first run measures it" in sentence(notice)
    refuse_what_cannot_fit(missing)


def test_a_pipeline_that_cannot_be_measured_is_said_and_its_weights_are_compared(
    tmp_path: Path, machine: Machine
) -> None:
    folder = checkpoint(tmp_path / "c", transformer=("theirs", "Model", "BF16", 30 * 2**30))
    machine.has(device=24 * 2**30)
    short, unknown = notices(tmp_path, run("a", folder))
    assert (short.values["certain"], short.values["changes"]) == (True, ['placement = "group_offload"'])
    assert "code of the checkpoint" in unknown.values["reason"]  # type: ignore[operator]


def test_what_the_latents_of_each_run_certainly_take_is_known(tiny: Path, tmp_path: Path, machine: Machine) -> None:
    machine.has(device=weights(tiny) * 40)
    runs = [run(name, tiny, call={**CALL, "num_inference_steps": steps}) for name, steps in (("a", 3), ("b", 7))]
    values = 3 * 16 * 8 * 12
    assert assess(plan(*runs), tmp_path, SilentListener()).kept == {"a": 4 * values, "b": 8 * values}
    assert assess(plan(*runs, keep_latents=False), tmp_path, SilentListener()).kept == {}


def test_a_disk_that_will_fill_up_is_said(
    tiny: Path, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has(device=weights(tiny) * 40)
    search = Explanation("a", "b", Settings(), Settings(), budget=10)
    monkeypatch.setattr(assessment, "free_bytes", lambda _: 2**20)
    *_, notice = notices(tmp_path, run("a", tiny), explain=search)
    assert notice.kind is FactKind.DISK_SHORT
    assert notice.values["clips"] == 11
    frames = 9 * 64 * 96 * 3
    latents = 3 * 16 * 8 * 12 * 2 * 51
    ends = 4 * latents  # of the denoisings that other runs may share
    assert notice.values["need"] == 11 * (latents + int(1.25 * frames)) + ends
    monkeypatch.setattr(assessment, "free_bytes", lambda _: 2**40)
    assert all(each.kind is not FactKind.DISK_SHORT for each in notices(tmp_path, run("a", tiny), explain=search))
