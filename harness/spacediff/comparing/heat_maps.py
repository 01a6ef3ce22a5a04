"""Heat maps: where in the pictures the clips of a pair differ, on the frames that are compared."""

from __future__ import annotations

from pathlib import Path

from spacediff.comparing.comparison import Scored
from spacediff.metrics.ssim_map import write_tiles
from spacediff.record import MapRecord


class Maps:
    """Writes the maps of pairs into an audit folder; a file of which all frames are compared is mapped once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: dict[Path, MapRecord | None] = {}

    def of(self, scored: Scored) -> MapRecord | None:
        """Return the map of a pair; None where the frames are too small for the metric that it is a map of."""
        pair = scored.pair
        if not pair.alike:
            return self._written(scored)
        file = pair.candidate.file
        if file not in self._done:
            self._done[file] = self._written(scored)
        return self._done[file]

    def _written(self, scored: Scored) -> MapRecord | None:
        if not scored.map_tiles:
            return None
        run = scored.pair.candidate.run
        file = Path("comparisons") / run.prompt / run.name / "ssim.png"
        rows, columns, across = write_tiles(scored.map_tiles, self._folder / file)
        return MapRecord(file=file.as_posix(), columns=columns, rows=rows, across=across)
