from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from spacediff import doctor
from spacediff.environment import VARIABLES, describe, determining, device, environment
from spacediff.watch.machine import machine

GIB = 2**30


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The cards that torch's CUDA module reports; none at first."""
    found: list[Any] = []
    for module in (torch.xpu, torch.backends.mps):
        monkeypatch.setattr(module, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(found))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(found))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: found[index])
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return found


def nvidia(name: str, gib: int, capability: tuple[int, int]) -> SimpleNamespace:
    return SimpleNamespace(name=name, total_memory=gib * GIB, major=capability[0], minor=capability[1])


@pytest.mark.usefixtures("cards")
def test_a_machine_without_an_accelerator() -> None:
    assert device() == "cpu"
    found = determining(environment())
    assert set(found) <= {
        "spacediff", "torch", "diffusers", "transformers", "accelerate", "av", "imageio-ffmpeg", "device", "processor",
        "threads",
    }, "no other entry may change the keys of runs that audit folders have already"  # fmt: skip


def test_a_recording_describes_a_machine_as_an_audit_does(cards: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one machine would differ from itself."""
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: bool(cards))
    for card in (None, nvidia("NVIDIA L4", 22, (8, 9)), nvidia("NVIDIA A10G", 23, (8, 6))):
        cards += [card] if card else []
        audit, recording = environment(), machine()
        shared = audit.keys() & recording.keys()
        assert shared >= {"processor", "instructions", "threads", "device", "torch", "python", "system"}
        assert {name: audit[name] for name in shared} == {name: recording[name] for name in shared}


def test_one_card_is_described_and_several_are_numbered(cards: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", None)
    cards.append(nvidia("NVIDIA L4", 22, (8, 9)))
    assert device() == "NVIDIA L4, 22 GiB, sm_89"
    cards.append(nvidia("NVIDIA A10G", 23, (8, 6)))
    assert describe("cuda:1") == "NVIDIA A10G, 23 GiB, sm_86"
    assert device() == "cuda:0 NVIDIA L4, 22 GiB, sm_89; cuda:1 NVIDIA A10G, 23 GiB, sm_86"
    assert "placement cuda:0 to cuda:1, rng.device cuda" in doctor._accelerator().found


def test_rocm_is_named_and_is_not_cuda(cards: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", "6.4.43482")
    monkeypatch.setattr(torch.version, "cuda", None)
    card = nvidia("AMD Radeon RX 7900 XTX", 24, (11, 0))
    cards.append(SimpleNamespace(**vars(card), gcnArchName="gfx1100:sramecc+:xnack-"))
    assert device() == "AMD Radeon RX 7900 XTX, 24 GiB, gfx1100, ROCm 6.4.43482"
    found = environment()
    assert found["rocm"] == "6.4.43482"
    assert "cuda" not in found
    assert determining(found)["rocm"] == "6.4.43482"
    assert "ROCm" in doctor._accelerator().found


@pytest.mark.usefixtures("cards")
def test_the_doctor_on_a_mac_names_what_runs_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr("platform.mac_ver", lambda: ("15.5", ("", "", ""), "arm64"))
    check = doctor._accelerator()
    assert check.fine
    assert check.found.endswith(", MPS: placement mps, rng.device mps, and offloading run on it")
    assert "'cuda' is not measured" in check.hint
    assert determining(environment())["macos"] == "15.5"


@pytest.mark.usefixtures("cards")
def test_variables_that_choose_kernels_are_shown_and_determine_a_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFFUSERS_ATTN_BACKEND", "flash")
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "")
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    found = environment()
    assert determining(found)["DIFFUSERS_ATTN_BACKEND"] == "flash"
    assert determining(found)["NVIDIA_TF32_OVERRIDE"] == "0"
    assert not {"ATEN_CPU_CAPABILITY", "PYTORCH_CUDA_ALLOC_CONF"} & set(found)
    assert doctor._variables().found == "DIFFUSERS_ATTN_BACKEND=flash, NVIDIA_TF32_OVERRIDE=0"


@pytest.mark.parametrize(
    ("theirs", "found"),
    [
        (lambda *_: 0.25, "differs from the package lpips by "),
        (None, "measured; cannot be compared with the package lpips"),
    ],
)
def test_the_doctor_sees_an_lpips_that_differs_or_is_not_there(
    theirs: Callable[..., float] | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spacediff.metrics import lpips_package

    lpips_package._network.cache_clear()
    if theirs:
        monkeypatch.setattr(lpips_package, "by_lpips_package", theirs)
    else:
        monkeypatch.setitem(sys.modules, "lpips", None)
    check = doctor._perceptual()
    assert not check.fine
    assert found in check.found
