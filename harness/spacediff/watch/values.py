"""Values as JSON can hold them: numbers and texts as they are, tensors and pictures by their digest."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import math
import os
from collections.abc import Mapping
from typing import Any

from ..observer.digest_length import DIGITS
from ..observer.tensors import digest

_MOST_CHARACTERS = 20_000
_NAMED_BY_TORCH = frozenset({"device", "dtype", "layout", "memory_format"})


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; of objects that are not known, the name of their class or function."""
    value = value.value if isinstance(value, enum.Enum) else value
    if value is None or isinstance(value, bool | int | float | str):
        return _scalar(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(each) for each in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: plain(getattr(value, each.name, None)) for each in dataclasses.fields(value)}
        return {"class": type(value).__name__, **fields}
    return _described(value)


def is_json(value: Any) -> bool:
    """Whether JSON can hold a value, without NaN and infinities."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MOST_CHARACTERS]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _described(value: Any) -> Any:
    if hasattr(value, "is_meta"):
        return {"tensor": digest(value), "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
    if hasattr(value, "getbands"):
        found = hashlib.sha256(f"{value.mode} {value.size}".encode() + value.tobytes()).hexdigest()[:DIGITS]
        return {"picture": found, "size": list(value.size), "mode": value.mode}
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):  # of NumPy
        return _scalar(value.item()) if value.ndim == 0 else _of_array(value)
    return _named(value)


def _named(value: Any) -> Any:
    if type(value).__module__ == "torch" and type(value).__name__ in _NAMED_BY_TORCH:
        return str(value).removeprefix("torch.")
    if isinstance(value, os.PathLike):
        return _scalar(str(os.fspath(value)))
    if isinstance(value, bytes):
        return {"bytes": hashlib.sha256(value).hexdigest()[:DIGITS]}
    return getattr(value, "__qualname__", type(value).__name__)


def _of_array(value: Any) -> dict[str, Any]:
    found = hashlib.sha256(f"{value.dtype} {value.shape}".encode() + value.tobytes()).hexdigest()[:DIGITS]
    return {"tensor": found, "shape": list(value.shape), "dtype": str(value.dtype)}
