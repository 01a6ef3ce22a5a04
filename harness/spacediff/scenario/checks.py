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
from spacediff.hub.ids import is_repository_id
from spacediff.observer.vae_state import SIZES
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import KEYS, mistake_at, shown
from spacediff.scenario.owned import COMPONENT_NAME, NOT_AT_LOADING, OF_COMPONENTS, OWNED, PACKAGES_ARE_INSTALLED
from spacediff.scenario.paths import is_path
from spacediff.scenario.plain_tables import owners, table_at
from spacediff.scenario.tables.generation import VaeTable
from spacediff.scenario.tables.reference import RESULTS, SEVERAL

MAX_DEPTH = 16
"""Deepest nesting of tables and lists."""
REFERENCES = ("space", "video", "pictures", "recording", "command", "inference", "variant")
"""What the reference may be; exactly one is named."""
PLACEHOLDERS = ("{prompt}", "{seed}")
"""Placeholders that a Space's inputs may contain."""

_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")
_RESERVED = re.compile(
    r"baseline|reference|rerun|candidate|(reference|rerun|screen|seed|probe)-.*|.*-alone|.*-sample-\d+|(counter-)?proof",
    re.IGNORECASE | re.DOTALL,
)
_RESERVED_NAMES = (
    "baseline, reference(-…), candidate, rerun(-…), screen-…, seed-…, probe-…, (counter-)proof, …-alone and …-sample-N"
)
_PLACEHOLDER = re.compile(r"\{\w+\}")
_TILE_SIZES = ("tile_sample_min_height", "tile_sample_min_width", "tile_sample_stride_height", "tile_overlap_factor")
"""Some of the sizes that VAEs have."""
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
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
    yield from _components(data, lines)
    yield from _checkpoints(data, lines)
    yield from _names(data, lines)
    yield from _mentions(data, lines)
    yield from _cycles(data, lines)
    yield from _reference(data, lines)
    yield from _gate(data, lines)
    yield from _placeholders(data, lines)
    yield from _parts(data, lines)
    yield from _vae(data, lines)
    yield from _packages(data, lines)


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
    of_program = where[:3] == ("reference", "command", "settings") and len(where) > 3  # noqa: PLR2004 - below that table
    if not of_program and (head not in {"baseline", "variants"} or len(path) <= (head == "variants")):
        return None
    key = path[-1]
    if isinstance(key, str) and (not key or "." in key or "\0" in key):
        return f"the key {shown(key)}", "a key that is not empty and contains no dot, since settings have dotted paths"
    return None


def _arguments(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check the names of the arguments that go to the pipeline; values are not quoted, since one may be a token."""
    for owner in owners(data):
        for table in ("load", "call", "scheduler", "guider", "cache"):
            for name, argument in table_at(data, *owner, table).items():
                found = f"the argument {shown(name)}"
                if f"{table}.{name}" in OWNED:
                    yield mistake_at(lines, (*owner, table, name), found, OWNED[f"{table}.{name}"])
                elif reason := _not_at_loading(f"{table}.{name}", argument):
                    yield mistake_at(lines, (*owner, table, name), found, reason)
                elif name and "." not in name and not _ARGUMENT.fullmatch(name):  # the others: _unusable_key
                    nearest = name.replace("-", "_")
                    expected = "the name of a Python argument: letters, digits and _"
                    known = nearest if _ARGUMENT.fullmatch(nearest) else ""
                    yield mistake_at(lines, (*owner, table, name), found, expected, known)


def _not_at_loading(path: str, argument: Any) -> str:
    """Return what to write instead of an argument of `from_pretrained`; empty where a scenario takes it."""
    table, _, name = path.partition(".")
    if table == "load" and argument is not None and COMPONENT_NAME.fullmatch(name):
        return OF_COMPONENTS.format(name=name)
    return NOT_AT_LOADING.get(path, "")


def _components(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check the names of components, and refuse a second place for the dtype of the VAE."""
    for owner in owners(data):
        for name, table in table_at(data, *owner, "components").items():
            where = (*owner, "components", name)
            if not _ARGUMENT.fullmatch(name):
                yield mistake_at(lines, where, shown(name), "the name of a component, such as transformer")
            elif name == "vae" and isinstance(table, Mapping) and "dtype" in table:
                expected = "no dtype here: that of the VAE is vae.dtype"
                yield mistake_at(lines, (*where, "dtype"), "the dtype of the VAE", expected)
            elif isinstance(table, Mapping):
                yield from _unread(table, where, lines)


def _unread(table: Mapping[str, Any], where: Parts, lines: Places) -> Iterator[Mistake]:
    """Find keys of a component that have no effect next to a weight file, or without one."""
    file = table.get("file")
    if isinstance(file, str) and is_path(file):
        for key in ("id", "subfolder", "revision", "variant"):
            if key in table:
                expected = f"no {key}: file is a path, so nothing is looked up in a repository or folder"
                yield mistake_at(lines, (*where, key), shown(table[key]), expected)
    elif file is not None and "variant" in table:
        expected = "no variant: file names the one file that is read"
        yield mistake_at(lines, (*where, "variant"), shown(table["variant"]), expected)
    if where[0] == "baseline" and file is None and "config" in table:
        expected = "file as well: the configuration of a component without one is its own"
        yield mistake_at(lines, (*where, "config"), shown(table["config"]), expected)


def _checkpoints(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Refuse files as checkpoints that are pickles, and those that hold one component."""
    for owner in owners(data):
        model = table_at(data, *owner, "model").get("id")
        if isinstance(model, str) and model.endswith(_PICKLES):
            expected = "a folder, a Hub id or a .safetensors file: files of this kind can run code when they are loaded"
            yield mistake_at(lines, (*owner, "model", "id"), shown(model), expected)
        elif isinstance(model, str) and model.endswith(".gguf"):
            expected = "a whole checkpoint: a GGUF file holds one component and goes into components.NAME.file"
            yield mistake_at(lines, (*owner, "model", "id"), shown(model), expected)


def _names(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find names that would share a folder of the audit, or cannot name one."""
    for table in ("prompts", "variants"):
        first: dict[str, str] = {}
        for name in table_at(data, table):
            taken = first.setdefault(name.casefold(), name)
            if taken != name:
                expected = f"a name that differs from {shown(taken)} in more than case: both become folders"
                yield mistake_at(lines, (table, name), shown(name), expected)
            elif is_device(name):
                expected = "another name: Windows has a device of this name, and names become folders"
                yield mistake_at(lines, (table, name), shown(name), expected)
            elif table == "variants" and _RESERVED.fullmatch(name):
                expected = f"another name: {_RESERVED_NAMES} are reserved by spacediff"
                yield mistake_at(lines, (table, name), shown(name), expected)


def _mentions(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find references to variants that do not exist, and pairs of the same name."""
    for where, name, known in _mentioned(data):
        if isinstance(name, str) and name not in known:
            others = [each for each in known if where[:2] != ("variants", each)]
            expected = f"one of {', '.join(others)}" if others else "no other variant, since there is none"
            if name == "baseline":
                expected = "the name of another variant, or no from: every variant starts from the baseline"
            yield mistake_at(lines, where, shown(name), expected, nearest_name(name, others))
    explain = table_at(data, "explain")
    if "from" in explain and explain["from"] == explain.get("to"):
        yield mistake_at(lines, ("explain", "to"), shown(explain["to"]), "another name than explain.from")

    if explain.get("tolerance") == "gate" and "gate" not in data:
        expected = 'a [gate] in the scenario, "codec" or a drift'
        yield mistake_at(lines, ("explain", "tolerance"), shown("gate"), expected)

    gated = table_at(data, "gate").get("variant")
    if gated is not None and gated == table_at(data, "reference").get("variant"):
        yield mistake_at(lines, ("gate", "variant"), shown(gated), "another name than the reference's own")


def _mentioned(data: Mapping[str, Any]) -> Iterator[tuple[Parts, Any, list[str]]]:
    """Yield each place that names a variant, the name, and the names allowed there."""
    variants = list(table_at(data, "variants"))
    for where, name in _parents(data):
        yield where, name, variants
    known = ["baseline", *variants]
    places = ("explain", "from"), ("explain", "to"), ("gate", "variant"), ("reference", "variant")
    for table, key in places:
        yield (table, key), table_at(data, table).get(key), known
    feeding = [*known, "reference"] if "recording" in table_at(data, "reference") else known
    yield ("steps", "against"), table_at(data, "steps").get("against"), feeding
    alone = table_at(data, "steps").get("alone")
    for index, name in enumerate(alone if isinstance(alone, list) else ()):
        yield ("steps", "alone", index), name, known


def _parents(data: Mapping[str, Any]) -> Iterator[tuple[Parts, Any]]:
    """Yield the place and the name of each variant that another one starts from."""
    for name in table_at(data, "variants"):
        parents = table_at(data, "variants", name).get("from")
        if isinstance(parents, list):
            yield from ((("variants", name, "from", index), parent) for index, parent in enumerate(parents))
        else:
            yield ("variants", name, "from"), parents


def _cycles(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find cycles of `from`; each one found is cut, to find the next."""
    variants = table_at(data, "variants")
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
    yield from _exactly_one(data, ("reference",), REFERENCES, lines)
    yield from _outputs(data, lines)
    yield from _provider(data, lines)
    for kind in ("video", "pictures", "recording"):
        yield from _reference_files(data, kind, lines)


def _provider(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find a model of the Hub without a provider, and an argument that is passed anyway."""
    asked, where = table_at(data, "reference", "inference"), ("reference", "inference")
    model = asked.get("model")
    if isinstance(model, str) and is_repository_id(model) and "provider" not in asked:
        yield mistake_at(lines, (*where, "provider"), "nothing", 'the provider that serves it, such as "fal-ai"')
    if isinstance(model, str) and "://" in model and "provider" in asked:
        yield mistake_at(lines, (*where, "provider"), shown(asked["provider"]), "no provider: model is an address")
    if asked.get("provider") == "auto":
        yield mistake_at(
            lines, (*where, "provider"), "'auto'", "a provider by name: what auto chooses depends on the account"
        )
    for name in ("prompt", "image", "model", "extra_body"):
        if name in table_at(asked, "arguments"):
            expected = "no such argument: spacediff passes it, and provider-specific ones stand next to the others"
            yield mistake_at(lines, (*where, "arguments", name), f"the argument {shown(name)}", expected)


def _reference_files(data: Mapping[str, Any], kind: str, lines: Places) -> Iterator[Mistake]:
    """Find prompts without a file of the reference, and files without a prompt."""
    where = ("reference", kind)
    yield from _exactly_one(data, where, ("file", "files"), lines)
    prompts = list(table_at(data, "prompts"))
    given = table_at(data, *where)
    if "file" in given and len(prompts) > 1:
        found = f"one file for {len(prompts)} prompts"
        yield mistake_at(lines, (*where, "file"), found, "files = { PROMPT = FILE, … }")
    files = table_at(given, "files")
    if not isinstance(given.get("files", {}), Mapping):
        return  # the schema says what is expected
    for name in files:
        if name not in prompts:
            expected = f"one of the prompts {', '.join(prompts)}"
            yield mistake_at(lines, (*where, "files", name), shown(name), expected, nearest_name(name, prompts))
    missing = [name for name in prompts if name not in files]
    if "files" in given and missing:
        found = f"no file for {shown(', '.join(missing))}"
        yield mistake_at(lines, (*where, "files"), found, "a file for each prompt")


def _outputs(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find outputs of a Space of which several have the clip, and the number of a picture where there is only one."""
    outputs = table_at(data, "reference", "space", "outputs")
    named = [name for name in RESULTS if name in outputs]
    where = ("reference", "space", "outputs")
    if len(named) > 1:
        yield mistake_at(lines, where, " and ".join(named), "one of video, image, gallery and file")
    if "index" in outputs and not set(SEVERAL) & outputs.keys():
        expected = "gallery = N or file = N next to it: the position of the output with several pictures"
        yield mistake_at(lines, (*where, "index"), shown(outputs["index"]), expected)


def _gate(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find a gate without a condition, which would always pass."""
    gate = data.get("gate")
    if isinstance(gate, Mapping) and not {"variant", "against"} & gate.keys():
        yield mistake_at(lines, ("gate",), "neither of them", 'variant = NAME, against = "accepted", or both')


def _placeholders(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find misspelt placeholders such as `{promt}`, which a Space would get literally."""
    for name, value in table_at(data, "reference", "space", "inputs").items():
        if isinstance(value, str) and _PLACEHOLDER.fullmatch(value) and value not in PLACEHOLDERS:
            where = ("reference", "space", "inputs", name)
            expected = f"one of {', '.join(PLACEHOLDERS)}, {{file:NAME}} for an input of the prompt, or a value"
            yield mistake_at(lines, where, shown(value), expected, nearest_name(value, PLACEHOLDERS))


def _parts(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find parts without a model to measure them, and parts of the same name."""
    owners: list[Parts] = [("semantics",), *(("prompts", name) for name in table_at(data, "prompts"))]
    for owner in owners:
        parts = table_at(data, *owner).get("parts")
        if parts is not None and "semantics" not in data:
            expected = "a table [semantics] that names a model to measure them"
            yield mistake_at(lines, (*owner, "parts"), "parts without [semantics]", expected)
        listed = parts if isinstance(parts, list) else []
        for index, part in enumerate(listed):
            if part == "prompt" or part in listed[:index]:
                expected = "each part once, and none named prompt, which is always measured"
                yield mistake_at(lines, (*owner, "parts", index), shown(part), expected)


def _vae(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find keys of a VAE that are neither switches nor sizes of its tiles."""
    known = [*VaeTable.model_fields, *_TILE_SIZES]
    for owner in owners(data):
        for name in table_at(data, *owner, "vae"):
            if name not in known and not name.startswith(SIZES) and "." not in name:
                where = (*owner, "vae", name)
                expected = f"{KEYS} {', '.join(VaeTable.model_fields)}, or an attribute such as {_TILE_SIZES[0]}"
                yield mistake_at(lines, where, f"the unknown key {shown(name)}", expected, nearest_name(name, known))


def _packages(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find packages that a scenario tries to set."""
    for owner in owners(data):
        if "packages" in table_at(data, *owner):
            yield mistake_at(lines, (*owner, "packages"), "a table of packages", PACKAGES_ARE_INSTALLED)


def _exactly_one(data: Mapping[str, Any], where: Parts, keys: tuple[str, ...], lines: Places) -> Iterator[Mistake]:
    table = table_at(data, *where[:-1]).get(str(where[-1]))
    if not isinstance(table, Mapping):
        return
    given = [key for key in keys if key in table]
    misspelt = not given and table  # an unknown key is reported by itself
    if len(given) != 1 and not misspelt:
        yield mistake_at(lines, where, " and ".join(given) or "none of them", f"exactly one of {', '.join(keys)}")
