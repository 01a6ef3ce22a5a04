"""LPIPS (Zhang et al. 2018, arXiv:1801.03924), AlexNet, version 0.1, with weights that come with spacediff.

The key insight: nearly all of its cost is the network, and the reference's features are the same for every candidate,
so they are computed once per reference frame. A large frame is measured strip by strip, which bounds memory: see
`perceptual_strips`. `spacediff doctor` and the tests compare it with the lpips package, which needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from spacediff.clip import Frame
from spacediff.errors import MetricUnavailable
from spacediff.metric_info import MetricInfo
from spacediff.metrics.alexnet import LAYERS, Features, Network, network
from spacediff.metrics.metric import Metric, same
from spacediff.metrics.perceptual_strips import Strip, strips_of

_WHOLE = (1.0,) * LAYERS  # the share of all features of a layer


def prepare_lpips(reference: Frame) -> Callable[[Frame], float]:
    """Prepare the LPIPS distance as a function of the candidate frame.

    Raises:
        NotMeasuredError: A side of the frame is smaller than 32 pixels, or the file of the weights is missing or
            damaged.
    """
    if not LPIPS.defined_for(reference):
        raise MetricUnavailable(LPIPS.need)
    alexnet, strips = network(), strips_of(reference)
    if len(strips) > 1:  # features of a large frame are not kept: each candidate computes them again, strip by strip
        return lambda candidate: sum(_share(alexnet, strip, reference, candidate) for strip in strips)
    features = list(alexnet.features(reference))
    return lambda candidate: _distance(alexnet, features, alexnet.features(candidate))


def _share(alexnet: Network, strip: Strip, reference: Frame, candidate: Frame) -> float:
    """Return what a strip of two frames adds to their distance."""
    ours, theirs = (
        (layer[owned] for layer, owned in zip(alexnet.features(frame[strip.rows]), strip.owned, strict=True))
        for frame in (reference, candidate)
    )
    return _distance(alexnet, ours, theirs, strip.shares)


def _distance(
    alexnet: Network, ours: Iterable[Features], theirs: Iterable[Features], shares: Sequence[float] = _WHOLE
) -> float:
    """Sum the mean squared distances of features, each float32 `[N, C]`, weighted by channel, and by layer if asked."""
    layers = zip(ours, theirs, alexnet.channel_weights, shares, strict=True)
    return sum(_mean_square(one - other, weights) * share for one, other, weights, share in layers)


def _mean_square(differences: Features, weights: Features) -> float:
    """Return the mean over the places of the weighted squares; overwrites the differences."""
    return float((np.square(differences, out=differences) @ weights).mean(dtype=np.float64))


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
    smallest_side=32,  # with less, nothing remains after AlexNet's second pooling
)
