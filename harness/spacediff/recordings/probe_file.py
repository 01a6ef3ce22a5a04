"""The one file that records inside a Space: the code of `watch` and `observer` as readable text, and what imports it.

The same spacediff writes the same bytes, so that the digest in it says which one a Space has.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import spacediff.observer
import spacediff.watch
from spacediff import __version__
from spacediff.errors import FileExists, FileNotAccessible
from spacediff.files import write_atomically
from spacediff.watch import single_file

_QUOTES = "'''"
_BEGINS = b'"""Record what the diffusers pipelines of this Space really do'


def probe_source() -> str:
    """Return the text of the file."""
    sources = {name: text for part in (spacediff.observer, spacediff.watch) for name, text in _modules(part.__file__)}
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in sources.items()).encode()).hexdigest()
    tables = [f"SOURCES[{name!r}] = r{_QUOTES}{text}{_QUOTES}\n" for name, text in sources.items()]
    return "\n\n".join(
        [
            _read(Path(single_file.__file__)),
            f"VERSION = {__version__!r}\nDIGEST = {digest!r}\n",
            *tables,
        ]
    )


def write_probe(file: Path) -> None:
    """Write the file, also over an older one.

    Raises:
        FileExists: There is a file that is no probe.
        FileNotAccessible: It cannot be written.
    """
    try:
        is_other = file.exists() and not file.read_bytes().startswith(_BEGINS)
    except OSError as error:
        raise FileNotAccessible(f"{file} cannot be read: {error.strerror}") from error
    if is_other:
        raise FileExists(f"{file} is there already, and is no probe", hint="name another file")
    write_atomically(file, probe_source())


def _modules(init: str | None) -> list[tuple[str, str]]:
    """Return name and text of the modules of a package, in order."""
    folder = Path(str(init)).parent
    found = [(f"{folder.name}.{file.stem}", _read(file)) for file in sorted(folder.glob("*.py"))]
    for name, text in found:
        assert _QUOTES not in text, name  # noqa: S101 - it would end the text
    return [each for each in found if each[0] != f"watch.{Path(single_file.__file__).stem}"]


def _read(file: Path) -> str:
    return file.read_text("utf-8")
