"""Where two runs first diverge: differences planted into real generations, each named at its place."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.comparing.traces import compare_traces, reference_trace
from spacediff.observer.hooks import Call, add_hook
from spacediff.progress import SilentListener
from spacediff.record import ComparisonRecord, FactKind, Role, RunRecord, Stage, TraceComparisonRecord, Verdict, fact
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.loading.checkpoint import Checkpoint
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM
from spacediff.wording import trace_text
from support.in_process import InProcess
from support.listeners import RememberingListener

PROMPT = Prompt("p", "A hand squeezes half a lemon", 42)
BASE = {"model": {"id": RANDOM.id}, "call": {"num_inference_steps": 4, "num_frames": 5}, "placement": "cpu"}
Plant = Callable[[Any], None]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


def settings(**tables: Any) -> Settings:
    return Settings.of(BASE, Origin.DECLARED).changed_by(Settings.of(tables, Origin.DECLARED))


def made(folder: Path, name: str, **tables: Any) -> RunRecord:
    """A run as an audit makes and keeps it, computed again each time."""
    prompt = tables.pop("prompt", PROMPT)
    role = Role.BASELINE if name == "baseline" else Role.VARIANT
    run = Run(name, role, prompt, "diffusers", settings(**tables), repeat=next(_NUMBERS))
    with InProcess({}) as executor:
        (record,) = executor.execute([run], Store(folder), SilentListener())
    assert record.measured, record.reason
    return record


@pytest.fixture(scope="module")
def baseline(folder: Path) -> RunRecord:
    return made(folder, "baseline")


def held(folder: Path, baseline: RunRecord, candidate: RunRecord) -> TraceComparisonRecord:
    found = compare_traces(baseline, candidate, folder)
    assert found
    return found


def planted(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    """Plant something in the hooked methods of every pipeline."""
    fresh = Checkpoint.fresh_pipeline

    def with_plant(checkpoint: Checkpoint) -> Any:
        pipeline = fresh(checkpoint)
        plant(pipeline)
        return pipeline

    monkeypatch.setattr(Checkpoint, "fresh_pipeline", with_plant)


def test_a_rerun_parts_nowhere(folder: Path, baseline: RunRecord) -> None:
    found = held(folder, baseline, made(folder, "rerun"))
    assert (found.stage, found.step, found.differing) == (Stage.NOWHERE, None, [])
    assert trace_text(found) == "Identical in every stage."
    assert found.distances == [0.0] * 5


def test_another_prompt_parts_at_the_text_embedding(folder: Path, baseline: RunRecord) -> None:
    found = held(folder, baseline, made(folder, "text", prompt=Prompt("p", "A foot", 42)))
    assert (found.stage, found.step) == (Stage.TEXT, None)
    assert found.distances[0] == 0
    assert found.distances[1]


def test_one_flipped_bit_parts_at_the_noise(folder: Path, baseline: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.randn

    def flipped(*size: Any, **how: Any) -> torch.Tensor:
        noise: torch.Tensor = real(*size, **how)
        noise.view(torch.int32).view(-1)[77] ^= 1
        return noise

    monkeypatch.setattr(torch, "randn", flipped)
    found = held(folder, baseline, made(folder, "flipped"))
    assert (found.stage, found.step) == (Stage.NOISE, None)


def test_noise_of_another_dtype_is_other_noise_on_the_same_device(folder: Path, baseline: RunRecord) -> None:
    other = made(folder, "bfloat16", rng={"dtype": "bfloat16"})
    noises = [run.trace.noise for run in (baseline, other) if run.trace]
    assert [noise.device for noise in noises if noise] == ["cpu", "cpu"]
    assert len({noise.digest for noise in noises if noise}) == 2
    assert held(folder, baseline, other).stage is Stage.NOISE


@pytest.mark.parametrize("step", [1, 3, 4])
def test_one_changed_step_is_named(
    folder: Path, baseline: RunRecord, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    def plant(pipeline: Any) -> None:
        count = 0

        def change(call: Call) -> Any:
            nonlocal count
            count += 1
            latents, *rest = call.proceed()
            return (latents * 1.01 if count == step else latents, *rest)

        add_hook(pipeline.scheduler, "step", change)

    planted(monkeypatch, plant)
    found = held(folder, baseline, made(folder, f"step {'x' * step}"))
    assert (found.stage, found.step) == (Stage.STEP, step)
    same = f"Identical up to step {step - 1} of 4." if step > 1 else "Differs from the first step on."
    assert trace_text(found).startswith(f"{same} The latents differ by 1.0")
    assert found.distances[:step] == [0.0] * step
    assert found.distances[step] == pytest.approx(0.01, rel=0.02)


def test_another_decoding_is_named(folder: Path, baseline: RunRecord) -> None:
    found = held(folder, baseline, made(folder, "tiling", vae={"tiling": True}))
    assert (found.stage, found.step) == (Stage.DECODING, None)
    assert found.distances == [0.0] * 5


@pytest.mark.parametrize("output", [{"rounding": "truncate"}, {"quality": 3}, {"fps": 5}], ids=str)
def test_another_file_of_the_same_pictures_is_named(folder: Path, baseline: RunRecord, output: dict[str, Any]) -> None:
    found = held(folder, baseline, made(folder, f"output {next(iter(output))}", output=output))
    assert (found.stage, found.step) == (Stage.ENCODING, None)


def test_conditions_of_the_step_are_reported(folder: Path, baseline: RunRecord) -> None:
    guided = held(folder, baseline, made(folder, "guided", call={"use_dynamic_cfg": True}))
    assert (guided.stage, guided.step) == (Stage.STEP, 1)
    (guidance,) = guided.differing
    assert (guidance.values["name"], guidance.values["reference"]) == ("guidance", 6.0)
    spaced = held(folder, baseline, made(folder, "spaced", scheduler={"timestep_spacing": "linspace"}))
    assert spaced.differing[0].values["name"] == "timestep"
    noisy = held(folder, baseline, made(folder, "dpm", scheduler={"class": "CogVideoXDPMScheduler"}))
    assert fact(FactKind.SCHEDULER_NOISE_DIFFERS, reference=False, candidate=True) in noisy.differing
    assert "Only this run's scheduler draws noise." in trace_text(noisy)


def test_another_number_of_steps_has_no_distances(folder: Path, baseline: RunRecord) -> None:
    found = held(folder, baseline, made(folder, "longer", call={"num_inference_steps": 6}))
    assert found.stage is Stage.STEP
    assert found.distances == []


def test_a_run_alone_has_the_guidance_that_diffusers_computes(folder: Path) -> None:
    """The formula is that of CogVideoXPipeline.__call__, with the raw timestep against the number of steps."""
    import math

    trace = made(folder, "dynamic", call={"use_dynamic_cfg": True}).trace
    assert trace
    expected = [1 + 6 * (1 - math.cos(math.pi * ((4 - s.timestep) / 4) ** 5)) / 2 for s in trace.steps if s.timestep]
    assert [s.guidance for s in trace.steps] == pytest.approx(expected)


def test_a_local_run_that_reached_the_hosted_clip_stands_for_it(baseline: RunRecord) -> None:
    hosted = baseline.model_copy(update={"name": "reference", "trace": None, "role": Role.REFERENCE})
    variant = baseline.model_copy(update={"name": "as-hosted", "role": Role.VARIANT})
    runs = [baseline, variant]
    missed, reached = (
        ComparisonRecord(prompt="p", reference="reference", candidate="as-hosted", verdict=verdict)
        for verdict in (Verdict.SETTINGS_DIFFER, Verdict.CODEC_ONLY)
    )
    assert reference_trace(baseline, runs, []) is baseline
    assert reference_trace(hosted, runs, [missed]) is baseline
    assert reference_trace(hosted, runs, [missed, reached]) is variant
    assert reference_trace(hosted, [hosted], []) is None


def test_each_step_alone_shows_only_its_own_error() -> None:
    source = LocalSource()

    def alone(candidate: Settings, fed_by: Settings) -> list[float]:
        produced = source.generate(candidate, PROMPT.text, PROMPT.seed, RememberingListener(), fed_by=fed_by)
        assert produced.trace
        return produced.trace.own_errors

    assert alone(settings(), settings()) == [0.0] * 4
    guided = alone(settings(call={"guidance_scale": 7.0}), settings())
    assert len(guided) == 4
    assert all(error > 0 for error in guided)
    ours, theirs = (
        source.generate(each, PROMPT.text, PROMPT.seed, RememberingListener()).latents[1].double()
        for each in (settings(call={"guidance_scale": 7.0}), settings())
    )
    assert guided[0] == pytest.approx(float((ours - theirs).norm() / theirs.norm())), "the first step inherits nothing"
    noisy = alone(settings(rng={"seed": 7}), settings())
    assert noisy == [0.0] * 4, "other noise errs nowhere: a deterministic scheduler only inherits it"


def test_steps_of_another_number_cannot_be_fed() -> None:
    from spacediff.errors import NotMeasuredError

    with pytest.raises(NotMeasuredError, match=r"call\.num_inference_steps is 6, but 4 in the run"):
        LocalSource().generate(
            settings(call={"num_inference_steps": 6}),
            PROMPT.text,
            PROMPT.seed,
            RememberingListener(),
            fed_by=settings(),
        )
    with pytest.raises(NotMeasuredError, match=r"call\.num_frames is 9, but 5 in the run"):
        LocalSource().generate(
            settings(call={"num_frames": 9}), PROMPT.text, PROMPT.seed, RememberingListener(), fed_by=settings()
        )


def test_steps_that_turn_out_to_be_fewer_are_reported_too() -> None:
    """Where the library's default decides, the number of steps is known only once they ran."""
    from spacediff.errors import NotMeasuredError

    unsaid = Settings({path: setting for path, setting in settings().items() if path != "call.num_inference_steps"})
    with pytest.raises(NotMeasuredError, match="the run has 50 steps, but 4 in the run"):
        LocalSource().generate(unsaid, PROMPT.text, PROMPT.seed, RememberingListener(), fed_by=settings())


def test_latents_that_an_earlier_audit_did_not_keep_are_made_good(tmp_path: Path) -> None:
    run = Run("baseline", Role.BASELINE, PROMPT, "diffusers", settings())
    found: list[RunRecord] = []
    for keep in (False, True, True):
        with InProcess({}, keep_latents=keep) as executor:
            found += executor.execute([run], Store(tmp_path), SilentListener())
    traces = [record.trace for record in found if record.trace]
    assert [bool(trace.latents) for trace in traces] == [False, True, True]
    assert (tmp_path / traces[1].latents).is_file()
    assert found[2].seconds == found[1].seconds, "the third is the second, from the store"
