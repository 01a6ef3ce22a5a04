"""Write the files of a run: the lossless clip, a preview, the file that a script would export, and the latents."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from spacediff.clip import Clip, LongClip, frames_digest, write_lossless, write_preview
from spacediff.clip.bands import is_large
from spacediff.codec import export_to_video
from spacediff.files import sha256
from spacediff.observer.latents_file import LATENTS, write_latents
from spacediff.pictures import MAX_SHEET_HEIGHT, write_png, write_sheet
from spacediff.progress import Progress
from spacediff.record import ClipRecord, RunRecord, SmallPreview, TraceRecord
from spacediff.run import Run
from spacediff.sources import Produced
from spacediff.worker.colours import only_colour
from spacediff.worker.passes import Passes
from spacediff.worker.records import measured

_LARGE = 250_000
"""Bytes of a preview of which a page holds two dozen."""
_LARGE_OF_TWO = 2_500_000
"""Bytes of a preview of which a page holds two: more clips has none whose files alone are compared."""
_SMALL, _KEY_FRAMES = 23, 12
"""x264's rate factor of a small preview, and the frames from one key frame to the next, which a seek decodes at most.
Of 49 frames at 480x720 a tenth of the bytes is left."""


def write_run(run: Run, key: str, produced: Produced, folder: Path, progress: Progress) -> RunRecord:
    """Write the files of a run, and return its record.

    Args:
        run: The run.
        key: Its identity.
        produced: The result of its source.
        folder: The folder to write to; the record names the files by their final place in the store.
        progress: Receives how many frames are written, where that takes long.
    """
    place = PurePosixPath("runs") / key
    trace = _write_trace(produced, folder, place)
    return measured(run, key, produced, _write_clip(run, produced, folder, place, progress), trace)


def _write_clip(run: Run, produced: Produced, folder: Path, place: PurePosixPath, progress: Progress) -> ClipRecord:
    """Write the files of a clip, and return their record.

    A file of the user is the clip itself: as it is kept, its frames are not written once more.

    Args:
        run: The run.
        produced: The result of its source.
        folder: The folder to write to.
        place: The final folder of the files, relative to the audit folder, for the paths in the record.
        progress: Receives how many frames are written.
    """
    given = produced.original if run.source == "video" else None
    large = _LARGE_OF_TWO if run.source in {"video", "recording"} and not run.prompt.text else _LARGE
    clip = produced.clip
    frames, height, width = clip.frames.shape[:3]
    at_once = 1 if is_large(height, width) else 3  # encoders let other threads run, and hold several frames
    passes = Passes(frames * (3 if given else 4))
    with ThreadPoolExecutor(at_once, "writing") as pool:
        previewing = pool.submit(_write_previews, clip, folder, large, passes)
        digesting = pool.submit(lambda: frames_digest(passes.over(clip.frames)))
        delivering = pool.submit(_write_delivered, produced, folder) if produced.original is None else None
        writing: list[Future[Any]] = [previewing, digesting, *([delivering] if delivering else [])]
        if not given:
            writing.append(pool.submit(write_lossless, clip, folder / "clip.mkv", on_frame=passes.on_frame))
        passes.wait(writing, progress, "writing the clip")
    preview, small = previewing.result()
    delivered = delivering.result() if delivering else None
    return ClipRecord(
        lossless=(place / (given.name if given else "clip.mkv")).as_posix(),
        preview=(place / preview).as_posix(),
        small=SmallPreview(file=(place / small).as_posix(), quality=_SMALL) if small else None,
        original=(place / produced.original.name).as_posix() if produced.original else None,
        delivered=(place / delivered.name).as_posix() if delivered else None,
        delivered_digest=sha256(delivered) if delivered else "",
        digest=digesting.result(),
        frames=frames,
        width=width,
        height=height,
        fps=float(clip.fps),
        medium=clip.medium,
        encoding=produced.encoding,
        colour=only_colour(clip.frames),
    )


def _write_previews(clip: Clip | LongClip, folder: Path, large: int, passes: Passes) -> tuple[str, str]:
    """Write what the page shows, and a smaller one beside it; return their names, the second empty if there is none."""
    preview = _write_preview(clip, folder, passes)
    return preview, _write_small(clip, folder, preview, large, passes)


def _write_preview(clip: Clip | LongClip, folder: Path, passes: Passes) -> str:
    """Write what the page shows, and return its name: pictures without loss, unless their sheet is too large."""
    tall = len(clip.frames) * clip.frames.shape[1] > MAX_SHEET_HEIGHT
    if clip.medium == "pictures" and isinstance(clip, Clip) and not tall:
        write_sheet(clip.frames, folder / "preview.png")
        return "preview.png"
    write_preview(clip, folder / "preview.mp4", on_frame=passes.on_frame)
    return "preview.mp4"


def _write_small(clip: Clip | LongClip, folder: Path, preview: str, large: int, passes: Passes) -> str:
    """Write a smaller preview beside a large one, and return its name: empty where there is no need of it."""
    if not preview.endswith(".mp4") or (folder / preview).stat().st_size <= large:
        return ""
    write_preview(clip, folder / "small.mp4", quality=_SMALL, key_frames=_KEY_FRAMES, on_frame=passes.on_frame)
    return "small.mp4"


def _write_delivered(produced: Produced, folder: Path) -> Path:
    """Write what a script would: a video by `export_to_video`, pictures as PNG."""
    clip = produced.clip
    if clip.medium == "pictures":
        return write_png(np.asarray(clip.frames), folder, "delivered")
    path = folder / "delivered.mp4"
    export_to_video(clip, path, quality=produced.settings.value("output.quality"))
    return path


def _write_trace(produced: Produced, folder: Path, place: PurePosixPath) -> TraceRecord | None:
    """Write the latents, if there are any, and return the trace with the path of their file.

    Args:
        produced: The result of a source.
        folder: The folder to write to.
        place: The final folder of the file, relative to the audit folder.
    """
    if produced.trace is None or not (produced.latents or produced.latents_file):
        return produced.trace
    if produced.latents_file is None:
        write_latents(produced.latents, folder / LATENTS)
    return produced.trace.model_copy(update={"latents": (place / LATENTS).as_posix()})
