"""The file source: a video or picture file of the user."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from spacediff.clip import FileInfo, open_clip, probe, read_frames
from spacediff.embedded import Declared, declared_in, declared_in_all, without_texts
from spacediff.errors import VideoNotReadable
from spacediff.pictures import read_picture, write_set
from spacediff.progress import Progress, report_frames
from spacediff.run import Prompt
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced

_PROMPT = "call.prompt"


def take(
    file: Path, folder: Path, prompt: Prompt, progress: Progress | None = None, *, most_frames: int | None = None
) -> Produced:
    """Copy a file into a run's folder, unmodified, and decode it.

    Args:
        file: The video or picture.
        folder: The folder of the copy.
        prompt: The prompt of which it is a clip; without a text where files alone are compared.
        progress: Receives the number of decoded frames.
        most_frames: How many frames are taken at most. Of a longer file only the frames are kept, not the file, since
            its other frames are not part of the clip.

    Raises:
        NotMeasuredError: The file is missing, or cannot be decoded.
    """
    began = time.monotonic()
    hear = partial(report_frames, progress) if progress else None
    if progress:
        progress.on_status(f"decoding {file.name}")
    info = ensure_readable(file)
    clip = open_clip(file, hear, most_frames=most_frames) if hear else open_clip(file, most_frames=most_frames)
    cut = most_frames is not None and _has_more(file, info, most_frames)
    copied = None if cut else Path(shutil.copyfile(file, folder / f"original{file.suffix.lower()}"))
    declared = declared_in(file, (info.width, info.height))
    return Produced(
        clip=clip,
        settings=with_declared(file_settings(info, file.name), declared, prompt),
        described=f"file {file.name}",
        seconds=time.monotonic() - began,
        original=copied,
        encoding=describe(info),
        audio=info.audio,
        warnings=(*info.notes, *warnings_of(declared, prompt), *_left_out(file, len(clip.frames), cut=cut)),
    )


def ensure_readable(file: Path) -> FileInfo:
    """Return what a file says about itself, without decoding it.

    Raises:
        VideoNotReadable: The file is missing, or is neither a video nor a picture.
    """
    if not file.is_file():
        raise _absent(file)
    return probe(file)


def ensure_regular(file: Path) -> None:
    """Refuse a folder, and a device or a pipe, which may never end. What does not exist is no matter here.

    Raises:
        VideoNotReadable: It is one, or its name is no text, so that no record can hold it.
    """
    if file.exists() and not file.is_file():
        raise _absent(file)
    try:
        str(file).encode()
    except UnicodeEncodeError as error:
        raise VideoNotReadable(f"the name of {str(file)!a} is not UTF-8", hint="copy it to another name") from error


def _has_more(file: Path, info: FileInfo, most: int) -> bool:
    """Whether a file has more than so many frames; where its header does not say, they are counted that far."""
    if info.frames:
        return info.frames > most
    return next(islice(read_frames(file), most, None), None) is not None


def _left_out(file: Path, taken: int, *, cut: bool) -> tuple[str, ...]:
    return (f"only the first {taken:,} frames of {file.name} are compared, as was asked",) if cut else ()


def _absent(file: Path) -> VideoNotReadable:
    if not file.exists():
        return VideoNotReadable(f"there is no file {file}")
    if file.is_dir():
        return VideoNotReadable(
            f"{file} is a folder", hint="give one file; reference.pictures in a scenario takes several pictures"
        )
    return VideoNotReadable(f"{file} is not a regular file")


def take_several(files: Sequence[Path], folder: Path, prompt: Prompt) -> Produced:
    """Copy pictures into a run's folder, unmodified, as one set, and decode them.

    Args:
        files: The pictures.
        folder: The folder of the set.
        prompt: The prompt of which they are.

    Raises:
        NotMeasuredError: One is missing or no still picture, or they differ in size.
    """
    began = time.monotonic()
    for file in files:
        read_picture(file)  # says which one is unusable
    kept = folder / "original.zip"
    write_set((file.read_bytes() for file in files), kept)
    info, clip = probe(kept), open_clip(kept)
    names = ", ".join(file.name for file in files)
    declared = declared_in_all(files, (info.width, info.height))
    return Produced(
        clip=clip,
        settings=with_declared(file_settings(info, names), declared, prompt),
        described=f"files {names}",
        seconds=time.monotonic() - began,
        original=kept,
        encoding=describe(info),
        warnings=(*info.notes, *warnings_of(declared, prompt)),
    )


def file_settings(info: FileInfo, where: str) -> Settings:
    """Return the Settings that a file's metadata contain; pictures have no frame rate."""
    output: dict[str, Any] = {"codec": info.codec, "pixel_format": info.pixel_format}
    if info.medium == "video":
        output["fps"] = float(info.fps)
    size = {"width": info.width, "height": info.height}
    return Settings.of({"output": output, "call": size}, Origin.READ, where)


def with_declared(settings: Settings, declared: Declared, prompt: Prompt) -> Settings:
    """Return settings with those that a program wrote into the file, where they have none.

    Its prompt is left out where the scenario has one. Of a private prompt only numbers are taken.
    """
    taken = without_texts(declared) if prompt.private else declared
    hidden = {_PROMPT} if prompt.text else set()
    return settings.filled_from(Settings({path: each for path, each in taken.settings.items() if path not in hidden}))


def warnings_of(declared: Declared, prompt: Prompt) -> tuple[str, ...]:
    """Warn of settings that could not be read, and of a file made with another prompt than the scenario's."""
    if declared.problem:
        return (declared.problem,)
    text = declared.settings.value(_PROMPT)
    is_other = bool(prompt.text) and isinstance(text, str) and text.strip() != prompt.text.strip()
    return (f"the file says that {declared.program} made it with another prompt",) if is_other else ()


def describe(info: FileInfo) -> str:
    """Describe the encoding of a file in one line."""
    said = [f"{info.codec} {info.pixel_format} {info.width}x{info.height}"]
    if info.medium == "video":
        said.append(f"{float(info.fps):g} fps")
    if info.color_range:
        said.append(f"{info.color_range} range, {info.color_space} matrix")
    return ", ".join([*said, f"{info.size_bytes / 1000:,.0f} kB"])
