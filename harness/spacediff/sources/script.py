"""The script source: one call of the user's own script, run unchanged in a process of its own, with settings put in.

The key insight: the script is not described, it is run. So what was in force is read from the process that generated,
and a setting that can be seen there counts as put in only if it is found.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from spacediff.clip import PICTURES_FPS, read_clip
from spacediff.errors import GenerationFailed, UnsupportedSetting
from spacediff.observer.latents_file import LATENTS
from spacediff.progress import Progress
from spacediff.record import TraceRecord
from spacediff.recordings import RecordedCall, Recording
from spacediff.recordings.confidential import privately
from spacediff.run import Run
from spacediff.settings import EXPORT_FPS, Settings
from spacediff.sources import Produced, Stopped
from spacediff.sources.exports import exports
from spacediff.sources.recording import observed_in
from spacediff.sources.script_look import keep_offered, not_put_in
from spacediff.sources.script_process import Asked, Left, ScriptProcess
from spacediff.sources.script_repeats import Repeats
from spacediff.watch.placing import is_on

_MOST_LISTED = 20
"""Calls that are listed for whoever has named one that was not made."""


class Scripts:
    """Runs scripts up to the end of one of their calls. A process is kept for repeats where they are shown equal."""

    def __init__(self) -> None:
        self._repeats = Repeats()

    def close(self) -> None:
        """End the process that was kept."""
        self._repeats.close()

    def run(self, run: Run, folder: Path, progress: Progress) -> Produced:
        """Return what a script's call produces.

        Args:
            run: A run whose source is a script.
            folder: Folder for what the call of a run without settings offers (`spacediff.sources.script_look`), and for
                latents that later runs are compared with.
            progress: Receives the progress.

        Raises:
            UnsupportedSetting: The script has no place for a setting of the run, or a setting was not in force.
            GenerationFailed: The script did not come to the call, or the call failed.
        """
        with self._repeats.made(run, progress) as (process, left):
            return _produced(run, process, left, folder)

    def follow(self, run: Run, folder: Path, progress: Progress, stop: Mapping[str, Any]) -> Produced | Stopped:
        """Return what was seen of a script's call until it was ended, or what it produces; see `run`.

        Args:
            run: A run whose source is a script.
            folder: As for `run`.
            progress: Receives the progress.
            stop: When the call ends early, as `spacediff.watch.early_end` takes it.
        """
        with self._repeats.made(run, progress, stop) as (process, left):
            return _stopped(run, process, left) if left.ended else _produced(run, process, left, folder)


def run_script(run: Run, folder: Path, progress: Progress) -> Produced:
    """Run a script in a process of its own; see `Scripts.run`."""
    scripts = Scripts()
    try:
        return scripts.run(run, folder, progress)
    finally:
        scripts.close()


def _stopped(run: Run, process: ScriptProcess, left: Left) -> Stopped:
    call, recording = _made(run, process, left)
    return Stopped(
        settings=_settings(run, call, Asked.of(run)),
        described=_described(call, Asked.of(run), left),
        seconds=left.seconds,
        trace=call.trace or TraceRecord(),
        ignored=call.ignored,
        warnings=(*recording.notes, *call.warnings, *left.outcome["warnings"], *_written_over(process)),
        first=left.ended["first"],
        distances=tuple(left.ended["distances"]),
        relative=tuple(left.ended["relative"]),
        resolution=left.ended["resolution"],
    )


def _produced(run: Run, process: ScriptProcess, left: Left, folder: Path) -> Produced:
    asked = Asked.of(run)
    call, recording = _made(run, process, left)
    clip = read_clip(left.folder / f"{call.number}.mkv")
    keep_offered(left.folder, folder)
    latents = left.folder / "calls" / str(call.number) / LATENTS
    if latents.is_file():
        shutil.copyfile(latents, folder / LATENTS)
    settings = _settings(run, call, asked)
    fps = PICTURES_FPS if call.medium == "pictures" else Fraction(settings.value("output.fps") or EXPORT_FPS)
    return Produced(
        clip=replace(clip, fps=fps, medium=call.medium),
        settings=settings,
        described=_described(call, asked, left),
        seconds=left.seconds,
        warnings=(
            *recording.notes,
            *call.warnings,
            *left.outcome["warnings"],
            *_written_over(process),
            *_unread_speed(settings, call, asked),
        ),
        trace=call.trace,
        censored=call.censored,
        audio=call.audio,
        ignored=call.ignored,
        latents_file=folder / LATENTS if latents.is_file() else None,
    )


def _made(run: Run, process: ScriptProcess, left: Left) -> tuple[RecordedCall, Recording]:
    """Return the call, and the recording that it is in, without what a private prompt withholds."""
    call, recording = _finished(run, process, left), left.recording
    if run.prompt.private:
        recording = privately(recording, keep_adapters=True)
        call = next(each for each in recording.calls if each.number == call.number)
    return call, recording


def _written_over(process: ScriptProcess) -> Iterable[str]:
    return [f"the script has written over {name}" for name in process.written_over]


def _described(call: RecordedCall, asked: Asked, left: Left) -> str:
    where = f" at {call.where}" if call.where else ""
    return (
        f"script {asked.script.name}, call {call.number}{where}{', repeated in its process' if left.is_repeat else ''}"
    )


def _finished(run: Run, process: ScriptProcess, left: Left) -> RecordedCall:
    """Return the call, if all settings were in force, and it finished with frames or was ended early.

    Raises:
        UnsupportedSetting: A setting was refused, or is not in force.
        GenerationFailed: The script did not come to the call, or the call failed.
    """
    asked, recording, outcome = Asked.of(run), left.recording, left.outcome
    name, printed = asked.script.name, "" if run.prompt.private else process.printed()
    if refused := outcome.get("refused"):
        raise not_put_in(run, refused["path"], refused["reason"], refused["hint"])
    if not recording.calls:
        raise _without_call(asked, left, printed)
    call = recording.calls[-1]
    if not call.finished and not left.ended:
        outcome_of = call.outcome.partition(":")[0] if run.prompt.private else call.outcome
        raise GenerationFailed(f"call {call.number} of {name}: {outcome_of}{printed}")
    for path in _not_in_force(run.settings, call.settings, outcome.get("applied", ())):
        raise UnsupportedSetting(f"{path} was put into {name} and is not in force: it is {call.settings.get(path)!r}")
    for each in call.ignored:
        if each.argument in run.settings:
            raise UnsupportedSetting(f"{each.argument} was put into {name}, and {each.given_to} ignores it")
    if not call.frames and not left.ended:
        raise GenerationFailed(f"call {call.number} of {name} has no frames: {call.without_clip}")
    return call


def _without_call(asked: Asked, left: Left, printed: str) -> GenerationFailed:
    name, count = asked.script.name, len(left.passed)
    wanted = f"call {asked.call}" if asked.call else "a pipeline call with frames"
    ended = f"{name} ended with exit code {left.recording.exit_code} before {wanted}"
    if not count:
        return GenerationFailed(f"{ended}{printed}", hint=f"`spacediff record {name}` lists its calls")
    made = f"it made {count} call{'s' * (count != 1)}"
    hint = f"name one of them with call in [baseline]: {', '.join(left.passed[:_MOST_LISTED])}"
    return GenerationFailed(f"{ended}; {made}{printed}", hint=hint)


def _not_in_force(wanted: Settings, observed: Mapping[str, Any], applied: Iterable[str]) -> Iterable[str]:
    """Yield the settings that were not put in, or that the process shows to be other than what was asked for.

    How a model was loaded, such as `load.…` and `model.revision`, the process itself has compared with what was loaded.
    """
    put_in = set(applied)
    if any(path.startswith("numerics.compile.") for path in wanted) and observed.get("numerics.compile") is not True:
        yield "numerics.compile"
    for path, setting in wanted.items():
        head = ".".join(path.split(".")[: 3 if path.startswith("lora.") else 2])
        asked = str(setting.value).partition(":")[0] if "offload" in str(setting.value) else setting.value
        if head not in put_in or (path in observed and not _is_what_was_asked(path, observed[path], asked)):
            yield path


def _is_what_was_asked(path: str, observed: Any, asked: Any) -> bool:
    if path in {"placement", "rng.device"} and isinstance(observed, str):
        return is_on(observed, str(asked))
    return bool(observed == asked) or (isinstance(observed, list | tuple) and list(observed) == asked)


def _settings(run: Run, call: RecordedCall, asked: Asked) -> Settings:
    """Return what was in force, with the settings that were put in as declared ones."""
    observed = observed_in(call, call.where, run.prompt.text)
    written = exports(asked.script, asked.arguments, call.where) if call.medium == "video" else Settings()
    return observed.changed_by(run.settings).filled_from(written)


def _unread_speed(settings: Settings, call: RecordedCall, asked: Asked) -> tuple[str, ...]:
    """Return a warning where a clip is shown at another frame rate than the script may write."""
    if call.medium != "video" or settings.value("output.fps") is not None:
        return ()
    return (
        f"the frame rate at which {asked.script.name} writes its video is not to be read; taken are {EXPORT_FPS} fps",
    )
