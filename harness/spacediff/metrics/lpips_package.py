"""LPIPS by the package of its authors, which defines it: what ours is compared with, by the doctor and the tests."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from spacediff.clip import Frame
from spacediff.metrics.alexnet import read_weights
from spacediff.torchvision_shim import shim_torchvision

if TYPE_CHECKING:
    import torch


def by_lpips_package(one: Frame, other: Frame) -> float:
    """Return the LPIPS distance of two frames, uint8 `[H, W, 3]`, by `lpips.LPIPS(net="alex")`.

    Raises:
        NotMeasuredError: The file of the weights is missing or damaged.
    """
    import torch

    with torch.inference_mode():
        return float(_network()(_tensor(one), _tensor(other)))


def _tensor(frame: Frame) -> torch.Tensor:
    import torch

    return torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 127.5 - 1


@cache
def _network() -> Any:
    """Return the package's network, with AlexNet's weights of our file in place of a download."""
    shim_torchvision()
    import lpips
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*weights.*", UserWarning)  # lpips uses deprecated names of torchvision
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    weights = {name: torch.from_numpy(values) for name, values in read_weights().items()}
    network.net.load_state_dict({name: weights[name.split(".", 1)[1]] for name in network.net.state_dict()})
    return network
