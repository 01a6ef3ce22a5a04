from __future__ import annotations

import re

import pytest

from benchmarks.memory import PUBLISHED, measured
from spacediff.api import load_scenario, plan_audit
from spacediff.doctor import _fitting
from spacediff.fitting.disk import on_disk
from spacediff.fitting.known import MODELS, KnownModel
from spacediff.settings import Settings
from spacediff.shipped import shipped

KNOWN = {model.name: model for model in MODELS}
GIB = 2**30


@pytest.mark.parametrize(
    ("way", "tiling", "documented"),
    [("cuda", False, 33), ("model_cpu_offload", False, 19), ("model_cpu_offload", True, 11)],
)
def test_estimates_are_those_of_diffusers_documentation(way: str, tiling: bool, documented: int) -> None:  # noqa: FBT001
    """The page on CogVideoX, for CogVideoX-2b with 49 frames of 480x720."""
    assert KNOWN["CogVideoX-2b"].on_device(way, tiling=tiling) / GIB == pytest.approx(documented, abs=0.5)


def needed(settings: Settings) -> int:
    model = KNOWN[settings.value("model.id").rpartition("/")[2]]
    assert (settings.value("call.num_frames"), settings.value("model.dtype")) == (model.clip[0], model.dtype)
    way = settings.value("placement").partition(":")[0]
    return model.on_device(way, tiling=settings.value("vae.tiling"))


def test_every_run_of_the_large_scenario_fits_the_card_that_its_header_names() -> None:
    scenario = load_scenario(shipped("scenarios") / "cogvideox-5b-space.toml")
    card, memory = (int(size) * 10**9 for size in re.findall(r"(\d+) GB (?:such|of memory)", scenario.text))
    local = [run for run in plan_audit(scenario).runs if run.source == "diffusers"]
    assert {"baseline", "as-hosted", "no-tiling", "group-offload"} <= {run.name for run in local}
    assert [run.name for run in local if needed(run.settings) > card] == []
    assert KNOWN["CogVideoX-5b"].on_host < memory
    assert KNOWN["CogVideoX-5b"].on_device("cuda", tiling=False) > card, "a resident pipeline would not"


def test_the_large_scenario_needs_the_disk_that_its_header_names() -> None:
    plan = plan_audit(shipped("scenarios") / "cogvideox-5b-space.toml")
    assert plan.explain is not None
    (named,) = re.findall(r"(\d+) GB of disk", plan.scenario)
    clips = plan.explain.budget + sum(run.source == "diffusers" for run in plan.runs)
    latents = 13 * 16 * 60 * 90
    assert on_disk(latents, 50, (49, 480, 720)).run == 114_566_400 + int(1.25 * 49 * 480 * 720 * 3)
    assert 0.5 * int(named) * 10**9 < clips * on_disk(latents, 50, (49, 480, 720)).run < int(named) * 10**9


def test_the_large_scenario_asks_for_an_accelerator_in_every_run() -> None:
    """Offloading without a number runs on the CPU where there is no accelerator, which takes days for this model."""
    plan = plan_audit(shipped("scenarios") / "cogvideox-5b-space.toml")
    placements = {run.settings.value("placement") for run in plan.runs if run.source == "diffusers"}
    assert placements == {"model_cpu_offload:0", "group_offload:0"}


@pytest.mark.parametrize(
    ("model", "memory", "ways"),
    [
        ("CogVideoX-5b", 8, ["with group_offload and vae.tiling (5.2 GiB)"]),
        ("CogVideoX-5b", 24, ["with model_cpu_offload (19.3 GiB)"]),
        ("CogVideoX-5b", 32, ["resident and vae.tiling (24.9 GiB)", "with model_cpu_offload (19.3 GiB)"]),
        ("CogVideoX-5b", 80, ["resident (38.6 GiB)"]),
        ("Wan2.1-T2V-14B", 8, []),
    ],
)
def test_what_fits_is_said_with_what_it_needs(model: str, memory: int, ways: list[str]) -> None:
    assert list(KNOWN[model].ways(memory * GIB)) == ways


def test_doctor_says_what_fits_by_name_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacediff.doctor.accelerators", tuple)
    assert _fitting() == []
    monkeypatch.setattr("spacediff.doctor.accelerators", lambda: ("cuda:0", "cuda:1"))
    monkeypatch.setattr("spacediff.doctor.describe", lambda _: "NVIDIA GeForce RTX 4090, 24 GiB, sm_89")
    monkeypatch.setattr("spacediff.doctor.total_memory", lambda _: 24 * GIB)
    monkeypatch.setattr("spacediff.doctor.host_memory", lambda: (22 * GIB, 22 * GIB))
    found = {check.name: check for check in _fitting()}
    assert list(found) == [f"{name} on NVIDIA GeForce RTX 4090, 24 GiB, sm_89" for name in KNOWN]
    check = found["CogVideoX-5b on NVIDIA GeForce RTX 4090, 24 GiB, sm_89"]
    assert check.found.startswith("49 frames of 480x720 in bfloat16 fit with model_cpu_offload (19.3 GiB)")
    assert "offloading needs 24 GiB of this machine's memory" in check.hint


@pytest.mark.slow
@pytest.mark.parametrize("published", PUBLISHED, ids=lambda each: each.name)
def test_the_command_reproduces_the_table(published: object) -> None:
    found = measured(published)  # type: ignore[arg-type]
    assert _flat(found) == pytest.approx(_flat(KNOWN[found.name]), rel=0.05, abs=2)


def _flat(model: KnownModel) -> list[int]:
    parts = model.parts_in_mib.values()
    return [n for part in parts for n in (part.weights, part.largest, part.activations)] + [model.tiled_decoding]
