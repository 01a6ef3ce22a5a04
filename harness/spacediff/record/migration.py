"""Records of older versions, turned into the current one when they are read.

One function for each step, from a version to the next; each takes the JSON of a whole record and returns another. A
record that is broken passes as it is: whoever validates it says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_Json = dict[str, Any]


def migrated(data: _Json) -> _Json:
    """Return a record's JSON in the current version; what is current or unknown stays as it is."""
    while isinstance(version := data.get("schema_version"), int) and version in _STEPS:
        data = _STEPS[version](data)
    return data


def _from_1(data: _Json) -> _Json:
    return data | {"schema_version": 2}


_STEPS: Mapping[int, Callable[[_Json], _Json]] = {1: _from_1}
