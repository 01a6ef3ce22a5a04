"""The releases of a package on its index, with the moments at which they were uploaded.

The answer of an index is untrusted: its size and the time for it are limited, and what is no version is left out.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from spacediff.errors import EnvironmentUnavailable
from spacediff.interrupts import raise_if_interrupted

_USUAL = "https://pypi.org/simple"
_ACCEPTED = "application/vnd.pypi.simple.v1+json"
_MOST_BYTES = 64 * 2**20
_CHUNK = 2**18
_SECONDS = 60.0
"""Seconds that the answer may take in all."""
_SILENCE = 15.0
"""Seconds without a byte."""


@dataclass(frozen=True)
class Release:
    """A release that has a wheel.

    Attributes:
        version: Its version.
        uploaded: When its first wheel was uploaded, as RFC 3339 in UTC; empty where the index does not say so.
    """

    version: str
    uploaded: str = ""


def index_address() -> str:
    """Return the index that uv asks too: that of `UV_DEFAULT_INDEX` or `UV_INDEX_URL`, else PyPI."""
    named = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or _USUAL
    return named.rstrip("/")


def releases_of(package: str) -> tuple[Release, ...]:
    """Return the releases of a package, the oldest version first, without pre-releases and yanked ones.

    Raises:
        EnvironmentUnavailable: The index does not answer, or not with a list of files.
    """
    return listed(project_page(package))


def project_page(package: str) -> Mapping[str, Any]:
    """Return what the index says of a package: a project page of PEP 691, whose `files` are a list of objects.

    Raises:
        EnvironmentUnavailable: The index does not answer, or not with a list of files.
    """
    address = f"{index_address()}/{canonicalize_name(package)}/"
    try:
        answer: Mapping[str, Any] = json.loads(_fetched(address))
        is_page = all(isinstance(file, dict) and "filename" in file for file in answer["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unlisted(package, address, getattr(error, "reason", None) or error) from error
    if not is_page:
        raise _unlisted(package, address, "a file has no name")
    return answer


def _unlisted(package: str, address: str, reason: object) -> EnvironmentUnavailable:
    shown = urlsplit(address).hostname or address
    return EnvironmentUnavailable(
        f"the index {shown} does not list the releases of {package}: {reason}",
        hint="check the network; another index is named by the variable UV_DEFAULT_INDEX",
    )


def listed(answer: Mapping[str, Any]) -> tuple[Release, ...]:
    """Return the releases that an index lists, the oldest version first.

    Args:
        answer: A project page of PEP 691, with the upload times of PEP 700 where the index has them.
    """
    found: dict[Version, str] = {}
    for file in answer["files"]:
        with suppress(InvalidWheelFilename):
            version = parse_wheel_filename(str(file["filename"]))[1]
            if version.is_prerelease or version.is_devrelease or file.get("yanked"):
                continue
            uploaded = moment(file.get("upload-time"))
            found[version] = min(filter(None, (found.get(version, ""), uploaded)), default="")
    return tuple(Release(str(version), uploaded) for version, uploaded in sorted(found.items()))


def moment(text: object) -> str:
    """Return a moment in UTC to the second; empty for what is none."""
    try:
        found = datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return ""
    return found.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _fetched(address: str) -> bytes:
    if urlsplit(address).scheme not in {"http", "https"}:
        raise ValueError("it is no http address")
    request = urllib.request.Request(address, headers={"Accept": _ACCEPTED})  # noqa: S310 - its scheme is checked
    until, content = time.monotonic() + _SECONDS, bytearray()
    with urllib.request.urlopen(request, timeout=_SILENCE) as response:  # noqa: S310
        while chunk := response.read1(_CHUNK):
            raise_if_interrupted()
            content += chunk
            if len(content) > _MOST_BYTES or time.monotonic() > until:
                raise ValueError(f"it sends more than {_MOST_BYTES:,} bytes, or for more than {_SECONDS:g} s")
    return bytes(content)
