"""LPIPS (Zhang et al. 2018, arXiv:1801.03924), AlexNet, version 0.1, with weights that come with the package.

The key insight: nearly all of its cost is the network, and the reference's features are the same for every candidate,
so they are computed once per reference frame. Convolutions use Winograd's algorithm. A large frame is measured strip by
strip, which bounds memory: see `perceptual_strips`. AlexNet is five convolutions, so it is implemented here: importing
lpips, and with it torchvision, takes longer than scoring ten frames. It runs on the CPU: the accelerator belongs to the
clip that is generated meanwhile, and the numbers are the same on every machine.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.clip import Frame
from spacediff.errors import MetricUnavailable
from spacediff.metric_info import MetricInfo
from spacediff.metrics.metric import Metric, same
from spacediff.metrics.perceptual_strips import Strip, strips_of

if TYPE_CHECKING:
    import torch

    Layer = Callable[[torch.Tensor], torch.Tensor]

_WEIGHTS = Path(__file__).parent / "weights" / "alexnet_features.safetensors"
_WEIGHTS_SHA256 = "889a9ed0249fad79da5157ecf3125bef56243b12ec058c99296bc803ad24ec94"
_CONVOLUTIONS = {0: (4, 2), 3: (1, 2), 6: (1, 1), 8: (1, 1), 10: (1, 1)}  # torchvision's layer: stride, padding
_POOLED = {3, 6}  # layers after a max pooling over 3x3 with stride 2
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # lpips.ScalingLayer, for pixels in -1..1
_EPSILON = 1e-10  # lpips.normalize_tensor
_WHOLE = (1.0,) * len(_CONVOLUTIONS)  # the share of all features of a layer
_lock = threading.Lock()


def prepare_lpips(reference: Frame) -> Callable[[Frame], float]:
    """Prepare the LPIPS distance as a function of the candidate frame.

    Raises:
        NotMeasuredError: A side of the frame is smaller than 32 pixels, or weights are missing.
    """
    if not LPIPS.defined_for(reference):
        raise MetricUnavailable(LPIPS.need)
    import torch

    network, strips = _network(), strips_of(reference)
    if len(strips) > 1:  # features of a large frame are not kept: each candidate computes them again, strip by strip
        return lambda candidate: sum(_share(network, strip, reference, candidate) for strip in strips)
    with torch.inference_mode():
        features = list(network.features(reference))

    def distance(candidate: Frame) -> float:
        with torch.inference_mode():
            return _distance(network, features, network.features(candidate))

    return distance


def _share(network: _Network, strip: Strip, reference: Frame, candidate: Frame) -> float:
    """Return what a strip of two frames adds to their distance."""
    import torch

    with torch.inference_mode():
        ours, theirs = (
            (layer[owned] for layer, owned in zip(network.features(frame[strip.rows]), strip.owned, strict=True))
            for frame in (reference, candidate)
        )
        return _distance(network, ours, theirs, strip.shares)


def _distance(
    network: _Network, ours: Iterable[torch.Tensor], theirs: Iterable[torch.Tensor], shares: Sequence[float] = _WHOLE
) -> float:
    """Sum the mean squared distances of features, each float32 `[N, C]`, weighted by channel, and by layer if asked."""
    layers = zip(ours, theirs, network.weights, shares, strict=True)
    return float(sum((one - other).square_().mean(0).dot(weights) * share for one, other, weights, share in layers))


def keep_to_one_processor() -> None:
    """Keep PyTorch from starting additional threads for the calling thread.

    Two scoring threads with two PyTorch threads each spin while they wait for each other: five times the processor
    time.
    """
    import torch

    def restore() -> None:
        torch.set_num_threads(usual)

    with _lock:
        usual = torch.get_num_threads()
        torch.set_num_threads(1)  # for this thread, and for every thread that starts from now on
        restoring = threading.Thread(target=restore)  # restores the latter, but not the setting of this thread
        restoring.start()
        restoring.join()


@dataclass(frozen=True, eq=False)
class _Network:
    """The layers of LPIPS.

    Attributes:
        convolutions: AlexNet's convolutions, each with whether pooling comes before it.
        gain: Factor for pixel values, `[3]`.
        offset: Subtracted after multiplying, `[3]`.
        weights: For each convolution the weight of each channel's mean squared distance, `[C]`.
    """

    convolutions: list[tuple[Layer, bool]]
    gain: torch.Tensor
    offset: torch.Tensor
    weights: list[torch.Tensor]

    def features(self, frame: Frame) -> Iterator[torch.Tensor]:
        """Compute AlexNet's five feature maps of a frame, normalised per pixel, each float32 `[h w, C]`, one by one."""
        import torch

        height, width, _ = frame.shape
        rows = torch.from_numpy(frame).to(torch.float32).reshape(height, -1)
        rows.mul_(self.gain.repeat(width)).sub_(self.offset.repeat(width))
        before: torch.Tensor | None = None
        layer = rows.view(1, height, width, 3).permute(0, 3, 1, 2)
        for convolve, pooled in self.convolutions:
            layer = convolve(torch.nn.functional.max_pool2d(layer, 3, 2) if pooled else layer).relu_()
            if before is not None:
                yield _normalised(before)  # in place, as soon as the next layer is computed
            before = layer.permute(0, 2, 3, 1).flatten(0, 2)
        assert before is not None  # noqa: S101 - there are five
        yield _normalised(before)


def _normalised(vectors: torch.Tensor) -> torch.Tensor:
    """Divide vectors, float32 `[N, C]`, by their lengths, in place."""
    import torch

    return vectors.div_(torch.linalg.vector_norm(vectors, dim=1, keepdim=True) + _EPSILON)


def _network() -> _Network:
    with _lock:
        return _loaded()


@cache
def _loaded() -> _Network:
    import torch

    alexnet = _alexnet()
    scale, shift = torch.tensor(_SCALE), torch.tensor(_SHIFT)
    return _Network(
        convolutions=[
            (_convolution(alexnet[f"{number}.weight"], alexnet[f"{number}.bias"], stride, padding), number in _POOLED)
            for number, (stride, padding) in _CONVOLUTIONS.items()
        ],
        gain=1 / (127.5 * scale),
        offset=(1 + shift) / scale,  # 0..255 becomes -1..1, then (value - shift) / scale
        weights=_layer_weights(),
    )


def _convolution(weights: torch.Tensor, bias: torch.Tensor, stride: int, padding: int) -> Layer:
    import torch

    from spacediff.metrics.winograd import Winograd

    if stride == 1:
        return Winograd(weights, bias, padding)
    weights = weights.contiguous(memory_format=torch.channels_last)
    return partial(torch.nn.functional.conv2d, weight=weights, bias=bias, stride=stride, padding=padding)


def _alexnet() -> dict[str, torch.Tensor]:
    from safetensors.torch import load

    weights = _WEIGHTS.read_bytes()
    if hashlib.sha256(weights).hexdigest() != _WEIGHTS_SHA256:
        raise MetricUnavailable(f"{_WEIGHTS.name} is damaged", hint="install spacediff again")
    return load(weights)


def _layer_weights() -> list[torch.Tensor]:
    """Load the weights that the LPIPS authors trained, from the file in their package."""
    import torch

    package = find_spec("lpips")
    if package is None or package.origin is None:
        raise MetricUnavailable("LPIPS needs the weights of the lpips package", hint="pip install lpips")
    file = Path(package.origin).parent / "weights" / "v0.1" / "alex.pth"
    heads = torch.load(file, map_location="cpu", weights_only=True)
    return [heads[f"lin{layer}.model.1.weight"].flatten() for layer in range(len(_CONVOLUTIONS))]


LPIPS = Metric(
    MetricInfo(
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
    package="torch",
    smallest_side=32,  # with less, nothing remains after AlexNet's second pooling
)
