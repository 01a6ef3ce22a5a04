"""The table of docs/faults.md, made of what comes of each fault.

`python -m support.faults_table`, run in tests/, makes every fault happen and writes the page's table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, write_preview
from spacediff.sources.space import asking
from support.faults import FAULTS, Fault, outcome_of
from support.faulty_space import FaultySpace, faulty_space
from support.paths import ROOT

PAGE = ROOT / "docs" / "faults.md"
_HEAD = "| fault | error | seconds | asked again |\n|---|---|---|---|\n"
LARGEST = 2**20
"""Bytes that a clip may have in place of the usual limit, so that one without an end is refused soon."""


@contextmanager
def space_that_fails(folder: Path) -> Iterator[FaultySpace]:
    """Serve a Space, and a Hub that names it, whose faults are chosen.

    Args:
        folder: For its clip and the Hub's cache.
    """
    file = folder / "clip.mp4"
    write_preview(Clip(np.random.default_rng(0).integers(0, 255, (3, 32, 48, 3), np.uint8), Fraction(8)), file)
    with faulty_space(file.read_bytes()) as space, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", space.url.replace("127.0.0.1", "localhost"))  # another server than the Space
        patch.setenv("HF_HOME", str(folder / "home"))
        patch.setattr(asking, "MAX_BYTES", LARGEST)
        yield space


def row(fault: Fault, seconds: str) -> str:
    """Return the row of a fault."""
    code = f"`{fault.code}`" if fault.code else "none: the clip is fetched"
    return f"| {fault.name} | {code} | {seconds} | {'yes' if fault.retried else 'no'} |\n"


def without_seconds(table: str) -> list[list[str]]:
    """Return the cells of a table but those that are measured."""
    rows = [line.strip().strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]
    return [[fault.strip(), error.strip(), again.strip()] for fault, error, _, again in rows]


def _rows(faults: Iterable[Fault]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as kept, space_that_fails(Path(kept)) as space:
        for fault in faults:
            with tempfile.TemporaryDirectory() as folder:
                found = outcome_of(fault, space, Path(folder))
            if found.code != fault.code or found.again != fault.retried:
                raise SystemExit(f"{fault.name}: {found}")
            yield row(fault, f"{found.seconds:.1f}")


def main() -> None:
    """Write the table."""
    text = PAGE.read_text()
    before, _, _ = text.partition(_HEAD)
    PAGE.write_text(before + _HEAD + "".join(_rows(FAULTS)))


if __name__ == "__main__":
    main()
