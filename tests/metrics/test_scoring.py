from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from spacediff.clip import Frame
from spacediff.errors import NotMeasuredError
from spacediff.metrics import METRICS, Comparer
from spacediff.metrics.scoring import measure, measure_clips, pooled, score, worst_frame
from spacediff.metrics.ssim_map import prepare_tile
from spacediff.metrics.tiles import worst_of_clips
from support.clips import moving_ball, with_frames

BY_NAME = {metric.name: metric for metric in METRICS}
PIXEL = tuple(BY_NAME[name] for name in ("mae", "psnr", "ssim"))


def test_every_candidate_gets_a_row_for_every_frame() -> None:
    clip, other = moving_ball(5), moving_ball(5, seed=1)
    tables = score(clip.frames, {"same": clip.frames, "other": other.frames})
    assert list(tables["same"].columns) == ["mae", "psnr", "ssim", "lpips"]
    assert (tables["same"][["mae", "lpips"]] == 0).all().all()
    assert (tables["same"]["psnr"] == math.inf).all()
    assert (tables["same"]["ssim"] == 1).all()
    assert (tables["other"]["mae"] > 1).all()


def test_other_candidates_do_not_change_a_score() -> None:
    clip, a, b = (moving_ball(3, seed=seed) for seed in range(3))
    together = score(clip.frames, {"a": a.frames, "b": b.frames})
    alone = score(clip.frames, {"a": a.frames})
    pd.testing.assert_frame_equal(together["a"], alone["a"])


def test_a_shorter_clip_is_scored_to_its_end() -> None:
    clip = moving_ball(5)
    seen: list[int] = []
    longer = np.tile(clip.frames, (2, 1, 1, 1))
    measured = measure(clip.frames, {"short": clip.frames[:2], "long": longer}, on_frame=seen.append)
    assert (len(measured["short"]["mae"]), len(measured["long"]["mae"])) == (2, 5)
    assert seen == [1, 2, 3, 4, 5]


def test_the_worst_frame_is_the_changed_one() -> None:
    clip = moving_ball(6)
    frames = clip.frames.astype(int)
    frames[4, 10:40, 10:40] += 60
    table = score(clip.frames, {"changed": with_frames(clip, frames).frames})["changed"]
    assert {name: worst_frame(table, metric) for name, metric in BY_NAME.items()} == dict.fromkeys(BY_NAME, 4)


def test_pooled_psnr_uses_the_mean_squared_error() -> None:
    clip = moving_ball(4)
    frames = clip.frames.astype(int)
    frames[1] += np.where(frames[1] < 128, 20, -20)
    table = score(clip.frames, {"a": with_frames(clip, frames).frames})["a"]
    assert pooled(table, BY_NAME["psnr"]) == pytest.approx(10 * math.log10(255**2 / (20**2 / 4)))
    assert pooled(table, BY_NAME["mae"]) == pytest.approx(5)


def test_a_metric_without_a_value_gives_nan() -> None:
    tiny = moving_ball(2, 24, 24)
    table = score(tiny.frames, {"a": tiny.frames})["a"]
    assert table["lpips"].isna().all()
    assert table["ssim"].notna().all()


def test_a_metric_that_cannot_be_prepared_is_an_error_and_not_nan() -> None:
    def damaged(_: Frame) -> Comparer:
        raise NotMeasuredError("the weights are damaged")

    clip = moving_ball(2)
    with pytest.raises(NotMeasuredError, match="damaged"):
        score(clip.frames, {"a": clip.frames[::-1]}, (*PIXEL, dataclasses.replace(BY_NAME["lpips"], prepare=damaged)))


def test_score_and_measure_give_the_same_values() -> None:
    clip, other = moving_ball(3), moving_ball(3, seed=1)
    table = score(clip.frames, {"a": other.frames})["a"]
    measured = measure(clip.frames, {"a": other.frames})["a"]
    assert list(measured) == list(table.columns) == list(BY_NAME)
    for name, metric in BY_NAME.items():
        assert table[name].tolist() == measured[name].tolist()
        assert pooled(table, metric) == pooled(measured, metric)
        assert worst_frame(table, metric) == worst_frame(measured, metric)


@pytest.mark.parametrize("size", [(64, 96), (24, 40)])
def test_equal_frames_get_what_each_metric_gives_them(size: tuple[int, int]) -> None:
    """They are not measured, since every metric is defined as perfect there: the values must be the metric's own."""
    clip = moving_ball(2, *size)
    measured = measure_clips(clip.frames, {"a": clip.frames.copy()}, mapped=True)["a"]
    for name, metric in BY_NAME.items():
        own = metric.prepare(clip.frames[0])(clip.frames[0].copy()) if metric.defined_for(clip.frames[0]) else math.nan
        assert measured.per_frame[name].tolist() == pytest.approx([own, own], abs=0, nan_ok=True)
    assert (np.stack(measured.map_tiles) == 255).all()


def test_a_map_is_made_beside_the_values_and_does_not_change_them() -> None:
    clip, other = moving_ball(3), moving_ball(3, seed=1)
    mapped = measure_clips(clip.frames, {"a": other.frames}, PIXEL, mapped=True)["a"]
    plain = measure(clip.frames, {"a": other.frames}, PIXEL)["a"]
    assert {name: values.tolist() for name, values in mapped.per_frame.items()} == {
        name: values.tolist() for name, values in plain.items()
    }
    assert len(mapped.map_tiles) == 3
    assert np.array_equal(mapped.map_tiles[1], prepare_tile(clip.frames[1])(other.frames[1])[1])
    assert not measure_clips(clip.frames, {"a": other.frames}, (BY_NAME["mae"],), mapped=True)["a"].map_tiles


def test_the_worst_tile_is_found_beside_the_values_and_only_where_it_is_asked_for() -> None:
    clip, other = moving_ball(3), moving_ball(3, seed=1)
    found = measure_clips(clip.frames, {"a": other.frames, "b": clip.frames.copy()}, PIXEL, tiled=True)
    assert found["a"].worst == worst_of_clips(clip.frames, other.frames)
    assert found["b"].worst is None, "no pixel differs"
    assert measure_clips(clip.frames, {"a": other.frames}, PIXEL)["a"].worst is None


def test_rows_keep_the_order_of_the_frames() -> None:
    """Frames are measured in parallel; here the late ones are much cheaper than the early ones."""
    sizes = [(size, size, 3) for size in range(400, 40, -30)]
    black = [np.zeros(size, np.uint8) for size in sizes]
    brighter = [np.full(size, number, np.uint8) for number, size in enumerate(sizes)]
    assert measure(black, {"a": brighter}, PIXEL)["a"]["mae"].tolist() == list(range(12))


@pytest.mark.parametrize("candidates", [1, 3])
def test_a_long_clip_is_read_as_it_is_scored(candidates: int) -> None:
    total, read = 2_000, [0] * (candidates + 1)
    furthest = 0

    def frames(which: int) -> Iterator[Frame]:
        for number in range(total):
            read[which] += 1
            yield np.full((16, 16, 3), (number + which) % 256, np.uint8)

    def on_frame(done: int) -> None:
        nonlocal furthest
        furthest = max(furthest, *(count - done for count in read))

    measured = measure(frames(0), {str(n): frames(n) for n in range(1, candidates + 1)}, PIXEL, on_frame)
    assert {len(values["ssim"]) for values in measured.values()} == {total}
    assert read == [total] * (candidates + 1)
    assert 0 < furthest <= 12


def damaged_stream(frames: int) -> Iterator[Frame]:
    yield from moving_ball(frames).frames
    raise NotMeasuredError("is damaged")


def test_a_damaged_stream_is_an_error() -> None:
    clip = moving_ball(6).frames
    with pytest.raises(NotMeasuredError, match="is damaged"):
        measure(clip, {"whole": clip, "damaged_stream": damaged_stream(3)}, PIXEL)
    with pytest.raises(NotMeasuredError, match="is damaged"):
        measure(damaged_stream(3), {"whole": clip}, PIXEL)


def test_frames_after_the_end_of_the_reference_are_ignored() -> None:
    clip = moving_ball(3).frames
    assert len(measure(clip, {"longer": damaged_stream(3)}, PIXEL)["longer"]["mae"]) == 3


def test_metrics_need_no_heavy_imports() -> None:
    code = """
import sys
import numpy as np
from spacediff.metrics import METRICS
from spacediff.metrics.scoring import measure
frames = np.zeros((2, 40, 40, 3), np.uint8)
others = frames + np.uint8(9)
heavy = {"torch", "torchvision", "lpips", "pandas", "pydantic", "skimage", "scipy"}
measure(frames, {"a": others}, tuple(metric for metric in METRICS if metric.name != "lpips"))
print(*sorted({*heavy, "safetensors"} & set(sys.modules)))
measure(frames, {"a": others})
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", ""]
