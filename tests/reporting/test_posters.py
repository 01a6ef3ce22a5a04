"""The frames that a viewer shows which runs no script."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image

from spacediff.clip import read_clip
from spacediff.record import AuditRecord
from spacediff.reporting.posters import posters
from spacediff.reporting.presentable import presentable
from spacediff.reporting.previews import Previews, embedded_previews


def test_a_poster_is_the_frame_that_it_names(record: AuditRecord, folder: Path) -> None:
    found = posters(record, embedded_previews(record.runs, folder, 10**9))
    assert [poster.run for poster in found] == ["reference", "baseline"]
    worst = next(c for c in record.comparisons if c.candidate == "baseline").metrics["psnr"].worst_frame
    for poster in found:
        assert poster.frame == worst
        clip = record.run("lemon", poster.run).clip
        assert clip
        frames = read_clip(folder / clip.preview).frames[:, : clip.height, : clip.width].astype(float)
        with PIL.Image.open(io.BytesIO(base64.b64decode(poster.jpeg))) as picture:
            shown = np.asarray(picture.convert("RGB"), float)
        assert int(np.abs(frames - shown).mean(axis=(1, 2, 3)).argmin()) == worst


def test_a_record_with_impossible_numbers_gives_a_page_without_posters(record: AuditRecord, folder: Path) -> None:
    previews = embedded_previews(record.runs, folder, 10**9)
    for width, height in ((96, 0), (96, -64), (0, 64)):
        odd = Previews({key: replace(each, width=width, height=height) for key, each in previews.clips.items()})
        assert posters(record, odd) == []
    worst = next(c for c in record.comparisons if c.candidate == "baseline").metrics["psnr"].worst_frame
    for number in (-1, 10**9):
        maps = [each.model_copy(update={"frame_map": [(worst, number)]}) for each in record.comparisons]
        odd_record = record.model_copy(update={"comparisons": maps})
        assert [each.run for each in posters(odd_record, previews)] == ["reference"]


def test_what_cannot_be_decoded_or_is_private_has_no_poster(record: AuditRecord, folder: Path) -> None:
    previews = embedded_previews(record.runs, folder, 10**9)
    broken = base64.b64encode(b"\0\0\0\x18ftypisom" + bytes(400)).decode()
    lost = Previews({key: replace(each, base64=broken) for key, each in previews.clips.items()})
    assert posters(record, lost) == []
    private = record.model_copy(update={"prompts": [record.prompts[0].model_copy(update={"private": True})]})
    hidden = presentable(private)
    assert posters(hidden, embedded_previews(hidden.runs, folder, 10**9)) == []
