"""What needs the extra `run` says so before it begins."""

from __future__ import annotations

from spacediff.errors import MissingPackage
from spacediff.extras import INSTALL_RUN, missing_of_run


def ensure_run(what: str) -> None:
    """Refuse what generates clips or asks a Space where the packages for it are not installed.

    Args:
        what: What needs them, as the beginning of a sentence.

    Raises:
        MissingPackage: A package of the extra is not installed.
    """
    if missing := missing_of_run():
        isnt = "is not installed" if len(missing) == 1 else "are not installed"
        raise MissingPackage(f"{what} needs the extra run, and {', '.join(missing)} {isnt}", hint=INSTALL_RUN)
