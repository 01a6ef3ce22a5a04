"""Pictures compared with pictures: the same metrics as for videos, without what needs time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from skimage import data

import spacediff
from spacediff.cli.summary import show_summary
from spacediff.clip import Frame
from spacediff.reporting.html import render_html
from spacediff.reporting.inert import prose
from spacediff.reporting.markdown import render_markdown


def photo() -> Frame:
    return np.ascontiguousarray(data.astronaut()[:96, 60:188])


def saved(path: Path, picture: Frame, **options: Any) -> Path:
    PIL.Image.fromarray(picture).save(path, **options)
    return path


def compared(tmp_path: Path, reference: Path, candidate: Path) -> spacediff.AuditRecord:
    return spacediff.compare_videos(reference, candidate, out=tmp_path / "audit").record


def test_a_changed_picture_is_measured_without_time(tmp_path: Path) -> None:
    other = cv2.GaussianBlur(photo(), (5, 5), 0)
    record = compared(tmp_path, saved(tmp_path / "a.png", photo()), saved(tmp_path / "b.png", np.asarray(other)))
    (comparison,) = record.comparisons
    assert {"mae", "psnr", "ssim", "lpips"} == comparison.metrics.keys()
    assert comparison.metrics["psnr"].pooled == pytest.approx(cv2.PSNR(photo(), other), abs=1e-3)
    assert comparison.map is not None
    assert "motion" not in comparison.measures
    assert comparison.first_divergence is None
    assert {run.clip.medium for run in record.runs if run.clip} == {"pictures"}
    assert not any("fps" in run.settings for run in record.runs)


def test_equal_pictures_in_different_formats_are_identical(tmp_path: Path) -> None:
    record = compared(tmp_path, saved(tmp_path / "a.png", photo()), saved(tmp_path / "b.webp", photo(), lossless=True))
    assert record.comparisons[0].identical


def test_a_jpeg_of_the_reference_is_recognised(tmp_path: Path) -> None:
    record = compared(tmp_path, saved(tmp_path / "a.png", photo()), saved(tmp_path / "b.jpg", photo(), quality=85))
    assert record.comparisons[0].verdict is spacediff.Verdict.CODEC_ONLY


def test_a_picture_has_no_partner_in_a_video(tmp_path: Path) -> None:
    first, *others = (PIL.Image.fromarray(photo() // n) for n in (1, 2, 3))
    first.save(tmp_path / "b.gif", save_all=True, append_images=others, duration=100)
    record = compared(tmp_path, saved(tmp_path / "a.png", photo()), tmp_path / "b.gif")
    (comparison,) = record.comparisons
    assert comparison.verdict is spacediff.Verdict.NOT_COMPARABLE
    assert "1 picture, and this run has 3 frames of a video" in str(comparison.evidence)


def test_what_the_pixels_leave_out_is_a_warning_in_terminal_page_and_markdown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clear = np.dstack([photo(), np.zeros(photo().shape[:2], np.uint8)])
    PIL.Image.fromarray(clear).save(tmp_path / "b.png")
    record = compared(tmp_path, saved(tmp_path / "a.png", photo()), tmp_path / "b.png")
    ((warning, run),) = [(text, run.name) for run in record.runs for text in run.warnings]
    assert "b.png has transparent pixels" in warning
    show_summary(record, tmp_path)
    assert f"warning: {run}: {warning}\n" in capsys.readouterr().out
    assert warning in render_html(record, tmp_path)
    assert f"`{run}`: {prose(warning)}\n" in render_markdown(record)
