"""Redact: tokens, the user's name and home never reach an audit folder.

Applied to every text of a record on its way to disk, so no source needs to remember it.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

_TOKEN = re.compile(
    r"\b(hf|api_org|ghp|gho|github_pat|sk)_[A-Za-z0-9_]{16,}|\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*", re.ASCII
)
_SECRET_VARIABLE = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY")
_SHORTEST_SECRET = 8
_SHORTEST_NAME = 3


def redact(value: Any) -> Any:
    """Return a JSON value with every text in it redacted; keys are the schema's own and stay."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


def redact_text(text: str) -> str:
    """Return a text without tokens, without values of secret environment variables, with the home folder as `~`."""
    for rule in _rules():
        text = rule(text)
    return text


@cache
def _rules() -> tuple[Callable[[str], str], ...]:
    secrets = {
        value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST_SECRET
    }
    rules: list[Callable[[str], str]] = [_replacing(secret, "[redacted]") for secret in sorted(secrets)]
    rules.append(lambda text: _TOKEN.sub("[redacted]", text))
    home = str(Path.home())
    if home != Path.home().anchor:
        at_home = re.compile(re.escape(home) + r"(?![\w.-])")
        rules.append(lambda text: at_home.sub("~", text))
    if len(user := _user()) >= _SHORTEST_NAME and user != "root":
        named = re.compile(rf"(?<=[/\\]){re.escape(user)}(?![\w.-])|\b{re.escape(user)}(?=@)")
        rules.append(lambda text: named.sub("[user]", text))
    return tuple(rules)


def _replacing(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
