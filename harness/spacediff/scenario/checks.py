"""Checks that a schema cannot express: unknown names, cycles of variants, and values that no run can use.

The checks read the plain TOML tables and assume nothing about them. So their mistakes are reported together with the
mistakes that the schema finds.
"""

from __future__ import annotations

import graphlib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

from spacediff.errors import Mistake, nearest_name
from spacediff.file_names import is_device
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.tables import ALL_PARTS_ALIKE, NOT_AT_LOADING, OWNED

MAX_DEPTH = 16
"""Deepest nesting of tables and lists."""
PLACEHOLDERS = ("{prompt}", "{seed}")
"""Placeholders that a Space's inputs may contain."""

_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")
_RESERVED = re.compile(
    r"baseline|reference|rerun|candidate|(reference|seed|probe)-.*|.*-alone|(counter-)?proof", re.IGNORECASE | re.DOTALL
)
_PLACEHOLDER = re.compile(r"\{\w+\}")
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_64_BITS = range(-(2**63), 2**63)


def checks(data: Mapping[str, Any], text: str, lines: Places) -> Iterator[Mistake]:
    """Run all checks on the tables of a scenario.

    Args:
        data: The tables from the TOML parser.
        text: The TOML text.
        lines: The lines of its keys.
    """
    yield from _tokens(text, lines)
    yield from _values(data, lines)
    yield from _arguments(data, lines)
    yield from _names(data, lines)
    yield from _mentions(data, lines)
    yield from _cycles(data, lines)
    yield from _reference(data, lines)
    yield from _gate(data, lines)
    yield from _placeholders(data, lines)
    yield from _parts(data, lines)


def _tokens(text: str, lines: Places) -> Iterator[Mistake]:
    """Find access tokens, in comments too: the text goes into the audit, which people publish."""
    for token in _TOKEN.finditer(text):
        line = text.count("\n", 0, token.start()) + 1
        expected = "no token: log in with `hf auth login` or set HF_TOKEN, and revoke this one if it was published"
        yield Mistake(line, lines.path_on(line), "an access token of the Hub", expected)


def _values(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check every key and value; no recursion, since a file may nest deeper than Python's stack."""
    pending: list[tuple[Parts, Any]] = [((), data)]
    while pending:
        where, value = pending.pop()
        wrong = _unusable(value, len(where)) or _unusable_key(where)
        if wrong:
            yield mistake_at(lines, where, *wrong)
        elif isinstance(value, Mapping):
            pending.extend(((*where, key), item) for key, item in value.items())
        elif isinstance(value, list):
            pending.extend(((*where, index), item) for index, item in enumerate(value))


def _unusable(value: Any, depth: int) -> tuple[str, str] | None:
    match value:
        case date() | time():
            return f"the date or time {value}", "a text, a number, true, false, a list or a table"
        case float() if not math.isfinite(value):
            return str(value), "a finite number"
        case int() if value not in _64_BITS:
            return shown(value), "a whole number that fits into 64 bits"
        case str() if "\0" in value:
            return shown(value), "a text without NUL characters"
        case Mapping() | list() if depth > MAX_DEPTH:
            return shown(value), f"at most {MAX_DEPTH} tables and lists inside each other"
    return None


def _unusable_key(where: Parts) -> tuple[str, str] | None:
    """Refuse keys of settings that are ambiguous in a dotted path."""
    head, *path = where or ("",)
    if head not in {"baseline", "variants"} or len(path) <= (head == "variants"):
        return None
    key = path[-1]
    if isinstance(key, str) and (not key or "." in key or "\0" in key):
        return f"the key {shown(key)}", "a key that is not empty and contains no dot, since settings have dotted paths"
    return None


def _arguments(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check the names of the arguments that go to the pipeline; values are not quoted, since one may be a token."""
    owners: list[Parts] = [("baseline",), *(("variants", name) for name in _table(data, "variants"))]
    for owner in owners:
        for table in ("load", "call", "scheduler"):
            for name, argument in _table(data, *owner, table).items():
                found = f"the argument {shown(name)}"
                if f"{table}.{name}" in OWNED:
                    yield mistake_at(lines, (*owner, table, name), found, OWNED[f"{table}.{name}"])
                elif reason := _not_at_loading(f"{table}.{name}", argument):
                    expected = f"no such argument: {reason}; what a script does there goes into [[approximations]]"
                    yield mistake_at(lines, (*owner, table, name), found, expected)
                elif name and "." not in name and not _ARGUMENT.fullmatch(name):  # the others: _unusable_key
                    nearest = name.replace("-", "_")
                    expected = "the name of a Python argument: letters, digits and _"
                    known = nearest if _ARGUMENT.fullmatch(nearest) else ""
                    yield mistake_at(lines, (*owner, table, name), found, expected, known)


def _not_at_loading(path: str, argument: Any) -> str:
    """Return why a scenario cannot say an argument of `from_pretrained`; empty where it can."""
    if path.startswith("load.") and isinstance(argument, Mapping):
        return NOT_AT_LOADING.get(path, ALL_PARTS_ALIKE)
    return NOT_AT_LOADING.get(path, "")


def _names(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find names that would share a folder of the audit, or cannot name one."""
    for table in ("prompts", "variants"):
        first: dict[str, str] = {}
        for name in _table(data, table):
            taken = first.setdefault(name.casefold(), name)
            if taken != name:
                expected = f"a name that differs from {shown(taken)} in more than case: both become folders"
                yield mistake_at(lines, (table, name), shown(name), expected)
            elif is_device(name):
                expected = "another name: Windows has a device of this name, and names become folders"
                yield mistake_at(lines, (table, name), shown(name), expected)
            elif table == "variants" and _RESERVED.fullmatch(name):
                own = "baseline, reference(-…), candidate, rerun, seed-…, probe-…, (counter-)proof and …-alone"
                expected = f"another name: {own} are reserved by spacediff"
                yield mistake_at(lines, (table, name), shown(name), expected)


def _mentions(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find references to variants that do not exist, and pairs of the same name."""
    for where, name, known in _mentioned(data):
        if isinstance(name, str) and name not in known:
            expected = f"one of {', '.join(known)}" if known else "no other variant, since there is none"
            yield mistake_at(lines, where, shown(name), expected, nearest_name(name, known))
    explain = _table(data, "explain")
    if "from" in explain and explain["from"] == explain.get("to"):
        yield mistake_at(lines, ("explain", "to"), shown(explain["to"]), "another name than explain.from")

    gated = _table(data, "gate").get("variant")
    if gated is not None and gated == _table(data, "reference").get("variant"):
        yield mistake_at(lines, ("gate", "variant"), shown(gated), "another name than the reference's own")


def _mentioned(data: Mapping[str, Any]) -> Iterator[tuple[Parts, Any, list[str]]]:
    """Yield each place that names a variant, the name, and the names allowed there."""
    variants = list(_table(data, "variants"))
    for where, name in _parents(data):
        yield where, name, variants
    known = ["baseline", *variants]
    places = ("explain", "from"), ("explain", "to"), ("gate", "variant"), ("reference", "variant"), ("steps", "against")
    for table, key in places:
        yield (table, key), _table(data, table).get(key), known
    alone = _table(data, "steps").get("alone")
    for index, name in enumerate(alone if isinstance(alone, list) else ()):
        yield ("steps", "alone", index), name, known


def _parents(data: Mapping[str, Any]) -> Iterator[tuple[Parts, Any]]:
    """Yield the place and the name of each variant that another one starts from."""
    for name in _table(data, "variants"):
        parents = _table(data, "variants", name).get("from")
        if isinstance(parents, list):
            yield from ((("variants", name, "from", index), parent) for index, parent in enumerate(parents))
        else:
            yield ("variants", name, "from"), parents


def _cycles(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find cycles of `from`; each one found is cut, to find the next."""
    variants = _table(data, "variants")
    graph: dict[str, dict[str, None]] = {name: {} for name in variants}
    for (_, name, *_), parent in _parents(data):
        if isinstance(parent, str) and parent in variants:
            graph[str(name)][parent] = None
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            chain = error.args[1][::-1]
            yield mistake_at(
                lines, ("variants", chain[0], "from"), shown(" → ".join(chain)), "a chain of variants that ends"
            )
            del graph[chain[0]][chain[1]]
        else:
            return


def _reference(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    yield from _exactly_one(data, ("reference",), ("space", "video", "variant"), lines)
    yield from _exactly_one(data, ("reference", "video"), ("file", "files"), lines)
    prompts = list(_table(data, "prompts"))
    video = _table(data, "reference", "video")
    if "file" in video and len(prompts) > 1:
        yield mistake_at(
            lines,
            ("reference", "video", "file"),
            f"one file for {len(prompts)} prompts",
            "files = { PROMPT = FILE, … }",
        )
    files = _table(video, "files")
    for name in files:
        if name not in prompts:
            expected = f"one of the prompts {', '.join(prompts)}"
            found_at = ("reference", "video", "files", name)
            yield mistake_at(lines, found_at, shown(name), expected, nearest_name(name, prompts))
    missing = [name for name in prompts if name not in files]
    if "files" in video and missing:
        found = f"no file for {shown(', '.join(missing))}"
        yield mistake_at(lines, ("reference", "video", "files"), found, "a file for each prompt")


def _gate(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find a gate without a condition, which would always pass."""
    gate = data.get("gate")
    if isinstance(gate, Mapping) and not {"variant", "against"} & gate.keys():
        yield mistake_at(lines, ("gate",), "neither of them", 'variant = NAME, against = "accepted", or both')


def _placeholders(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find misspelt placeholders such as `{promt}`, which a Space would get literally."""
    for name, value in _table(data, "reference", "space", "inputs").items():
        if isinstance(value, str) and _PLACEHOLDER.fullmatch(value) and value not in PLACEHOLDERS:
            where = ("reference", "space", "inputs", name)
            expected = f"one of {', '.join(PLACEHOLDERS)}, or a value"
            yield mistake_at(lines, where, shown(value), expected, nearest_name(value, PLACEHOLDERS))


def _parts(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find parts without a model to measure them, and parts of the same name."""
    owners: list[Parts] = [("semantics",), *(("prompts", name) for name in _table(data, "prompts"))]
    for owner in owners:
        parts = _table(data, *owner).get("parts")
        if parts is not None and "semantics" not in data:
            expected = "a table [semantics] that names a model to measure them"
            yield mistake_at(lines, (*owner, "parts"), "parts without [semantics]", expected)
        listed = parts if isinstance(parts, list) else []
        for index, part in enumerate(listed):
            if part == "prompt" or part in listed[:index]:
                expected = "each part once, and none named prompt, which is always measured"
                yield mistake_at(lines, (*owner, "parts", index), shown(part), expected)


def _exactly_one(data: Mapping[str, Any], where: Parts, keys: tuple[str, ...], lines: Places) -> Iterator[Mistake]:
    table = _table(data, *where[:-1]).get(str(where[-1]))
    if not isinstance(table, Mapping):
        return
    given = [key for key in keys if key in table]
    misspelt = not given and table  # an unknown key is reported by itself
    if len(given) != 1 and not misspelt:
        yield mistake_at(lines, where, " and ".join(given) or "none of them", f"exactly one of {', '.join(keys)}")


def _table(data: Mapping[str, Any], *path: str | int) -> Mapping[str, Any]:
    """Return the table at a path; an empty one if there is none, or something else, which the schema reports."""
    node: Any = data
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}
