"""Write the files of a run: the lossless clip, a preview, the file that a script would export, and the latents."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from spacediff.clip import write_lossless, write_preview
from spacediff.codec import export_to_video
from spacediff.files import sha256
from spacediff.record import ClipRecord, RunRecord, TraceRecord
from spacediff.run import Run
from spacediff.sources import Produced
from spacediff.store.latents import write_latents
from spacediff.worker.records import measured

_LATENTS = "latents.zip"


def write_run(run: Run, key: str, produced: Produced, folder: Path) -> RunRecord:
    """Write the files of a run, and return its record.

    Args:
        run: The run.
        key: Its identity.
        produced: The result of its source.
        folder: The folder to write to; the record names the files by their final place in the store.
    """
    place = PurePosixPath("runs") / key
    trace = _write_trace(produced, folder, place)
    return measured(run, key, produced, _write_clip(produced, folder, place), trace)


def _write_clip(produced: Produced, folder: Path, place: PurePosixPath) -> ClipRecord:
    """Write the files of a clip, and return their record.

    Args:
        produced: The result of a source.
        folder: The folder to write to.
        place: The final folder of the files, relative to the audit folder, for the paths in the record.
    """
    clip = produced.clip
    write_lossless(clip, folder / "clip.mkv")
    write_preview(clip, folder / "preview.mp4")
    delivered, delivered_digest = None, ""
    if produced.original is None:
        export_to_video(clip, folder / "delivered.mp4", quality=produced.settings.value("output.quality"))
        delivered, delivered_digest = (place / "delivered.mp4").as_posix(), sha256(folder / "delivered.mp4")
    frames, height, width = clip.frames.shape[:3]
    return ClipRecord(
        lossless=(place / "clip.mkv").as_posix(),
        preview=(place / "preview.mp4").as_posix(),
        original=(place / produced.original.name).as_posix() if produced.original else None,
        delivered=delivered,
        delivered_digest=delivered_digest,
        digest=clip.digest,
        frames=frames,
        width=width,
        height=height,
        fps=float(clip.fps),
        encoding=produced.encoding,
    )


def _write_trace(produced: Produced, folder: Path, place: PurePosixPath) -> TraceRecord | None:
    """Write the latents, if there are any, and return the trace with the path of their file.

    Args:
        produced: The result of a source.
        folder: The folder to write to.
        place: The final folder of the file, relative to the audit folder.
    """
    if produced.trace is None or not produced.latents:
        return produced.trace
    write_latents(produced.latents, folder / _LATENTS)
    return produced.trace.model_copy(update={"latents": (place / _LATENTS).as_posix()})
