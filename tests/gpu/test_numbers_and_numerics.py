"""Devices by number, and numerics on CUDA: what a card does that no CPU shows."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch

from spacediff.errors import DeviceUnavailable, UnsupportedSetting
from spacediff.progress import SilentListener
from spacediff.record import Role, RunRecord
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker import process
from spacediff.worker.supervised import SupervisedWorker
from support.accelerator_models import Model, tiny_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.timeout(600),
]

START = process.start_worker
"""Starts a real process, before the session puts a forked one in its place: a fork has no CUDA."""


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


@pytest.fixture(scope="module")
def resident(model: Model) -> Produced:
    return model.generated()


@pytest.mark.parametrize("placement", ["cuda:0", "model_cpu_offload:0", "group_offload:0"])
def test_the_first_card_by_its_number_is_the_card(model: Model, resident: Produced, placement: str) -> None:
    assert model.generated(placement=placement).clip.digest == resident.clip.digest


def test_a_generator_by_the_number_of_the_card_draws_what_the_card_does(model: Model) -> None:
    by_type, by_number = (model.generated(rng={"device": device}) for device in ("cuda", "cuda:0"))
    assert by_type.clip.digest == by_number.clip.digest


@pytest.mark.parametrize("placement", ["cuda:{}", "model_cpu_offload:{}"])
def test_a_card_that_is_not_there_is_refused(model: Model, placement: str) -> None:
    with pytest.raises(DeviceUnavailable, match=r"cannot be used: this machine has"):
        model.generated(placement=placement.format(torch.cuda.device_count()))


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one CUDA device")
def test_the_second_card_computes_on_itself(model: Model) -> None:
    torch.cuda.reset_peak_memory_stats(0)
    before = torch.cuda.memory_allocated(0)
    made = model.generated(placement="cuda:1", rng={"device": "cuda"})
    assert made.trace
    assert made.trace.noise
    assert made.trace.noise.device == "cuda"
    assert torch.cuda.max_memory_allocated(0) == before


def test_flash_is_refused_by_the_name_of_the_module_that_passes_a_mask(model: Model) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        model.generated(numerics={"attention": "flash"})
    named, _, reason = caught.value.message.partition(": ")
    assert named.startswith("numerics.attention = 'flash' cannot be used by text_encoder.")
    assert "T5Attention" in named
    assert "mask" in reason


def test_tf32_of_cudnn_is_a_switch_of_its_own(model: Model) -> None:
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("TF32 needs compute capability 8.0")
    exact, rough = (
        model.generated("float32", numerics={"tf32_matmul": False, "tf32_cudnn": on}) for on in (False, True)
    )
    assert exact.clip.digest != rough.clip.digest
    usual = model.generated("float32")
    assert (usual.settings.value("numerics.tf32_matmul"), usual.settings.value("numerics.tf32_cudnn")) == (False, True)
    assert usual.clip.digest == rough.clip.digest


def test_a_deterministic_run_has_what_cublas_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worker process, which is created with the variable that older versions of torch refuse to go without."""
    monkeypatch.setattr(process, "start_worker", START)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    worker = SupervisedWorker(tmp_path / "denoised")
    base = {"model": {"id": RANDOM.id}, "call": {"num_inference_steps": 4}, "placement": "cuda"}
    settings = Settings.of({**base, "numerics": {"deterministic": True}}, Origin.DECLARED)
    found: list[RunRecord] = []
    for repeat in range(2):
        run = Run(
            "a", Role.VARIANT, Prompt("p", "A hand squeezes half a lemon", 42), "diffusers", settings, repeat=repeat
        )
        folder = tmp_path / str(repeat)
        folder.mkdir()
        found.append(worker.produce(run, str(repeat), folder, SilentListener()))
    worker.close()
    first, second = (record.clip for record in found)
    assert first
    assert second
    assert first.digest == second.digest


def test_the_peak_of_a_run_on_the_cpu_is_that_of_the_process(model: Model) -> None:
    made = model.generated(placement="cpu")
    assert made.trace
    peak = max(stage.peak_bytes for stage in made.trace.stages)
    assert peak == pytest.approx(psutil.Process().memory_info().rss, rel=0.5)
