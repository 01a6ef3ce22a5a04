"""`spacediff record`: run a script, keep its recording, and say in a few lines what is in it."""

from __future__ import annotations

from pathlib import Path

from spacediff.api import record_script
from spacediff.cli.console import show_line
from spacediff.cli.options import RecordOptions
from spacediff.privacy.short_lines import one_line
from spacediff.recordings import RecordedCall


def record(options: RecordOptions) -> int:
    """Run the script, and return its exit code. Standard output is the script's alone."""
    file = options.out or Path(f"{options.script.stem}.recording.zip")
    earlier = file.exists()
    found = record_script(
        options.script,
        options.arguments,
        out=file,
        python=options.python,
        call=options.call,
        private=options.private,
        tensors=options.tensors,
        tensors_steps=options.tensors_steps,
    )
    for call in found.calls:
        show_line(one_line(_described(call)), error=True)
    for note in found.notes:
        show_line(one_line(f"not recorded: {note}"), error=True)
    if not found.calls and found.python:
        wanted = f"no pipeline call {options.call}" if options.call else "no pipeline call"
        ended = f"it ended with exit code {found.exit_code}" if found.exit_code else ""
        why = ended or "only pipelines of diffusers are recorded"
        show_line(f"{wanted} was seen in {options.script.name}: {why}", error=True)
    empty = "the earlier one is kept: " if earlier else "without a call: "
    show_line(f"recording: {'' if found.calls else empty}{file}", error=True)
    return found.exit_code


def _described(call: RecordedCall) -> str:
    """Describe a call in one line."""
    steps = len(call.trace.steps) if call.trace else 0
    noun = "frame" if call.medium == "video" else "picture"
    clip = f"{call.frames} {noun}{'s' * (call.frames != 1)}" if call.frames else call.without_clip
    kept = f", {len(call.tensors)} tensors" if call.tensors else ""
    pipeline = call.settings.get("model.pipeline", "a pipeline")
    ended = "" if call.finished else f"; {call.outcome}"
    return f"call {call.number}, {call.where}: {pipeline}, {steps} steps, {clip}{kept}, {call.seconds:.1f} s{ended}"
