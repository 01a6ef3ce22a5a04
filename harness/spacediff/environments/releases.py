"""The releases of a package on its index, with the moments at which they were uploaded.

The answer of an index is untrusted: a process of its own receives it, which is ended when it takes too long or too much
memory, and what is no version is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from spacediff.environments.recent_failures import RecentFailures
from spacediff.errors import EnvironmentUnavailable
from spacediff.hub.ids import server_of
from spacediff.hub.partners import Partner
from spacediff.hub.space_errors import plain

_USUAL = "https://pypi.org/simple"
_HINT = "check the network; another index is named by the variable UV_DEFAULT_INDEX"
_SECONDS = 60.0
"""Seconds that an answer may take in all."""
_FAILURES = RecentFailures()


@dataclass(frozen=True)
class Release:
    """A release that has a wheel.

    Attributes:
        version: Its version.
        uploaded: When its first wheel was uploaded, as RFC 3339 in UTC; empty where the index does not say so.
    """

    version: str
    uploaded: str = ""


@dataclass(frozen=True)
class IndexFile:
    """A file that an index lists, as it says so.

    Attributes:
        name: The name of the file.
        uploaded: When it was uploaded; empty where the index does not say so.
        yanked: Whether it was withdrawn.
    """

    name: str
    uploaded: str = ""
    yanked: bool = False


def index_address() -> str:
    """Return the index that uv asks too: that of `UV_DEFAULT_INDEX` or `UV_INDEX_URL`, else PyPI."""
    named = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or _USUAL
    return named.rstrip("/")


def releases_of(package: str) -> tuple[Release, ...]:
    """Return the releases of a package, the oldest version first, without pre-releases and yanked ones.

    Raises:
        EnvironmentUnavailable: The index does not answer, or not with a list of files.
    """
    return listed(files_of(package))


def files_of(package: str, *, must_exist: bool = True) -> tuple[IndexFile, ...]:
    """Return the files of a package on its index.

    Args:
        package: The name of the package.
        must_exist: Whether it is an error that the index does not know the package; otherwise it has no files.

    Raises:
        EnvironmentUnavailable: The index does not answer, or not with a list of files.
    """
    index = index_address()
    address = f"{index}/{canonicalize_name(package)}/"
    question = (address, must_exist)
    return _FAILURES.ask(question, lambda: _asked(package, index, address, must_exist=must_exist))


def _asked(package: str, index: str, address: str, *, must_exist: bool) -> tuple[IndexFile, ...]:
    parts = server_of(index)
    shown = plain(parts.hostname, 80) if parts else "in UV_DEFAULT_INDEX"
    partner = Partner(
        "spacediff.environments.conversation",
        f"the index {shown}",
        lambda last: EnvironmentUnavailable(
            f"the index {shown} gave no complete answer within {_SECONDS:g} s{last}", hint=_HINT
        ),
        overgrown=EnvironmentUnavailable,
        ended=EnvironmentUnavailable,
        look_at=_HINT,
    )
    match partner.answer({"address": address}, time.monotonic() + _SECONDS):
        case {"kind": "answered", "files": list(files)}:
            return _valid(files, partner)
        case {"kind": "failed", "unknown": True} if not must_exist:
            return ()
        case {"kind": "failed", "reason": str(reason)}:
            said = f"the index {shown} does not list the releases of {package}: {plain(reason, 200)}"
            raise EnvironmentUnavailable(said, hint=_HINT)
    raise partner.misunderstood()


def _valid(files: list[Any], partner: Partner) -> tuple[IndexFile, ...]:
    try:
        return tuple(IndexFile(**file) for file in files)
    except TypeError as error:
        raise partner.misunderstood() from error


def listed(files: Iterable[IndexFile]) -> tuple[Release, ...]:
    """Return the releases whose files an index lists, the oldest version first."""
    found: dict[Version, str] = {}
    for file in files:
        with suppress(InvalidWheelFilename):
            version = parse_wheel_filename(file.name)[1]
            if version.is_prerelease or version.is_devrelease or file.yanked:
                continue
            uploaded = moment(file.uploaded)
            found[version] = min(filter(None, (found.get(version, ""), uploaded)), default="")
    return tuple(Release(str(version), uploaded) for version, uploaded in sorted(found.items()))


def moment(text: object) -> str:
    """Return a moment in UTC to the second; empty for what is none."""
    try:
        found = datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return ""
    return found.replace(microsecond=0).isoformat().replace("+00:00", "Z")
