"""The stand-in accelerator does what the tests that use it rely on."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support.standin import StandIn, reported

pytestmark = pytest.mark.slow


def run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-P", "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout


def test_every_byte_is_counted_and_more_than_the_cap_is_refused(standin: StandIn) -> None:
    code = """
        import torch

        held = torch.zeros(600, dtype=torch.uint8, device="npu")
        free, total = torch.npu.mem_get_info()
        assert free == 400
        assert total == torch.npu.get_device_properties(0).total_memory > 1000, "with the context of the process"
        try:
            torch.zeros(401, dtype=torch.uint8, device="npu")
            raise SystemExit("more than there is")
        except torch.OutOfMemoryError:
            pass
        more = torch.zeros(400, dtype=torch.uint8, device="npu")
        del more
        assert (torch.npu.memory_allocated(), torch.npu.max_memory_allocated(0)) == (600, 1000)
        torch.npu.reset_peak_memory_stats()
        assert torch.npu.max_memory_allocated() == 600
    """
    run(code, standin.environment(cap=1000))


def test_what_a_process_used_is_known_although_it_was_killed(standin: StandIn, tmp_path: Path) -> None:
    code = """
        import os
        import signal

        import torch

        held = torch.zeros(600, dtype=torch.uint8, device="npu")
        torch.zeros(300, dtype=torch.uint8, device="npu")
        torch.npu.reset_peak_memory_stats()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    with pytest.raises(subprocess.CalledProcessError, match="SIGKILL"):
        run(code, standin.environment(report=tmp_path / "report"))
    (used,) = reported(tmp_path / "report")
    assert (used.in_use, used.peak) == (600, 900)
    assert "torch.npu.reset_peak_memory_stats()" in used.command[-1]


def test_its_tensors_are_on_another_device_and_compute_what_the_cpu_does(standin: StandIn) -> None:
    code = """
        import torch
        from spacediff.devices import accelerators, memory_in_use, release_cached_memory
        from torch import nn

        model = nn.Sequential(nn.Conv3d(2, 4, 3), nn.SiLU(), nn.Flatten(1), nn.LayerNorm(32)).eval()
        given = torch.randn(1, 2, 3, 4, 6)
        with torch.inference_mode():
            expected = model(given)
            moved = model.to("npu")
            try:
                moved(given)
                raise SystemExit("a CPU tensor was accepted")
            except RuntimeError:
                pass
            found = moved(given.to("npu"))
        assert found.device == torch.device("npu:0")
        assert torch.allclose(found.cpu(), expected, rtol=1e-5, atol=1e-6)
        assert accelerators() == ("npu:0",)
        assert memory_in_use() == torch.npu.memory_allocated() > 0
        del model, moved, found
        release_cached_memory()
        assert memory_in_use() == 0
    """
    run(code, standin.environment())


def test_its_generators_draw_their_own_noise_repeatably(standin: StandIn) -> None:
    code = """
        import torch

        def drawn(device):
            return torch.randn(1000, device=device, generator=torch.Generator(device).manual_seed(42)).cpu()

        assert torch.equal(drawn("npu"), drawn("npu"))
        assert abs(torch.corrcoef(torch.stack([drawn("npu"), drawn("cpu")]))[0, 1]) < 5 / 1000**0.5
        torch.manual_seed(1)
        with torch.random.fork_rng():
            first = torch.rand(4, device="npu")
        assert torch.equal(first, torch.rand(4, device="npu")), "the state of the device is restored"
        assert not torch.equal(first, torch.rand(4, device="npu"))
    """
    run(code, standin.environment())


def test_copies_to_the_host_are_counted_and_operations_are_not(standin: StandIn) -> None:
    code = """
        import torch

        there = torch.zeros(10**6, dtype=torch.uint8, device="npu")
        before = torch.npu.host_memory_allocated()
        there.add_(1)
        assert torch.npu.max_host_memory_allocated() < before + 10**6
        here = there.cpu()
        assert 10**6 <= torch.npu.host_memory_allocated() - before < 1.01 * 10**6
        del here
        assert torch.npu.host_memory_allocated() < before + 10**4
    """
    run(code, standin.environment())


def test_a_process_of_the_tests_does_not_have_it(standin: StandIn) -> None:
    assert standin.library.exists()
    assert "npu_standin" not in sys.modules
