"""Where files go that can be made or fetched again at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return spacediff's cache folder, which need not exist yet.

    `$SPACEDIFF_CACHE`, else `$XDG_CACHE_HOME/spacediff`, else `~/.cache/spacediff`. A relative `$XDG_CACHE_HOME` does
    not count (XDG Base Directory Specification); a relative `$SPACEDIFF_CACHE` starts at the working directory.
    """
    if chosen := os.environ.get("SPACEDIFF_CACHE"):
        return Path(chosen).expanduser().absolute()
    if (caches := os.environ.get("XDG_CACHE_HOME")) and Path(caches).is_absolute():
        return Path(caches) / "spacediff"
    return Path.home() / ".cache" / "spacediff"
