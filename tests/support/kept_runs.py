"""Runs as the executor keeps them, over clips drawn in code."""

from __future__ import annotations

from pathlib import Path

from spacediff.clip import Clip, read_clip, write_lossless
from spacediff.codec import export_to_video
from spacediff.record import ClipRecord, Role, RunRecord


def kept(folder: Path, name: str, clip: Clip, role: Role = Role.VARIANT, *, hosted: bool = False) -> RunRecord:
    """A run as the executor would have kept it."""
    write_lossless(clip, folder / f"{name}.mkv")
    export_to_video(clip, folder / f"{name}.mp4", quality=5)
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


def unheard(done: int, total: int) -> None:
    assert 0 < done <= total
