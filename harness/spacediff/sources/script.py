"""The script source: one call of the user's own script, run unchanged in a process of its own, with settings put in.

The key insight: the script is not described, it is run. So what was in force is read from the process that generated,
and a setting that can be seen there counts as put in only if it is found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from spacediff.clip import PICTURES_FPS, read_clip
from spacediff.errors import GenerationFailed, UnsupportedSetting
from spacediff.interrupts import raise_if_interrupted
from spacediff.privacy.redaction import redact_text
from spacediff.processes import APART, last_lines, stop
from spacediff.progress import Progress
from spacediff.recordings import RecordedCall, Recording
from spacediff.recordings.assembling import assembled
from spacediff.recordings.confidential import privately
from spacediff.recordings.scratch import fill_scratch
from spacediff.recordings.script import check_interpreter, inject, program_of, watched_environment
from spacediff.run import Run
from spacediff.settings import EXPORT_FPS, Settings
from spacediff.sources import Produced
from spacediff.sources.exports import exports
from spacediff.sources.local.numerics.switches import environment_for
from spacediff.sources.recording import observed_in
from spacediff.sources.script_look import keep_offered, not_put_in, tables_of
from spacediff.watch.overriding import FILE, OUTCOME
from spacediff.watch.placing import is_on

_WATCHED_EVERY = 0.25
"""Seconds between two looks at an interruption and at the call."""
_PATIENCE = 2.0
_LOG_LINES = 3


def run_script(run: Run, folder: Path, progress: Progress) -> Produced:
    """Run a script up to the end of one of its calls, and return what the call produced.

    Args:
        run: A run whose source is a script.
        folder: Folder for what the call of a run without settings offers; see `spacediff.sources.script_look`.
        progress: Receives the progress.

    Raises:
        UnsupportedSetting: The script has no place for a setting of the run, or a setting was not in force.
        GenerationFailed: The script did not come to the call, or the call failed.
    """
    began = time.monotonic()
    asked = _Asked.of(run)
    check_interpreter(asked.interpreter)
    with tempfile.TemporaryDirectory(prefix="spacediff-script-", ignore_cleanup_errors=True) as temporary:
        places = _Places(Path(temporary))
        progress.on_status(f"copying what {asked.script.name} may read")
        links = fill_scratch(asked.folder, places.scratch)
        inject(places.injected)
        (places.left / f"{FILE}.json").write_text(json.dumps(_overrides(run, asked)), encoding="utf-8")
        environment = watched_environment(places.injected, places.left, {}) | environment_for(run.settings)
        code = _executed(asked, places, environment, progress)
        recording = assembled(places.left, asked.script, exit_code=code, private=False)
        call = _finished(recording, places, asked, run)
        clip = read_clip(places.left / f"{call.number}.mkv")
        keep_offered(places.left, folder)
    written_over = [f"the script has written over {each.path.name}" for each in links if not each.is_as_before]
    if run.prompt.private:
        recording = privately(recording, keep_adapters=True)
        call = next(each for each in recording.calls if each.number == call.number)
    settings = _settings(run, call, asked)
    fps = PICTURES_FPS if call.medium == "pictures" else Fraction(settings.value("output.fps") or EXPORT_FPS)
    return Produced(
        clip=replace(clip, fps=fps, medium=call.medium),
        settings=settings,
        described=f"script {asked.script.name}, call {call.number}" + (f" at {call.where}" if call.where else ""),
        seconds=time.monotonic() - began,
        warnings=(*recording.notes, *call.warnings, *written_over, *_unread_speed(settings, call, asked)),
        trace=call.trace,
        censored=call.censored,
        audio=call.audio,
        ignored=call.ignored,
    )


class _Places:
    """Where a script runs, and what is written next to it.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.scratch = folder / "scratch"
        self.left = folder / "left"
        self.injected = folder / "injected"
        self.log = folder / "log"
        self.scratch.mkdir()
        self.left.mkdir()

    @property
    def outcome(self) -> Mapping[str, Any]:
        """What was put in or refused; empty where the script did not come to the call."""
        try:
            found: dict[str, Any] = json.loads((self.left / f"{OUTCOME}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found


@dataclass(frozen=True)
class _Asked:
    """What a run asks for.

    Attributes:
        script: The script.
        arguments: Its arguments.
        folder: The folder that it is run in.
        interpreter: The interpreter.
        call: The number of the call; None for the first one that is to return frames.
    """

    script: Path
    arguments: tuple[str, ...]
    folder: Path
    interpreter: str
    call: int | None

    @classmethod
    def of(cls, run: Run) -> _Asked:
        request = run.request
        return cls(
            Path(request["script"]),
            tuple(request["arguments"]),
            Path(request["folder"]),
            request.get("python", sys.executable),
            request.get("call"),
        )


def _overrides(run: Run, asked: _Asked) -> dict[str, Any]:
    """Return what is put in, as `spacediff.watch.overriding` takes it."""
    settings, prompt = tables_of(run.settings), run.prompt.text or None
    look = not run.settings
    return {"call": asked.call, "settings": settings, "prompt": prompt, "seed": run.prompt.seed, "look": look}


def _executed(asked: _Asked, places: _Places, environment: dict[str, str], progress: Progress) -> int:
    """Run the script in the scratch folder, and return its exit code.

    Raises:
        GenerationFailed: The interpreter does not start.
    """
    progress.on_status(f"running {asked.script.name}")
    program, _ = program_of(asked.script, places.injected)
    with places.log.open("wb") as printed:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own script, which the scenario names
                [asked.interpreter, *program, *asked.arguments],
                cwd=places.scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                **APART,
            )
        except OSError as error:
            raise GenerationFailed(f"{asked.interpreter} does not start: {error.strerror}") from error
        try:
            return _waited(process, places, asked, progress)
        finally:
            stop(process, _PATIENCE)


def _waited(process: subprocess.Popen[bytes], places: _Places, asked: _Asked, progress: Progress) -> int:
    called = False
    while True:
        raise_if_interrupted()
        if not called and any(places.left.glob("calls/*/call.json")):
            called = True
            progress.on_status(f"generating in {asked.script.name}")
        try:
            return process.wait(_WATCHED_EVERY)
        except subprocess.TimeoutExpired:
            continue


def _finished(recording: Recording, places: _Places, asked: _Asked, run: Run) -> RecordedCall:
    """Return the call, if it finished with frames and all settings were in force.

    Raises:
        UnsupportedSetting: A setting was refused, or is not in force.
        GenerationFailed: The script did not come to the call, or the call failed.
    """
    name, outcome = asked.script.name, places.outcome
    if refused := outcome.get("refused"):
        raise not_put_in(run, refused["path"], refused["reason"])
    if not recording.calls:
        wanted = f"call {asked.call}" if asked.call else "a pipeline call with frames"
        raise GenerationFailed(
            f"{name} ended with exit code {recording.exit_code} before {wanted}{_printed(places, run)}",
            hint=f"`spacediff record {name}` lists its calls",
        )
    call = recording.calls[-1]
    if not call.finished:
        outcome_of = call.outcome.partition(":")[0] if run.prompt.private else call.outcome
        raise GenerationFailed(f"call {call.number} of {name}: {outcome_of}{_printed(places, run)}")
    for path in _not_in_force(run.settings, call.settings, outcome.get("applied", ())):
        raise UnsupportedSetting(f"{path} was put into {name} and is not in force: it is {call.settings.get(path)!r}")
    for each in call.ignored:
        if each.argument in run.settings:
            raise UnsupportedSetting(f"{each.argument} was put into {name}, and {each.given_to} ignores it")
    if not call.frames:
        raise GenerationFailed(f"call {call.number} of {name} has no frames: {call.without_clip}")
    return call


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


def _printed(places: _Places, run: Run) -> str:
    """Return the last lines that the script has printed; nothing where they may quote a private prompt."""
    if run.prompt.private:
        return ""
    lines = last_lines(redact_text(places.log.read_text("utf-8", "replace")), _LOG_LINES)
    return f"; it printed: {' | '.join(lines)}" if lines else ""


def _settings(run: Run, call: RecordedCall, asked: _Asked) -> Settings:
    """Return what was in force, with the settings that were put in as declared ones."""
    observed = observed_in(call, call.where, run.prompt.text)
    written = exports(asked.script, asked.arguments, call.where) if call.medium == "video" else Settings()
    return observed.changed_by(run.settings).filled_from(written)


def _unread_speed(settings: Settings, call: RecordedCall, asked: _Asked) -> tuple[str, ...]:
    """Return a warning where a clip is shown at another frame rate than the script may write."""
    if call.medium != "video" or settings.value("output.fps") is not None:
        return ()
    return (
        f"the frame rate at which {asked.script.name} writes its video is not to be read; taken are {EXPORT_FPS} fps",
    )
