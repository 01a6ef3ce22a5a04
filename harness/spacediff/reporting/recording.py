"""A recording as a page or as Markdown: what each call was, so that it can be looked at before it is compared.

A recording may come from a stranger. So texts are spelt out and escaped as those of a record are, the page's own policy
allows no script at all, and a clip that cannot be decoded is a sentence instead of pictures.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup

from spacediff.clip import read_frames
from spacediff.errors import RecordingNotReadable, VideoNotReadable
from spacediff.recordings import RecordedCall, Recording, WrittenFile, read_recording, unpack_clip
from spacediff.reporting.inert import cell, prose
from spacediff.reporting.page import STYLES, digest_for_policy, page_templates, shipped_text
from spacediff.reporting.presentable import visible
from spacediff.wording.numbers import counted, duration, plain, value

_FRAMES = 6
"""Frames of a call that are shown, the first and the last among them."""
_WIDTH = 320
"""Pixels across of a shown frame, at most."""
_CALLS = 40
"""Calls whose frames are shown: a page has 10 MB."""
_LIMIT = 60_000
"""Characters of the Markdown; GitHub takes 65,536."""
_FILES = 40
"""Written files that the Markdown names."""
_QUIET = ("components", "machine", "packages")
"""Groups of settings that stand last."""


@dataclass(frozen=True)
class CallView:
    """A call as it is shown.

    Attributes:
        call: The call.
        title: Its pipeline.
        facts: Short facts in one line.
        prompt: Its prompt as text; empty without one.
        groups: The settings by the first word of their paths: the path and the value as text.
        frames: Some of its frames, base64 of a JPEG.
        absent: Why there are no frames; empty if there are.
        remarks: Ignored arguments, warnings of libraries and what is not in the recording.
    """

    call: RecordedCall
    title: str
    facts: list[str]
    prompt: str
    groups: Mapping[str, list[tuple[str, str]]]
    frames: list[str]
    absent: str
    remarks: list[str]


def render_recording(file: Path, name: str) -> str:
    """Return a recording in one format: `html`, `md` or `json`.

    Raises:
        RecordingNotReadable: It is no recording, or is damaged.
    """
    recording = Recording.model_validate(visible(read_recording(file).model_dump()))
    if name == "json":
        return recording.model_dump_json(indent=1) + "\n"
    return _page(recording, file) if name == "html" else _markdown(recording)


def _page(recording: Recording, file: Path) -> str:
    style = "\n".join(shipped_text(name) for name in (*STYLES, "recording.css"))
    policy = f"default-src 'none'; style-src '{digest_for_policy(style)}'; img-src data:; base-uri 'none'"
    with TemporaryDirectory(prefix="spacediff-report-") as temporary:
        views = [
            _view(call, *_film(file, call, Path(temporary), shown=number < _CALLS))
            for number, call in enumerate(recording.calls)
        ]
    return (
        page_templates()
        .get_template("recording.html.j2")
        .render(
            recording=recording,
            file=file.name,
            about=_about(recording),
            views=views,
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own files
        )
    )


def _markdown(recording: Recording) -> str:
    """Return the Markdown, with the settings of as many calls as an issue takes."""
    head = [
        f"### Recording of {prose(recording.script or 'a script')}",
        "",
        prose(" · ".join(_about(recording)), 2000),
        "",
    ]
    head += [*(f"- {prose(note)}" for note in recording.notes), ""] if recording.notes else []
    head += _written(recording.written)
    text = "\n".join(head) + "\n"
    for number, call in enumerate(recording.calls):
        view = _view(call, [], "")
        lines = [f"#### Call {call.number}: {prose(view.title)}", "", prose(" · ".join(view.facts), 2000), ""]
        lines += [f"> {prose(view.prompt)}", ""] if view.prompt else []
        lines += [f"- {prose(remark)}" for remark in view.remarks]
        lines += ["", "| setting | value |", "|---|---|"]
        lines += [f"| {cell(path)} | {cell(shown, 160)} |" for rows in view.groups.values() for path, shown in rows]
        part = "\n".join(lines) + "\n\n"
        if len(text) + len(part) > _LIMIT:
            return text + f"{counted(len(recording.calls) - number, 'more call')}: see the page.\n"
        text += part
    return text


def _written(files: Sequence[WrittenFile]) -> list[str]:
    """Return the lines of the files that the script wrote, before the calls, which may fill an issue."""
    if not files:
        return []
    rows = [
        f"| {cell(each.name, 160)} | {each.call} | {cell(each.by)} | {cell(each.sha256)} |" for each in files[:_FILES]
    ]
    more = [f"{counted(len(files) - _FILES, 'more file')}: see the page.", ""] if len(files) > _FILES else []
    return ["| file that the script wrote | after call | by | SHA-256 |", "|---|---|---|---|", *rows, "", *more]


def _about(recording: Recording) -> list[str]:
    """Return short facts of the whole recording."""
    facts = [
        f"recorded by spacediff {recording.spacediff}",
        counted(len(recording.calls), "call"),
        f"exit code {recording.exit_code}",
    ]
    if recording.python:
        facts.append(f"Python {recording.python.split(' ')[0]}")
    if recording.arguments:
        facts.append("arguments " + " ".join(recording.arguments))
    if recording.private:
        facts.append("private: without prompts, pictures and arguments")
    return facts


def _view(call: RecordedCall, frames: list[str], absent: str) -> CallView:
    rows = {**call.settings, **{f"machine.{name}": text for name, text in call.machine.items()}}
    paths = sorted(rows, key=lambda path: (_group(path) in _QUIET, path))
    return CallView(
        call=call,
        title=str(call.settings.get("model.pipeline", "a pipeline")),
        facts=list(_facts(call)),
        prompt=call.prompt if isinstance(call.prompt, str) else "" if call.prompt is None else value(call.prompt),
        groups={name: [(path, value(rows[path])) for path in found] for name, found in groupby(paths, _group)},
        frames=frames,
        absent=absent or call.without_clip,
        remarks=[
            *(f"{each.given_to} ignored the argument {each.argument} = {value(each.value)}" for each in call.ignored),
            *call.warnings,
            *dict.fromkeys(call.messages),
        ],
    )


def _group(path: str) -> str:
    return path.partition(".")[0]


def _facts(call: RecordedCall) -> Iterator[str]:
    if call.where:
        yield f"at {call.where}"
    yield call.outcome
    if call.seconds:
        yield f"{duration(call.seconds)}, and {call.own_seconds:.2f} s for recording"
    if call.trace:
        yield counted(len(call.trace.steps), "step")
    if call.frames:
        yield counted(call.frames, "frame" if call.medium == "video" else "picture")
    if call.fps:
        yield f"written at {plain(call.fps)} frames per second"
    if (seed := call.settings.get("rng.seed")) is not None:
        yield f"seed {seed}, generator on {call.settings.get('rng.device', 'an unknown device')}"
    if call.audio:
        yield "with sound, which is not recorded"


def _film(file: Path, call: RecordedCall, folder: Path, *, shown: bool) -> tuple[list[str], str]:
    """Return some frames of a call, and why there are none, as where they are not to be shown."""
    if call.without_clip or not shown:
        return [], call.without_clip or f"frames are shown of the first {_CALLS} calls"
    target = folder / "call.mkv"
    last = call.frames - 1
    wanted = {round(last * number / (_FRAMES - 1)) for number in range(_FRAMES)}
    try:
        unpack_clip(file, call, target)
        return [_picture(frame) for number, frame in enumerate(read_frames(target)) if number in wanted], ""
    except (RecordingNotReadable, VideoNotReadable):
        return [], "its clip is damaged"
    finally:
        target.unlink(missing_ok=True)


def _picture(frame: Any) -> str:
    from PIL import Image

    picture = Image.fromarray(frame)
    picture.thumbnail((_WIDTH, _WIDTH * 4))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88)
    return base64.b64encode(content.getvalue()).decode()
