"""Redact: tokens, the user's name and home, this machine's name and private prompts never reach an audit folder.

Applied to every text of a record on its way to disk, so no source needs to remember it. The key insight for prompts is
that others quote them, cut short or wrapped: so any few words in a row that are a private prompt's are taken out.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

_TOKEN = re.compile(
    r"\b(hf|api_org|ghp|gho|github_pat|sk)_[A-Za-z0-9_]{16,}|\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*", re.ASCII
)
_SECRET_VARIABLE = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY")
_SHORTEST_SECRET = 8
_SHORTEST_NAME = 3
_WORD = re.compile(r"\w+")
_WORDS_IN_A_ROW = 4
_SHORTEST_PROMPT = 8
"""A shorter private text may be a word of our own, and is only left out where it is known to stand."""

_private: ContextVar[frozenset[tuple[str, ...]]] = ContextVar("private", default=frozenset())


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
    """Return a text without tokens, secrets of the environment, private prompts, with the home folder as `~`."""
    for rule in _rules():
        text = rule(text)
    return _without_private(text)


@contextmanager
def private(texts: Iterable[str]) -> Iterator[None]:
    """Within the block, take these texts, and any four words in a row of them, out of all that is redacted."""
    rows: set[tuple[str, ...]] = set()
    for text in texts:
        words = _WORD.findall(text.casefold())
        if sum(map(len, words)) >= _SHORTEST_PROMPT:
            length = min(_WORDS_IN_A_ROW, len(words))
            rows |= {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}
    before = _private.set(_private.get() | rows)
    try:
        yield
    finally:
        _private.reset(before)


def _without_private(text: str) -> str:
    rows = _private.get()
    if not rows:
        return text
    words = list(_WORD.finditer(text))
    folded = [word[0].casefold() for word in words]
    covered: set[int] = set()
    for length in {len(row) for row in rows}:
        for first in range(len(words) - length + 1):
            if tuple(folded[first : first + length]) in rows:
                covered.update(range(first, first + length))
    for last in sorted(covered, reverse=True):
        if last + 1 in covered:
            continue
        first = last
        while first - 1 in covered:
            first -= 1
        text = f"{text[: words[first].start()]}[private]{text[words[last].end() :]}"
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
    if len(host := platform.node().split(".")[0]) >= _SHORTEST_NAME and host.lower() != "localhost":
        rules.append(_without_host(host))
    return tuple(rules)


def _without_host(host: str) -> Callable[[str], str]:
    """Return the rule that takes this machine's name out, with the domain after it.

    A name that is a plain word is only taken for the machine's where a host stands: after `@` or `//`.
    """
    domain = r"(?:\.[A-Za-z0-9-]+)*"
    name = re.escape(host)
    if host.isalpha():
        pattern = rf"(?:(?<=@)|(?<=//)){name}{domain}(?![\w-])"
    else:
        pattern = rf"(?<![\w.-]){name}{domain}(?![\w-])"
    named = re.compile(pattern, re.IGNORECASE)
    return lambda text: named.sub("[host]", text)


def _replacing(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
