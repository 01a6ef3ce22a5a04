"""Entries of a configuration that the installed version does not know and leaves out, as diffusers logs it.

An older release so loads a newer checkpoint without an error, and computes without what the entry asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SAID = re.compile(r"The config attributes \{(.*)\} were passed to (\w+), but are not expected", re.DOTALL)
"""Source: `extract_init_dict` in `configuration_utils.py` of diffusers 0.33 to 0.42."""
_LONGEST = 200


def unknown_entries(messages: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each class that has left out entries.

    Args:
        messages: What diffusers logged.
    """
    for text in messages:
        if said := _SAID.search(text):
            entries = said[1] if len(said[1]) <= _LONGEST else f"{said[1][:_LONGEST]}…"
            yield f"{said[2]} does not know these entries of its configuration, and left them out: {entries}"
