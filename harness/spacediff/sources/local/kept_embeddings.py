"""Text embeddings in a folder, for runs with the same text, also in a process that replaces another."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.sources.local.tensor_files import Keep, Take, keep_newest, read_tensors, write_tensors
from spacediff.sources.local.trees import described, rebuilt

_MOST = 4
_SUFFIX = ".embeddings"


@dataclass(frozen=True)
class Embeddings:
    """The result of a text encoding.

    Attributes:
        value: What `encode_prompt` returned, on the CPU.
        made_by: The run that computed it.
    """

    value: Any
    made_by: str


class KeptEmbeddings:
    """The last embeddings, one file for each.

    Args:
        folder: The folder of the files; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Embeddings | None:
        """Return embeddings; None if there are none, or if their file is damaged."""

        def rebuild(text: dict[str, Any], take: Take) -> Embeddings:
            return Embeddings(rebuilt(text["value"], take), str(text["made_by"]))

        with suppress(OSError, ValueError):
            return read_tensors(self._path(key), rebuild)
        return None

    def put(self, key: str, embeddings: Embeddings) -> None:
        """Keep embeddings.

        Raises:
            OSError: The file cannot be written.
            TypeError: The result cannot be described.
        """

        def describe(keep: Keep) -> dict[str, Any]:
            return {"value": described(embeddings.value, keep), "made_by": embeddings.made_by}

        write_tensors(self._path(key), describe)
        keep_newest(self._all(), _MOST)

    def clear(self) -> None:
        """Remove all."""
        for path in self._all():
            path.unlink(missing_ok=True)

    def _all(self) -> list[Path]:
        return list(self._folder.glob(f"*{_SUFFIX}"))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key[:32]}{_SUFFIX}"
