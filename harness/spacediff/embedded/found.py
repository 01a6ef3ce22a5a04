"""What one text of a file declares: settings under their paths, and what is only quoted."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

LONGEST = 300
"""Characters of a value that is quoted."""
LONGEST_PROMPT = 20_000
MOST_QUOTED = 60
"""Values of a file that are quoted."""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST_NAME = 60
_LARGEST = {"call.num_inference_steps": 10_000, "call.width": 2**20, "call.height": 2**20, "call.num_frames": 2**20}
_LARGEST_SEED = 2**64 - 1


@dataclass
class Found:
    """What a program declares in a file, as it is collected.

    Attributes:
        program: The program whose format it is.
        settings: Path to value, where the meaning is sure.
        quoted: Name to value in the program's words.
        said: What of the text has been used, as the format identifies it.
    """

    program: str
    settings: dict[str, Any] = field(default_factory=dict)
    quoted: dict[str, Any] = field(default_factory=dict)
    said: set[tuple[int, str]] = field(default_factory=set)

    def say(self, path: str, value: Any, name: str) -> None:
        """Set a setting if its value is of the right kind, else quote it.

        Args:
            path: Dotted path.
            value: Its value, as the program wrote it.
            name: The program's name for it.
        """
        number = usable(path, value)
        if number is None:
            self.quote(name, value)
        else:
            self.settings[path] = number

    def quote(self, name: str, value: Any) -> None:
        """Keep a number or text in the program's words."""
        key = _NOT_IN_A_NAME.sub("_", name).strip("_")[:_LONGEST_NAME]
        if not key or len(self.quoted) >= MOST_QUOTED or isinstance(value, dict | list) or value is None:
            return
        if isinstance(value, float) and not math.isfinite(value):
            return
        is_number = isinstance(value, bool | int | float) and abs(value) < 2**63
        self.quoted[key] = value if is_number else _writable(str(value)[:LONGEST])


def usable(path: str, value: Any) -> Any:
    """Return a value as the setting has it; None if it is none."""
    if path in {"call.prompt", "call.negative_prompt"}:
        return _writable(value[:LONGEST_PROMPT]) if isinstance(value, str) else None
    number = _number(value)
    if path == "call.guidance_scale":
        return number if number is not None and 0 <= number <= 1000 else None  # noqa: PLR2004 - no scale is larger
    if number is None or number != int(number):
        return None
    if path == "rng.seed":
        return int(number) if 0 <= number <= _LARGEST_SEED else None
    return int(number) if 0 < number <= _LARGEST.get(path, 0) else None


def _writable(text: str) -> str:
    """Return a text without lone surrogates, which JSON can contain and no record can be written with."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _number(value: Any) -> int | float | None:
    if isinstance(value, str) and len(value) <= 24:  # noqa: PLR2004 - digits of a number
        try:
            value = int(value) if value.strip().lstrip("-").isdecimal() else float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value  # isfinite fails on large integers
