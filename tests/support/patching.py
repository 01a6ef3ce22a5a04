"""Patches applied to copies of scripts, and what the patched scripts set."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from spacediff.reading import Reading, read_changed, read_source
from spacediff.reading.machines import Machine
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources
from spacediff.why.patch import Advice, advise

CUDA = Machine("cuda", "a machine with CUDA")


@dataclass(frozen=True)
class Pair:
    """A script and a Space, compared on a machine with CUDA, with the advice for the script."""

    file: Path
    script: Reading
    space: Reading
    found: ComparedSettings
    advice: Advice

    def patched(self, folder: Path) -> bytes:
        """Return the script after its patch, which `patch` applies to a copy."""
        copy = folder / self.file.name
        copy.write_bytes(self.file.read_bytes())
        if self.advice.patch:
            command = ["patch", "-p0", "--binary", "--silent"]
            subprocess.run(command, cwd=folder, input=self.advice.patch.encode(), check=True)
        return copy.read_bytes()

    def left_in(self, content: bytes) -> set[str]:
        """Return what still differs if the script has another content."""
        reading = read_changed(self.file, content, look_up=lambda _: CUDA)
        return {row.path for row in compare_sources(reading, self.space).differences}


def compared(script: Path, space: Path) -> Pair:
    """Read and compare two sources."""
    ours = read_source(script, look_up=lambda _: CUDA)
    theirs = read_source(space, like=str(ours.settings.value("model.pipeline")), look_up=lambda _: CUDA)
    found = compare_sources(ours, theirs)
    return Pair(
        script,
        ours,
        theirs,
        found,
        advise(str(script), ours, theirs, found, only=[row.path for row in found.differences]),
    )
