"""Code of the user that is recorded: a script, which is run, and the app of a Space."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api.extra_run import ensure_run
from spacediff.api.given import StrPath

if TYPE_CHECKING:
    from spacediff.recordings import Recording


def record_script(
    script: StrPath,
    arguments: Iterable[str] = (),
    *,
    out: StrPath,
    python: StrPath | None = None,
    call: int | None = None,
    private: bool = False,
    tensors: bool = False,
    tensors_steps: Iterable[int] = (),
) -> Recording:
    """Run a script unchanged in a process of its own, and write a recording of its pipeline calls.

    The process has the standard streams of this one. What the script records before it fails is kept; where no call was
    seen, an earlier recording stays.

    Args:
        script: The script, or a notebook, whose code cells are run in its folder, one after another.
        arguments: Its arguments.
        out: The recording that is written, a ZIP.
        python: The interpreter, in whose environment spacediff need not be installed; by default this one.
        call: The number of the only call to record; by default all are.
        private: Whether to leave out prompts, pictures, arguments and file names.
        tensors: Whether to keep embeddings, the initial noise, and latents of the first step, the last, and a few
            between.
        tensors_steps: Numbers of the steps, from 1, whose latents are kept in place of those; it implies `tensors`. The
            last step is always kept.

    Raises:
        FileExists: There is a file that is no recording.
        FileNotAccessible: There is no such script, or the recording cannot be written.
        InvalidArgument: The interpreter does not start, or is older than Python 3.10; tensors are to be kept of a
            private recording, or of a step before the first; the notebook has magics that are not run.
        MissingPackage: The script is to run with this interpreter, which has no packages to generate with.
    """
    from spacediff.recordings.script import record_script as record

    if python is None:
        ensure_run("recording with this interpreter")
    interpreter = None if python is None else Path(python)
    steps = tuple(tensors_steps)
    return record(
        Path(script),
        tuple(arguments),
        Path(out),
        python=interpreter,
        call=call,
        private=private,
        tensors=steps if steps or tensors else None,
    )


def write_probe(file: StrPath) -> None:
    """Write the one file that records the pipeline calls of a Space from inside; an older one is replaced.

    Args:
        file: The file, `spacediff_probe.py`.

    Raises:
        FileExists: There is a file that is no probe.
        FileNotAccessible: It cannot be written.
    """
    from spacediff.recordings.probe_file import write_probe as write

    write(Path(file))
