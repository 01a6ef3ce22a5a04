from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from spacediff.clip import Frame
from spacediff.clip.bands import MOST_PIXELS
from spacediff.errors import NotMeasuredError
from spacediff.metrics import perceptual
from spacediff.metrics.perceptual import keep_to_one_processor, prepare_lpips
from spacediff.metrics.perceptual_strips import strips_of
from spacediff.torchvision_shim import shim_torchvision
from support.clips import moving_ball


@cache
def lpips_network() -> Any:
    """`lpips.LPIPS(net="alex")` itself with the backbone weights of our file, so that nothing is downloaded."""
    shim_torchvision()
    import lpips
    from safetensors.torch import load_file

    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    weights = load_file(perceptual._WEIGHTS)
    network.net.load_state_dict({name: weights[name.split(".", 1)[1]] for name in network.net.state_dict()})
    return network


def peer(x: Frame, y: Frame) -> float:
    """The LPIPS distance by the lpips package."""
    import torch

    tensors = [torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 127.5 - 1 for frame in (x, y)]
    with torch.inference_mode():
        return float(lpips_network()(*tensors))


@pytest.mark.filterwarnings("ignore:.*weights.*:UserWarning:torchvision")  # lpips uses deprecated names
@pytest.mark.parametrize("size", [(64, 96), (121, 75), (33, 32)])
def test_values_equal_those_of_lpips(size: tuple[int, int]) -> None:
    x, y = moving_ball(2, *size).frames
    z = moving_ball(1, *size, seed=5).frames[0]
    assert prepare_lpips(x)(y) == pytest.approx(peer(x, y), abs=1e-5)
    assert prepare_lpips(x)(z) == pytest.approx(peer(x, z), abs=1e-5)
    assert prepare_lpips(x)(z) > prepare_lpips(x)(y) > 0


@pytest.mark.parametrize("size", [(457, 75), (160, 32)])
@pytest.mark.parametrize("strips", [2, 7])
def test_strips_of_a_large_frame_add_up_to_its_distance(
    size: tuple[int, int], strips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0)
    x, y = (noise.integers(0, 256, (*size, 3), np.uint8) for _ in range(2))
    whole = prepare_lpips(x)(y)
    monkeypatch.setattr(perceptual, "strips_of", partial(strips_of, most_pixels=size[0] * size[1] // strips))
    assert len(strips_of(x, size[0] * size[1] // strips)) >= strips
    assert prepare_lpips(x)(y) == pytest.approx(whole, rel=2e-6)


def test_a_strip_has_its_rows_and_a_margin_only() -> None:
    frame = np.broadcast_to(np.uint8(0), (2160, 3840, 3))
    strips = strips_of(frame)
    assert len(strips) == 8
    assert max(strip.rows.stop - strip.rows.start for strip in strips) * 3840 < MOST_PIXELS
    assert [sum(layer) for layer in zip(*(strip.shares for strip in strips), strict=True)] == pytest.approx([1.0] * 5)


def test_keeping_to_one_processor_affects_only_this_thread() -> None:
    import torch

    usual = torch.get_num_threads()
    with ThreadPoolExecutor(1, initializer=keep_to_one_processor) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == usual
    assert torch.get_num_threads() == usual


def test_equal_frames_have_no_distance() -> None:
    frame = moving_ball(1).frames[0]
    assert prepare_lpips(frame)(frame.copy()) == 0.0


def test_the_backbone_is_trained() -> None:
    """A blurred frame is clearly closer than an unrelated one, which a random network does not guarantee."""
    import cv2

    frame = moving_ball(1, 128, 192).frames[0]
    blurred = cv2.GaussianBlur(frame, (0, 0), 1)
    unrelated = moving_ball(1, 128, 192, seed=9).frames[0]
    assert prepare_lpips(frame)(np.asarray(blurred)) < 0.5 * prepare_lpips(frame)(unrelated)


def test_small_frames_are_refused() -> None:
    with pytest.raises(NotMeasuredError, match="32x32"):
        prepare_lpips(np.zeros((31, 64, 3), np.uint8))
