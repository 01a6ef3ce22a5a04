"""Heat maps: where in the pictures the clips of a pair differ, on the frames that are compared."""

from __future__ import annotations

from pathlib import Path

from spacediff.comparing.pairing import Pair
from spacediff.metrics.pixel import SSIM
from spacediff.metrics.ssim_map import write_map
from spacediff.record import MapRecord


class Maps:
    """Writes the maps of pairs into an audit folder; a file of which all frames are compared is mapped once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: dict[Path, MapRecord | None] = {}

    def of(self, pair: Pair) -> MapRecord | None:
        """Return the map of a pair; None where the frames are too small for the metric that it is a map of."""
        if not pair.alike:
            return self._written(pair)
        file = pair.candidate.file
        if file not in self._done:
            self._done[file] = self._written(pair)
        return self._done[file]

    def _written(self, pair: Pair) -> MapRecord | None:
        if not SSIM.defined_for(next(pair.reference_frames())):
            return None
        run = pair.candidate.run
        file = Path("comparisons") / run.prompt / run.name / "ssim.png"
        frames = zip(pair.reference_frames(), pair.candidate_frames(), strict=True)
        rows, columns, across = write_map(frames, self._folder / file)
        return MapRecord(file=file.as_posix(), columns=columns, rows=rows, across=across)
