"""Redaction: tokens, the user's name and home, this machine's name and private prompts never reach an audit folder.

It is applied to every text of a record on its way to disk, and to everything printed, so that no source has to remember
it. The key insight is that a known secret has several spellings: a URL percent-encodes it, JSON and Python put
backslashes before some of its characters.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path, PureWindowsPath
from typing import Any

from spacediff.privacy.private_prompts import without_private

_FORMS = (
    r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))(?:"
    r"(?:hf|api_org|gh[oprsu]|github_pat|sk|r8)_[A-Za-z0-9_]{16,}"
    r"|(?:sk|glpat|xox[a-z])-[A-Za-z0-9_-]{16,}"
    r"|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|Bearer(?:\s|\+|%20)+[A-Za-z0-9._~+/-]{8,}=*)"
)
"""Hugging Face, GitHub, Stripe, Replicate, OpenAI and Anthropic, GitLab, Slack, Amazon, Google, JSON Web Tokens."""
_IN_ADDRESS = re.compile(
    r"(?P<before>://)[^\s/?#@\"'<>\\]*(?:@[^\s/?#@\"'<>\\]*)*@"
    r"|(?P<name>[?&](?:[\w.-]*(?:token|secret|password|api[_-]?key|signature)[\w.-]*|__sign)=)[^&\s#\"'<>\\]+",
    re.IGNORECASE | re.ASCII,
)
"""User and password of a URL, and the secrets of its query."""
_SECRET_VARIABLE = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY")
_SEPARATOR = r"(?:[\\/]+|%(?:25)*(?:5c|2f))"
"""What stands between the names of a path of Windows, in all its spellings."""
_SHORTEST_SECRET = 8
_SHORTEST_NAME = 3
_Rule = Callable[[str], str]


def redact(value: Any, own: Collection[str] = frozenset()) -> Any:
    """Return a JSON value with every text in it redacted, including keys, except the schema's keys in `own`."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, item in value.items():
            found[key if key in own else _free(redact_text(key), found)] = redact(item, own)
        return found
    if isinstance(value, list):
        return [redact(item, own) for item in value]
    return value


def redact_text(text: str) -> str:
    """Return a text without tokens, secrets of the environment and private prompts, and with the home folder as `~`."""
    for rule in _rules():
        text = rule(text)
    return without_private(text)


def _free(key: str, taken: Collection[str]) -> str:
    """Return a key that is not taken: redaction can make two keys equal."""
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key} ({number})"
    return free


@cache
def _rules() -> tuple[_Rule, ...]:
    rules = [_replacing(_every_spelling(secret), "[redacted]") for secret in _secrets()]
    rules += [_replacing(_FORMS, "[redacted]"), _without_credentials]
    rules += [_replacing(rf"{_anywhere(home)}(?!\w)", "~") for home in _homes()]
    if len(user := _user()) >= _SHORTEST_NAME and user != "root":
        name, ends = _every_spelling(user), r"(?![\w-]|\.\w)"
        part = rf"(?:(?<=[/\\])|(?<=%2F)|(?<=%5C)|(?<=%2f)|(?<=%5c)){name}{ends}"
        rules.append(_replacing(rf"{part}|(?<=-of-){name}(?!\w)|\b{name}(?=@|%40)", "[user]"))
    if len(host := platform.node().split(".")[0]) >= _SHORTEST_NAME and host.lower() != "localhost":
        rules.append(_without_host(host))
    return tuple(rules)


def _secrets() -> list[str]:
    """Return the secrets of the environment, the longest first, since one may be a prefix of another."""
    found = {each for name, each in os.environ.items() if _SECRET_VARIABLE.search(name)}
    return sorted((each for each in found if len(each) >= _SHORTEST_SECRET), key=lambda each: (-len(each), each))


def _homes() -> list[str]:
    """Return the home folder's path and its resolved path, the longest first."""
    home = Path.home()
    names = {str(each) for each in (home, Path(os.path.realpath(home))) if str(each) != each.anchor}
    return sorted(names, key=lambda each: (-len(each), each))


def _anywhere(home: str) -> str:
    """Return a pattern for a home folder in all its spellings; on Windows also with `/` and in any case."""
    if not PureWindowsPath(home).drive:
        return _every_spelling(home)
    names = (_every_spelling(name) for name in re.split(r"[\\/]", home))
    return f"(?i:{_SEPARATOR.join(names)})"


def _every_spelling(text: str) -> str:
    """Return a pattern for a text in all its spellings: plain, percent-encoded, with backslashes."""
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    code = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in letter.encode("utf-8", errors="surrogateescape"))
    bare = rf"\\*{re.escape(letter)}" if letter in "\"'/" else r"\\+" if letter == "\\" else re.escape(letter)
    plus = r"|\+" if letter == " " else ""
    return f"(?:{bare}|{code}{plus})"


def _without_credentials(text: str) -> str:
    return _IN_ADDRESS.sub(lambda found: f"{found['name'] or '://'}[redacted]{'' if found['name'] else '@'}", text)


def _without_host(host: str) -> _Rule:
    """Return the rule that removes this machine's name and the domain after it.

    A name that is a plain word counts as the machine's only where a host name is expected: after `@` or `//`.
    """
    domain = r"(?:\.[A-Za-z0-9-]+)*"
    name = re.escape(host)
    if host.isalpha():
        pattern = rf"(?:(?<=@)|(?<=//)){name}{domain}(?![\w-])"
    else:
        pattern = rf"(?<![\w.-]){name}{domain}(?![\w-])"
    return _replacing(rf"(?i:{pattern})", "[host]")


def _replacing(pattern: str, new: str) -> _Rule:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(new, text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # without a variable that names the user, Windows has no other means
        return ""
