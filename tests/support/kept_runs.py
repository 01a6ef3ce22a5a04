"""Runs as the executor keeps them, over clips drawn in code."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

from spacediff.clip import Clip, read_clip, write_lossless
from spacediff.codec import export_to_video
from spacediff.record import ClipRecord, Role, RunRecord


def kept(folder: Path, name: str, clip: Clip, role: Role = Role.VARIANT, *, hosted: bool = False) -> RunRecord:
    """A run as the executor would have kept it."""
    write_lossless(clip, folder / f"{name}.mkv")
    (folder / f"{name}.mp4").write_bytes(_exported(clip))
    if hosted:
        clip = read_clip(folder / f"{name}.mp4")
        write_lossless(clip, folder / f"{name}.mkv")
    frames, height, width = clip.frames.shape[:3]
    return RunRecord(
        key=name,
        name=name,
        role=role,
        prompt="p",
        source="diffusers",
        measured=True,
        clip=ClipRecord(
            lossless=f"{name}.mkv",
            preview=f"{name}.mp4",
            original=f"{name}.mp4" if hosted else None,
            delivered=None if hosted else f"{name}.mp4",
            digest=clip.digest,
            frames=frames,
            width=width,
            height=height,
            fps=float(clip.fps),
        ),
    )


_EXPORTED: dict[tuple[str, Fraction], bytes] = {}


def _exported(clip: Clip) -> bytes:
    """The file that diffusers' export makes of a clip; many tests keep the same clips."""
    key = (clip.digest, clip.fps)
    if key not in _EXPORTED:
        with tempfile.TemporaryDirectory() as folder:
            export_to_video(clip, Path(folder) / "clip.mp4", quality=5)
            _EXPORTED[key] = (Path(folder) / "clip.mp4").read_bytes()
    return _EXPORTED[key]


def ignore_progress(done: int, total: int) -> None:
    assert 0 < done <= total
