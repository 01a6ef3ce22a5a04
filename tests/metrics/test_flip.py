from __future__ import annotations

import numpy as np
import pytest

from spacediff.errors import SpacediffError
from spacediff.metrics import METRICS, select_metrics
from support.clips import moving_ball


def test_flip_is_measured_on_request() -> None:
    *usual, flip = select_metrics(["flip"])
    assert tuple(usual) == METRICS == select_metrics([])
    near, far = moving_ball(1).frames[0], moving_ball(1, seed=1).frames[0]
    compare = flip.prepare(near)
    assert compare(near) == 0
    assert 0 < compare(np.clip(near.astype(int) + 2, 0, 255).astype(np.uint8)) < compare(far) < 1


def test_a_metric_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import spacediff.metrics

    monkeypatch.setattr(spacediff.metrics, "find_spec", lambda _: None)
    with pytest.raises(SpacediffError, match="FLIP needs the package flip-evaluator") as caught:
        select_metrics(["flip"])
    assert caught.value.hint == "pip install flip-evaluator"
