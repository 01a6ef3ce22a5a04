from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from clips import moving_ball, with_frames
from harness.metrics import METRICS
from harness.metrics.scoring import pooled, score, worst_frame

BY_NAME = {metric.info.name: metric for metric in METRICS}


def test_every_candidate_gets_a_row_for_every_frame() -> None:
    clip, other = moving_ball(5), moving_ball(5, seed=1)
    tables = score(clip.frames, {"same": clip.frames, "other": other.frames})
    assert list(tables["same"].columns) == ["mae", "psnr", "ssim", "lpips"]
    assert (tables["same"][["mae", "lpips"]] == 0).all().all()
    assert (tables["same"]["psnr"] == math.inf).all()
    assert (tables["same"]["ssim"] == 1).all()
    assert (tables["other"]["mae"] > 1).all()


def test_company_does_not_change_a_score() -> None:
    clip, a, b = (moving_ball(3, seed=seed) for seed in range(3))
    together = score(clip.frames, {"a": a.frames, "b": b.frames})
    alone = score(clip.frames, {"a": a.frames})
    pd.testing.assert_frame_equal(together["a"], alone["a"])


def test_a_shorter_clip_is_scored_as_far_as_it_goes() -> None:
    clip = moving_ball(5)
    seen: list[int] = []
    tables = score(
        clip.frames, {"short": clip.frames[:2], "long": np.tile(clip.frames, (2, 1, 1, 1))}, on_frame=seen.append
    )
    assert (len(tables["short"]), len(tables["long"])) == (2, 5)
    assert seen == [1, 2, 3, 4, 5]


def test_the_worst_frame_is_the_changed_one() -> None:
    clip = moving_ball(6)
    frames = clip.frames.astype(int)
    frames[4, 10:40, 10:40] += 60
    table = score(clip.frames, {"changed": with_frames(clip, frames).frames})["changed"]
    assert {name: worst_frame(table, metric) for name, metric in BY_NAME.items()} == dict.fromkeys(BY_NAME, 4)


def test_pooled_psnr_is_that_of_the_mean_squared_error() -> None:
    clip = moving_ball(4)
    frames = clip.frames.astype(int)
    frames[1] += np.where(frames[1] < 128, 20, -20)
    table = score(clip.frames, {"a": with_frames(clip, frames).frames})["a"]
    assert pooled(table, BY_NAME["psnr"]) == pytest.approx(10 * math.log10(255**2 / (20**2 / 4)))
    assert pooled(table, BY_NAME["mae"]) == pytest.approx(5)


def test_a_metric_that_is_not_defined_is_left_open() -> None:
    tiny = moving_ball(2, 24, 24)
    table = score(tiny.frames, {"a": tiny.frames})["a"]
    assert table["lpips"].isna().all()
    assert table["ssim"].notna().all()
