"""LPIPS (Zhang et al. 2018, arXiv:1801.03924), AlexNet, version 0.1, from weights that ship with the package.

The key insight: nearly all of its cost is the network, and the reference's features are the same for every candidate,
so they are computed once per reference frame; on a processor the network's convolutions take Winograd's short way.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.clip import Frame
from harness.errors import NotMeasuredError
from harness.metrics.metric import About, Metric, same
from harness.torchvision_mend import mend_torchvision

if TYPE_CHECKING:
    import torch

_WEIGHTS = Path(__file__).parent / "weights" / "alexnet_features.safetensors"
_WEIGHTS_SHA256 = "889a9ed0249fad79da5157ecf3125bef56243b12ec058c99296bc803ad24ec94"
_SMALLEST_SIDE = 32  # AlexNet's second pooling leaves nothing of less
_EPSILON = 1e-10  # lpips.normalize_tensor
_one_at_a_time = threading.Lock()


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
        features = network.features(reference)

    def distance(candidate: Frame) -> float:
        with torch.inference_mode():
            layers = zip(features, network.features(candidate), network.weights, strict=True)
            return float(sum((ours - theirs).square_().mean(0).dot(weights) for ours, theirs, weights in layers))

    return distance


def keep_to_one_processor() -> None:
    """Keep PyTorch from starting threads of its own for this thread.

    Two scoring threads with two PyTorch threads each wait for each other spinning: five times the processor time.
    """
    import torch

    def restore() -> None:
        torch.set_num_threads(usual)

    with _one_at_a_time:
        usual = torch.get_num_threads()
        torch.set_num_threads(1)  # for this thread, and for every thread that starts from now on
        passing = threading.Thread(target=restore)  # sets the latter back, and of the former only its own
        passing.start()
        passing.join()


@dataclass(frozen=True, eq=False)
class _Network:
    """LPIPS taken apart.

    Attributes:
        backbone: Takes scaled pixels `[1, 3, H, W]`, returns five feature maps `[1, C, h, w]`.
        gain: What a pixel value is multiplied with, `[3]`.
        offset: What is subtracted then, `[3]`.
        weights: For each layer what a channel's mean squared distance counts, `[C]`.
    """

    backbone: Any
    gain: torch.Tensor
    offset: torch.Tensor
    weights: list[torch.Tensor]

    def features(self, frame: Frame) -> list[torch.Tensor]:
        """Return AlexNet's five feature maps of a frame, unit vectors, each float32 `[h w, C]`."""
        import torch

        height, width, _ = frame.shape
        rows = torch.from_numpy(frame).to(self.gain.device).to(torch.float32).reshape(height, -1)
        rows.mul_(self.gain.repeat(width)).sub_(self.offset.repeat(width))
        with _full_precision(self.gain.device):
            maps = self.backbone(rows.view(1, height, width, 3).permute(0, 3, 1, 2))
        vectors = [feature.permute(0, 2, 3, 1).flatten(0, 2) for feature in maps]
        return [vector / (torch.linalg.vector_norm(vector, dim=1, keepdim=True) + _EPSILON) for vector in vectors]


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Keep a GPU from rounding what it convolves to 10 bits (TF32, PyTorch's default there)."""
    if device.type == "cpu":
        yield
        return
    import torch

    with _one_at_a_time, torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def _network() -> _Network:
    with _one_at_a_time:
        return _built()


@cache
def _built() -> _Network:
    import torch

    lpips = load_lpips()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        _shorten(lpips.net)
    lpips.to(device, memory_format=torch.channels_last)
    scale, shift = lpips.scaling_layer.scale.flatten(), lpips.scaling_layer.shift.flatten()
    return _Network(
        backbone=lpips.net,
        gain=1 / (127.5 * scale),
        offset=(1 + shift) / scale,  # 0..255 becomes -1..1, then the scaling layer's (value - shift) / scale
        weights=[head.model[-1].weight.flatten() for head in lpips.lins],
    )


def load_lpips() -> Any:
    """Return `lpips.LPIPS(net="alex")`, its backbone loaded from the package's own file."""
    mend_torchvision()
    import lpips
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
    return network.eval().requires_grad_(requires_grad=False)


def _sliced(net: Any, weights: dict[str, torch.Tensor]) -> list[tuple[str, str, torch.Tensor]]:
    slices = {name.split(".", 1)[1]: name.split(".", 1)[0] for name in net.state_dict()}
    return [(slices[name], name, tensor) for name, tensor in weights.items()]


def _shorten(net: Any) -> None:
    """Replace the convolutions that can be computed the short way: all but the first, which has stride 4."""
    import torch

    from harness.metrics.winograd import Winograd

    for part in net.children():
        for name, layer in list(part.named_children()):
            if isinstance(layer, torch.nn.Conv2d) and layer.stride == (1, 1):
                setattr(part, name, Winograd(layer))


LPIPS = Metric(
    About(
        name="lpips",
        title="LPIPS",
        unit="",
        higher_is_closer=False,
        about="Learned perceptual distance (Zhang et al. 2018, arXiv:1801.03924), AlexNet, version 0.1; 0 is equal, "
        "unrelated pictures reach about 0.7.",
    ),
    prepare=prepare_lpips,
    error=same,
    value=same,
    enter_thread=keep_to_one_processor,
)
