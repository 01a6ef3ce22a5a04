"""What a script writes of its clips: videos by `export_to_video`, pictures by `save` of Pillow."""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from .writing import Writer

_EXPORTS = ("export_to_video", "export_to_gif")
_MOST = 500
"""Files that are noted; a script may write thousands."""


class Written:
    """Notes the files of a script in the order in which they are written.

    Args:
        writer: Writes the recording.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._count = 0

    def watch_exports(self, module: ModuleType) -> None:
        """Note what the export functions of diffusers write."""
        for name in _EXPORTS:
            export: Any = getattr(module, name, None)
            if export is not None:
                setattr(module, name, self._noting(export))

    def watch_pictures(self, module: ModuleType) -> None:
        """Note what Pillow saves into files."""
        save = module.Image.save

        @functools.wraps(save)
        def saving(picture: Any, fp: Any, *args: Any, **kwargs: Any) -> Any:
            result = save(picture, fp, *args, **kwargs)
            self._note(fp, "save", {})
            return result

        module.Image.save = saving

    def _noting(self, export: Any) -> Any:
        signature = inspect.signature(export)

        @functools.wraps(export)
        def exporting(*args: Any, **kwargs: Any) -> Any:
            result = export(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = {name: value for name, value in bound.arguments.items() if isinstance(value, bool | int | float)}
            self._note(result, export.__name__, given)
            return result

        return exporting

    def _note(self, path: Any, by: str, arguments: dict[str, Any]) -> None:
        with self._writer.noting(f"the file that {by} wrote"):
            if not isinstance(path, str | os.PathLike) or self._count >= _MOST or self._writer.is_inherited:
                return
            file = Path(path)
            if not file.is_file():
                return
            self._count += 1
            content = {
                "name": file.name,
                "call": self._writer.call,
                "by": by,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "bytes": file.stat().st_size,
                "arguments": arguments,
            }
            self._writer.write(f"written/{self._count}", content)
