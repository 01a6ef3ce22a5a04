from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
import torch

from spacediff import devices
from spacediff.devices import execution_device, missing

GIB = 2**30


@pytest.fixture
def without_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (torch.cuda, torch.xpu, torch.backends.mps):
        monkeypatch.setattr(module, "is_available", lambda: False)


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch, without_accelerator: None) -> SimpleNamespace:
    """A module of the type `npu` as a backend registers it, which counts the memory of two cards."""
    _ = without_accelerator
    module = SimpleNamespace(
        is_available=lambda: True,
        is_initialized=lambda: True,
        device_count=lambda: 2,
        memory_allocated=lambda index: 3 + index,
        mem_get_info=lambda index: (index * GIB, 2 * GIB),
    )
    monkeypatch.setattr(torch, "npu", module, raising=False)
    return module


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", "mps", "xpu:0", "npu:12"])
def test_the_names_of_devices(name: str) -> None:
    assert devices.is_device(name)


@pytest.mark.parametrize("name", ["cpu:0", "cuda:", "cuda:-1", "CUDA", "cuda0", "tpu", "cuda:1 ", "cuda:1\n", ""])
def test_other_texts_are_no_names_of_devices(name: str) -> None:
    assert not devices.is_device(name)
    assert missing(name) == f"{name!r} is not the name of a device"


@pytest.mark.usefixtures("without_accelerator")
def test_a_machine_without_an_accelerator() -> None:
    assert devices.accelerator() is None
    assert devices.accelerators() == ()
    assert missing("cpu") == ""
    assert devices.memory_in_use() == 0
    assert devices.free_memory("cuda") is None
    devices.release_cached_memory()


@pytest.mark.usefixtures("without_accelerator")
@pytest.mark.parametrize(("device_type", "label"), [("cuda", "CUDA"), ("mps", "MPS"), ("xpu", "XPU"), ("npu", "NPU")])
def test_a_device_that_the_installed_torch_cannot_use(
    device_type: str, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.version, "xpu", None)
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: False)
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    assert missing(device_type) == f"the installed torch 2.13.0+cpu is built without {label}"


@pytest.mark.usefixtures("without_accelerator")
def test_a_device_that_torch_can_use_and_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert missing("cuda") == "this machine has no CUDA device"
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert missing("cuda:1") == "this machine has no ROCm device"


def test_a_mac_has_one_device(monkeypatch: pytest.MonkeyPatch, without_accelerator: None) -> None:
    _ = without_accelerator
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert (devices.accelerator(), devices.accelerators()) == ("mps", ("mps:0",))
    assert (missing("mps"), missing("mps:0")) == ("", "")
    assert missing("mps:1") == "this machine has one MPS device, mps:0"
    assert execution_device("model_cpu_offload") == "mps"


@pytest.mark.usefixtures("two_cards")
def test_several_devices_by_number() -> None:
    assert devices.accelerators() == ("npu:0", "npu:1")
    assert (missing("npu"), missing("npu:1")) == ("", "")
    assert missing("npu:2") == "this machine has 2 NPU devices, npu:0 to npu:1"
    assert devices.memory_in_use() == 7
    assert devices.free_memory("npu:1") == (GIB, 2 * GIB)


def test_a_backend_that_counts_nothing_gives_no_numbers(two_cards: SimpleNamespace) -> None:
    for name in ("memory_allocated", "mem_get_info"):
        delattr(two_cards, name)
    assert devices.memory_in_use() == 0
    assert devices.free_memory("npu") is None


def test_an_unused_device_is_not_asked(two_cards: SimpleNamespace) -> None:
    two_cards.is_initialized = lambda: False
    two_cards.memory_allocated = None
    assert devices.memory_in_use() == 0


def test_the_memory_of_the_machine_is_that_of_the_cpu() -> None:
    found = devices.free_memory("cpu")
    assert found
    free, total = found
    assert 0 < free < total == psutil.virtual_memory().total


def test_the_state_of_the_generator_is_that_of_the_device_by_number(two_cards: SimpleNamespace) -> None:
    ours = [torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)]
    assert devices.rng_state("npu:1") is None, "this backend has no generators"
    two_cards.get_rng_state = lambda index: ours[index].get_state()
    two_cards.set_rng_state = lambda state, index: ours[index].set_state(state)
    state = devices.rng_state("npu:1")
    assert state is not None
    assert torch.equal(state, ours[1].get_state())
    devices.set_rng_state("npu:0", state)
    assert torch.equal(ours[0].get_state(), state)
    assert devices.rng_state("cpu") is None


@pytest.mark.parametrize(
    ("placement", "device"),
    [
        (None, "npu"),
        ("cpu", "cpu"),
        ("npu:1", "npu:1"),
        ("cuda", "cuda"),
        ("model_cpu_offload", "npu"),
        ("model_cpu_offload:1", "npu:1"),
        ("group_offload:0", "npu:0"),
    ],
)
@pytest.mark.usefixtures("two_cards")
def test_the_device_that_a_placement_computes_on(placement: str | None, device: str) -> None:
    assert execution_device(placement) == device


@pytest.mark.usefixtures("without_accelerator")
@pytest.mark.parametrize("placement", [None, "cpu", "model_cpu_offload", "sequential_cpu_offload:1"])
def test_without_an_accelerator_every_placement_computes_on_the_cpu(placement: str | None) -> None:
    assert execution_device(placement) == "cpu"


def test_names_need_no_torch() -> None:
    code = "import sys, spacediff.devices as d; d.is_device('cuda:1'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_cuda_device_is_named_by_its_software(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", None)
    assert devices.platform_of("cuda") == "CUDA"
    monkeypatch.setattr(torch.version, "hip", "6.4.0")
    assert devices.platform_of("cuda") == "ROCm"
    assert devices.platform_of("cpu") == "CPU"
