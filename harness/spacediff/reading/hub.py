"""Read a Space from the Hub: its app file, the files that it imports, and facts such as its hardware."""

from __future__ import annotations

from dataclasses import replace

from spacediff.errors import SpaceNotFound, SpaceSourceUnavailable
from spacediff.hub.ids import is_repository_id
from spacediff.hub.space_errors import explained
from spacediff.reading.machine_look_up import hosted_on
from spacediff.reading.model import Reading
from spacediff.reading.parsing import MOST_BYTES
from spacediff.reading.reader import read_fetched

_MOST_FILES = 40


def read_space(space: str, like: str = "", call: str = "") -> Reading:
    """Read the source of a Space, with the facts that the Hub gives about it.

    Only the app file and the files that it imports are downloaded, each of a bounded size. Nothing is run.

    Args:
        space: Its id.
        like: The pipeline class whose call is read if the source calls several.
        call: Line, or file and line, of the call that is read; by default the main call.

    Raises:
        NotMeasuredError: The Hub does not give the Space or its app file.
        CallNotFound: No pipeline is called at that line.
    """
    from spacediff.hub.asking import space_on_hub

    if not is_repository_id(space):
        raise SpaceNotFound(f"{space[:200]!r} is not a Space", hint="give ORG/NAME, as in the Space's address")
    found = space_on_hub(space)
    main = found.app_file
    with explained(space):
        if main not in found.files or not main.endswith(".py"):
            raise SpaceSourceUnavailable(
                f"Space {space} has no Python app file",
                hint=f"it names {main}; clone it and read the file that starts it: spacediff read FOLDER/FILE.py",
            )
        fetch = _Fetch(found.id, found.commit or None, found.files, main)
        text = fetch(main)
        if text is None:
            raise SpaceSourceUnavailable(
                f"Space {space}: {main} is unavailable", hint=f"only files up to {MOST_BYTES // 1024} KiB are read"
            )
        look_up = hosted_on(found.facts.get("hardware", ""))
        reading = read_fetched(text, main, fetch, like, call=call, look_up=look_up)
        return replace(reading, facts=found.facts)


class _Fetch:
    """Downloads the files of one commit of a Space that are asked for."""

    def __init__(self, space: str, commit: str | None, files: frozenset[str], main: str) -> None:
        self._space = space
        self._commit = commit
        self._files = files
        self._folder = main.rpartition("/")[0]
        self._left = _MOST_FILES

    def __call__(self, name: str) -> bytes | None:
        """Return the bytes of a file; None if it does not exist, is too large, or is refused."""
        from spacediff.hub.asking import small_file

        path = name if name in self._files else f"{self._folder}/{name}"
        if path not in self._files or self._left == 0:
            return None
        self._left -= 1
        return small_file(self._space, path, kind="space", revision=self._commit, most_bytes=MOST_BYTES)
