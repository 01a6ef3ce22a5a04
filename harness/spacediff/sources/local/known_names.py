"""Names that a scenario gives and a library has to know: classes, options, backends, components."""

from __future__ import annotations

from collections.abc import Collection

from spacediff.errors import UnsupportedSetting, did_you_mean


def ensure_known(name: str, known: Collection[str], otherwise: str) -> None:
    """Refuse a name that is not among the known ones, with the nearest of them and the list of all.

    Args:
        name: The name in the scenario.
        known: The names that would be taken.
        otherwise: What to say of another one, as a sentence without its full stop.

    Raises:
        UnsupportedSetting: The name is not known.
    """
    if name not in known:
        hint = f"it has {', '.join(known)}" if known else ""
        raise UnsupportedSetting(f"{otherwise}{did_you_mean(name, known)}", hint=hint)
