"""Settings: everything that determines one clip, as values under dotted paths, each with its origin.

The key insight is that "I changed nothing" can still differ: the library fills in what a script leaves unset. So a
value is never shown without its origin, and an unknown value never counts as equal.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EXPORT_FPS = 10
"""Default frames per second of `diffusers.utils.export_to_video`."""
EXPORT_QUALITY = 5.0
"""Default quality of `diffusers.utils.export_to_video`, on imageio's scale from 0 to 10."""
WITHHELD = "withheld: the recording is private"
"""Place of an unknown value that is known where the recording was made."""
OLDER_TORCH = "torch<=2.11"
"""Value of `rng.stream` for noise as torch up to 2.11 draws it."""


class Origin(StrEnum):
    """Where a value comes from."""

    DECLARED = "declared"  # the scenario, or the program that wrote a file
    READ = "read"  # source code, or the encoding of a file
    DEFAULT = "default"  # resolved from the library or the checkpoint
    OBSERVED = "observed"  # seen at run time
    UNKNOWN = "unknown"  # could not be determined


@dataclass(frozen=True, slots=True)
class Setting:
    """One value with its origin.

    Attributes:
        value: Any JSON value; None if unknown.
        origin: Where it comes from.
        where: File and line, class, or config file; may be empty.
    """

    value: Any
    origin: Origin
    where: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One path on which two Settings differ; a side is None if the path does not exist there."""

    path: str
    left: Setting | None
    right: Setting | None


class Settings(Mapping[str, Setting]):
    """An immutable mapping of dotted path to `Setting`, in sorted order."""

    def __init__(self, values: Mapping[str, Setting] | None = None) -> None:
        self._values = dict(sorted((values or {}).items()))

    @classmethod
    def of(cls, nested: Mapping[str, Any], origin: Origin, where: str | Mapping[str, str] = "") -> Settings:
        """Flatten nested tables into dotted paths.

        Args:
            nested: Tables and values; an empty table is a value.
            origin: The origin of all values.
            where: Their location: one text for all, or a text per dotted path.
        """
        return cls(
            {
                path: Setting(value, origin, where if isinstance(where, str) else where.get(path, ""))
                for path, value in _leaves(nested)
            }
        )

    def __getitem__(self, path: str) -> Setting:
        return self._values[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Settings({self._values_only()!r})"

    def value(self, path: str, default: Any = None) -> Any:
        """Return the value at a path, or the default if the path does not exist."""
        setting = self._values.get(path)
        return default if setting is None else setting.value

    def table(self, name: str) -> dict[str, Any]:
        """Return the values under `name.` as nested tables."""
        result: dict[str, Any] = {}
        for path, setting in self.items():
            head, *rest = path.split(".")
            if head != name or not rest:
                continue
            table = result
            for key in rest[:-1]:
                table = table.setdefault(key, {})
            table[rest[-1]] = setting.value
        return result

    def changed_by(self, other: Settings) -> Settings:
        """Override these Settings with the values of others.

        A value replaces a table of the same name, and a table replaces a value.
        """
        kept = {
            path: setting for path, setting in self.items() if not any(_shadows(path, changed) for changed in other)
        }
        return Settings({**kept, **other})

    def filled_from(self, defaults: Settings) -> Settings:
        """Add the defaults for all paths that these Settings leave unset."""
        return defaults.changed_by(self)

    def digest(self) -> str:
        """Compute the SHA-256 of the values; origins have no influence."""
        return hashlib.sha256(json.dumps(self._values_only(), sort_keys=True, default=str).encode()).hexdigest()

    def _values_only(self) -> dict[str, Any]:
        return {path: setting.value for path, setting in self.items()}


def numbers_only(settings: Settings) -> Settings:
    """Return the settings that are a number or a boolean: a text may be, or quote, a private prompt."""
    return Settings({path: each for path, each in settings.items() if isinstance(each.value, bool | int | float)})


_LARGEST = 2**63


def is_plain(value: Any) -> bool:
    """Whether a scenario can contain a value: a text, a number, a boolean, or a list of these.

    Numbers are finite and fit TOML's 64 bits; texts are valid Unicode, without lone surrogates.
    """
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, list) and all(map(is_plain, value))


def diff(left: Settings, right: Settings) -> list[Difference]:
    """List the paths on which two Settings differ.

    An unknown value differs from everything, including a second unknown. `1` and `1.0` are equal, as they are for the
    pipelines; `True` and `1` are not.
    """
    return [
        Difference(path, left.get(path), right.get(path))
        for path in sorted({*left, *right})
        if not _same(left.get(path), right.get(path))
    ]


def _same(left: Setting | None, right: Setting | None) -> bool:
    if left is None or right is None or Origin.UNKNOWN in (left.origin, right.origin):
        return False
    return bool(_canonical(left.value) == _canonical(right.value))


def _canonical(value: Any) -> Any:
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value


def _shadows(path: str, changed: str) -> bool:
    return path == changed or path.startswith(f"{changed}.") or changed.startswith(f"{path}.")


def _leaves(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value
