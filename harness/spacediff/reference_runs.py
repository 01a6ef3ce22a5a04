"""The runs of a reference that no local run is: a Space, an API, a program, files, recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from spacediff.errors import SpacediffError
from spacediff.pictures.sets import is_set
from spacediff.record import Role
from spacediff.recordings.archive import is_recording, read_recording
from spacediff.recordings.calls import chosen
from spacediff.run import Prompt, Run, SourceName
from spacediff.sampling import sample_of
from spacediff.scenario.paths import without_call
from spacediff.scenario.scenario import Scenario


def runs_of_reference(scenario: Scenario, prompt: Prompt, program: Mapping[str, Any]) -> list[Run]:
    """Return the runs of the reference, the first one first; none where a local run is the reference.

    Args:
        scenario: The scenario.
        prompt: Its prompt.
        program: The request to the program that is the reference; empty for none.
    """
    reference = scenario.reference
    if asked := reference.space or reference.inference:
        request = asked.model_dump(mode="json", exclude={"repeats"}, exclude_none=True)
        return _repeated(_reference(prompt, "space" if reference.space else "inference", request), asked.repeats)
    if reference.command is not None:
        return _repeated(_reference(prompt, "command", program), reference.command.repeats)
    if given := reference.video or reference.pictures:
        files = given.files.get(prompt.name) or given.file or Path()
        return _file_runs(prompt, files, group=scenario.samples is not None)
    if recorded := reference.recording:
        file = recorded.files.get(prompt.name) or recorded.file or Path()
        if isinstance(file, tuple):
            return _file_runs(prompt, file, group=True)
        call = {} if recorded.call is None else {"call": recorded.call}
        return [_reference(prompt, "recording", {"file": file.as_posix(), **call, **_stamp(file)})]
    return []


def recorded_seeds(hosted: Iterable[Run]) -> Iterator[int]:
    """Yield the seeds of the recordings among the runs of a reference: none of them is another seed."""
    for run in hosted:
        request = run.request
        if run.source == "recording":
            stamp = request.get("size"), request.get("mtime_ns")
            with suppress(SpacediffError):  # the run of the reference says what is wrong with it
                if (seed := _recorded_seed(Path(request["file"]), request.get("call"), stamp)) is not None:
                    yield seed


@lru_cache(maxsize=64)
def _recorded_seed(file: Path, call: int | None, _stamp: tuple[int | None, ...]) -> int | None:
    """Return the seed of a recorded call; read once for all prompts, and again when the file has changed."""
    seed = chosen(read_recording(file), call, file.name).settings.get("rng.seed")
    return seed if type(seed) is int else None


def _reference(prompt: Prompt, source: SourceName, request: Mapping[str, Any]) -> Run:
    return Run("reference", Role.REFERENCE, prompt, source, request=request)


def _repeated(first: Run, repeats: int) -> list[Run]:
    """Return a run of the reference, and those that repeat it."""
    again = range(2, repeats + 1)
    return [first, *(replace(first, name=f"reference-{n}", role=Role.REPEAT, repeat=n) for n in again)]


def _file_runs(prompt: Prompt, files: Path | tuple[Path, ...], *, group: bool) -> list[Run]:
    """Return the run of the reference; of a group, each of its files is a run."""
    if not (group and isinstance(files, tuple)):
        return [file_run("reference", Role.REFERENCE, prompt, files)]
    first, *further = (file_run("reference", Role.REFERENCE, prompt, file) for file in files)
    return [first, *(sample_of(run, number) for number, run in enumerate(further, 2))]


def file_run(name: str, role: Role, prompt: Prompt, files: Path | tuple[Path, ...]) -> Run:
    """Return the run that takes its clip from a file: a video, a recording, or the pictures that are one clip."""
    if isinstance(files, Path) and (recorded := _recorded(files)):
        return Run(name, role, prompt, "recording", request=recorded)
    if isinstance(files, Path):
        request = {"file": files.as_posix(), **_stamp(files)}
    else:
        request = {"files": [file.as_posix() for file in files], "stamps": [_stamp(file) for file in files]}
    return Run(name, role, prompt, "video", request=request)


def _recorded(file: Path) -> dict[str, Any] | None:
    """Return the request for a call of a recording, `FILE.zip` or `FILE.zip#N`; None for any other file."""
    whole, number = without_call(file)
    if not is_recording(whole) or is_set(whole):
        return None
    call = {"call": number} if number is not None else {}
    return {"file": whole.as_posix(), **call, **_stamp(whole)}


def _stamp(file: Path) -> dict[str, int]:
    """Return the size and the modification time of a file, by which a changed file is noticed."""
    try:
        status = file.stat()
    except OSError:
        return {}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
