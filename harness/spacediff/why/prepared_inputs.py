"""How two sources prepare the pictures that they give their pipelines, in common terms."""

from __future__ import annotations

from collections.abc import Iterator

from spacediff.reading import Reading
from spacediff.settings import Origin, Setting, Settings

_INPUTS = "inputs"
_KIND = "input resizing"
_OF_RESIZING = ("size", "resample")


def with_preparations(left: Settings, right: Settings, script: Reading, space: Reading) -> tuple[Settings, Settings]:
    """Return both settings with `resize = "none"` where only the other side resizes a picture.

    What only the script says of the resizing is then no difference of its own. What only the Space says stays one: a
    variant has to say it.

    Args:
        left: The settings of the script.
        right: Those of the Space.
        script: What was read of the script; a resizing in its notes that no setting says makes it unknown.
        space: What was read of the Space.
    """
    ours, theirs = dict(_not_resized(left, right, script)), dict(_not_resized(right, left, space))
    names = [path.removesuffix(".resize") for path in theirs if path.endswith(".resize")]
    same = {path: left[path] for name in names for key in _OF_RESIZING if (path := f"{name}.{key}") in left}
    return left.filled_from(Settings(ours)), right.filled_from(Settings(theirs | same))


def _not_resized(settings: Settings, other: Settings, reading: Reading) -> Iterator[tuple[str, Setting]]:
    """Yield each resizing of the other side that this side does not have: none, or an unknown one with its size."""
    unsaid = next((note.where for note in reading.notes if note.kind == _KIND and not note.setting), None)
    for path in other:
        table, _, rest = path.partition(".")
        if table == _INPUTS and rest.endswith(".resize") and path not in settings:
            where = unsaid or _not_followed(settings, reading, f"call.{rest.removesuffix('.resize')}")
            if where is None:
                yield path, Setting("none", Origin.DEFAULT, "nothing resizes it before the call")
            else:
                own = (path, *(f"{path.removesuffix('.resize')}.{key}" for key in _OF_RESIZING))
                yield from ((each, Setting(None, Origin.UNKNOWN, where)) for each in own if each in other)


def _not_followed(settings: Settings, reading: Reading, path: str) -> str | None:
    """Return where a picture is given that code which was not followed may have resized; None if there is none.

    A picture of the user has an unknown value too; it is unchanged where it is listed as an input.
    """
    given = settings.get(path) or settings.get("call.*")
    if given is None or given.origin is not Origin.UNKNOWN:
        return None
    is_users_own = path in reading.inputs and path not in reading.alternatives
    return None if is_users_own else given.where
