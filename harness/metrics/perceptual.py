"""LPIPS (Zhang et al. 2018, arXiv:1801.03924), AlexNet, version 0.1, from weights that ship with the package.

The key insight: most of its cost is the network, and the reference's features are the same for every candidate, so
they are computed once per reference frame.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.clip import Frame
from harness.errors import NotMeasuredError
from harness.record import MetricInfo
from harness.torchvision_mend import mend_torchvision

if TYPE_CHECKING:
    import torch

LPIPS = MetricInfo(
    name="lpips",
    title="LPIPS",
    unit="",
    higher_is_closer=False,
    about="Learned perceptual distance (Zhang et al. 2018, arXiv:1801.03924), AlexNet, version 0.1; 0 is equal, "
    "unrelated pictures reach about 0.7.",
)

_WEIGHTS = Path(__file__).parent / "weights" / "alexnet_features.safetensors"
_WEIGHTS_SHA256 = "889a9ed0249fad79da5157ecf3125bef56243b12ec058c99296bc803ad24ec94"
_SMALLEST_SIDE = 32  # AlexNet's second pooling leaves nothing of less


def prepare_lpips(reference: Frame) -> Callable[[Frame], float]:
    """Return the LPIPS distance as a function of the candidate frame.

    Raises:
        NotMeasuredError: The frame is smaller than 32 pixels on a side.
    """
    if min(reference.shape[:2]) < _SMALLEST_SIDE:
        raise NotMeasuredError(f"LPIPS needs frames of at least {_SMALLEST_SIDE}x{_SMALLEST_SIDE} pixels")
    import torch

    network = _network()
    with torch.inference_mode():
        features = _features(network, reference)

    def distance(candidate: Frame) -> float:
        with torch.inference_mode():
            layers = zip(features, _features(network, candidate), network.lins, strict=True)
            return float(sum(lin((ours - theirs) ** 2).mean() for ours, theirs, lin in layers))

    return distance


def _features(network: Any, frame: Frame) -> list[torch.Tensor]:
    """Return AlexNet's five unit-normalised feature maps of a frame, each float32 `[1, C, h, w]`."""
    import lpips
    import torch

    device = network.scaling_layer.shift.device
    pixels = torch.from_numpy(frame).to(device).permute(2, 0, 1)[None]
    scaled = network.scaling_layer(pixels.to(torch.float32) / 127.5 - 1)
    scaled = scaled.contiguous(memory_format=torch.channels_last)
    return [lpips.normalize_tensor(feature) for feature in network.net(scaled)]


@cache
def _network() -> Any:
    mend_torchvision()
    import lpips
    import torch
    from safetensors.torch import load

    weights = _WEIGHTS.read_bytes()
    if hashlib.sha256(weights).hexdigest() != _WEIGHTS_SHA256:
        raise NotMeasuredError(f"{_WEIGHTS.name} is damaged", hint="install spacediff again")
    with warnings.catch_warnings():
        # lpips asks torchvision for an untrained AlexNet by a name that it deprecated
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    # lpips cuts torchvision's `features` into slices and keeps the layers' numbers as names
    named = {f"{part}.{name}": tensor for part, name, tensor in _sliced(network.net, load(weights))}
    network.net.load_state_dict(named, strict=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.eval().requires_grad_(requires_grad=False).to(device, memory_format=torch.channels_last)


def _sliced(net: Any, weights: dict[str, torch.Tensor]) -> list[tuple[str, str, torch.Tensor]]:
    slices = {name.split(".", 1)[1]: name.split(".", 1)[0] for name in net.state_dict()}
    return [(slices[name], name, tensor) for name, tensor in weights.items()]
