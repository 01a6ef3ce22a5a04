"""What runs leave on a device, and what happens when its memory is full; `make gpu` shows the figures."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import torch

from spacediff.devices import free_memory, memory_in_use, release_cached_memory
from spacediff.errors import OutOfMemory
from support.accelerator_models import DEVICE, Model, on_an_accelerator, tiny_model

pytestmark = on_an_accelerator

PLACEMENTS = [DEVICE, "model_cpu_offload", "sequential_cpu_offload", "group_offload"]


@pytest.fixture(scope="module")
def model() -> Model:
    made = tiny_model()
    made.generated()  # libraries keep workspaces from their first use on
    return made


def left() -> int:
    """Bytes of tensors on the device, without garbage."""
    gc.collect()
    return memory_in_use()


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_run_leaves_nothing_on_the_device(model: Model, placement: str) -> None:
    before = left()
    produced = model.generated(placement=placement)
    assert produced.trace
    peak = max(stage.peak_bytes for stage in produced.trace.stages)
    print(f"{placement}: {peak} bytes at most, {left()} left")  # noqa: T201 - shown by -rP
    assert left() <= before


@pytest.fixture
def full() -> Iterator[None]:
    """A device on which this process may allocate next to nothing more."""
    module = torch.get_device_module(DEVICE)
    if not hasattr(module, "set_per_process_memory_fraction"):
        pytest.skip(f"torch.{DEVICE} has no cap on the memory of a process")
    gc.collect()
    release_cached_memory()
    known = free_memory(DEVICE)
    assert known
    module.set_per_process_memory_fraction(2 * 2**20 / known[1])
    yield
    module.set_per_process_memory_fraction(1.0)


def refusal(model: Model, placement: str) -> str:
    """What a run says that does not fit; its traceback, which holds tensors, ends here."""
    with pytest.raises(OutOfMemory) as caught:
        model.generated(placement=placement)
    return caught.value.message


@pytest.mark.parametrize("placement", [DEVICE, "model_cpu_offload"])
@pytest.mark.usefixtures("full")
def test_a_run_on_a_full_device_says_so_and_leaves_nothing(model: Model, placement: str) -> None:
    before = left()
    print(f"{placement}: {refusal(model, placement)}")  # noqa: T201 - shown by -rP
    assert left() <= before


def test_a_run_after_one_that_found_the_device_full_is_generated(model: Model, request: pytest.FixtureRequest) -> None:
    expected = model.generated().clip.digest
    request.getfixturevalue("full")
    assert refusal(model, DEVICE)
    torch.get_device_module(DEVICE).set_per_process_memory_fraction(1.0)
    assert model.generated().clip.digest == expected
