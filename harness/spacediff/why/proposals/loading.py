"""Arguments of `from_pretrained`, of the pipeline and of parts that are loaded by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from spacediff.python_code import as_code
from spacediff.settings import Setting
from spacediff.why.code import DTYPES, has_text, library_of
from spacediff.why.editing import AddedArgument, AddedLine, Operation, RemovedArgument, RemovedStatement
from spacediff.why.proposals.imports import imported
from spacediff.why.proposals.site import LOADERS, Proposal, Site, keywords, last_name, with_operations

TEXTS_OF_LOADING = frozenset({"load.custom_revision", "load.subfolder"})
"""Settings of loading that are texts; any other text is the name of something."""
_TEXTS = TEXTS_OF_LOADING | {"model.revision", "model.variant"}
_DTYPE_NAMES = ("torch_dtype", "dtype")
_OF_PARTS = {"id": "", "subfolder": "subfolder", "revision": "revision", "variant": "variant", "dtype": "torch_dtype"}
"""Keys of a part that is loaded by itself to the argument that gives them; the id is the first one."""


def at_loading(site: Site) -> Iterator[Proposal]:
    """Yield ways to load the pipeline as the Space does."""
    loader = site.loader()
    if loader is None:
        return
    key = site.row.path.partition(".")[2]
    if site.row.path == "model.dtype":
        yield from _dtype(site, loader)
    elif site.is_removed:
        yield from site.removed(loader, key)
    elif site.row.path in _TEXTS or not has_text(site.value):
        code = site.code()
        yield from site.argument(loader, key, code) if code else ()


def _dtype(site: Site, call: cst.Call) -> Iterator[Proposal]:
    given = next((name for name in _DTYPE_NAMES if name in keywords(call)), _DTYPE_NAMES[0])
    if site.is_removed:
        yield from site.removed(call, given)
    elif site.value in DTYPES:
        for proposal in site.argument(call, given, f"torch.{site.value}"):
            yield with_operations(proposal, imported(site.script, "", "torch", call))


def part_of_pipeline(site: Site) -> Iterator[Proposal]:
    """Yield ways to load a part of the pipeline, such as its VAE, as the Space does."""
    part = site.row.path.removeprefix("load.")
    ours = site.row.left.value if isinstance(site.row.left.value, Mapping) else {}
    theirs = site.value if isinstance(site.value, Mapping) else {}
    if site.is_removed:
        yield from _without_part(site, part)
    elif ours.keys() <= {"dtype"} and theirs.keys() == {"dtype"}:
        yield from _converted_part(site, part, str(theirs["dtype"]))
    elif ours:
        yield from _changed_part(site, ours, theirs)
    else:
        yield from _new_part(site, part, theirs)


def _converted_part(site: Site, part: str, dtype: str) -> Iterator[Proposal]:
    if site.is_absent and dtype in DTYPES:
        for line, operation in site.after_made(f"{{pipe}}.{part}.to(torch.{dtype})"):
            made_with = imported(site.script, "", "torch", operation.node)
            yield Proposal((*made_with, operation), f"add the line {line}")


def _changed_part(site: Site, ours: Mapping[str, object], theirs: Mapping[str, object]) -> Iterator[Proposal]:
    """Change the arguments of the call that loads a part."""
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    calls = [call for call in site.calls_at(site.row.left.where) if last_name(call.func) in LOADERS]
    if not calls or not keys or not {*keys} <= {*_OF_PARTS} - {"id"}:
        return
    operations: list[Operation] = []
    words = []
    for key in keys:
        left = Setting(ours.get(key), site.row.left.origin)
        for proposal in _argument_of_part(site, calls[0], key, left, theirs.get(key)):
            operations += proposal.operations
            words.append(proposal.words)
            break
        else:
            return
    yield Proposal(tuple(operations), ", ".join(words))


def _argument_of_part(site: Site, call: cst.Call, key: str, left: Setting, value: object) -> Iterator[Proposal]:
    given = keywords(call)
    name = next((each for each in _DTYPE_NAMES if key == "dtype" and each in given), _OF_PARTS[key])
    if value is None:
        yield from site.removed(call, name)
        return
    code = _part_code(key, value)
    if not code:
        return
    imports = imported(site.script, "", "torch", call) if key == "dtype" else ()
    if name in given:
        yield from (with_operations(each, imports) for each in site.argument(call, name, code))
    elif left.value is None:
        words = f"add {name}={code} to {site.script.source_of(call.func)}(...)"
        yield Proposal((*imports, AddedArgument(call, name, code)), words)


def _part_code(key: str, value: object) -> str:
    if key == "dtype":
        return f"torch.{value}" if value in DTYPES else ""
    return as_code(value) if isinstance(value, str) else ""


def _new_part(site: Site, part: str, theirs: Mapping[str, object]) -> Iterator[Proposal]:
    """Load a part by itself, and give it to the pipeline."""
    loader = site.loader()
    is_known = theirs.keys() <= {"class", *_OF_PARTS} and isinstance(theirs.get("id"), str)
    if loader is None or not is_known:
        return
    given = keywords(loader).get(part)
    if given is not None:
        yield from _changed_variable(site, given.value, theirs)
        return
    kind = str(theirs.get("class", ""))
    library, statement = library_of(kind), site.script.statement_of(loader)
    codes = {key: _part_code(key, value) for key, value in theirs.items() if key != "class"}
    if statement is None or not library or not all(codes.values()) or site.script.uses_of(part):
        return
    arguments = [codes.pop("id"), *(f"{_OF_PARTS[key]}={code}" for key, code in codes.items())]
    line = f"{part} = {kind}.from_pretrained({', '.join(arguments)})"
    operations = (
        *imported(site.script, library, kind, loader),
        *(imported(site.script, "", "torch", loader) if "dtype" in codes else ()),
        AddedLine(statement, line, before=True),
        AddedArgument(loader, part, part),
    )
    yield Proposal(operations, f"add the line {line} and {part}={part} to {site.script.source_of(loader.func)}(...)")


def _changed_variable(site: Site, value: cst.BaseExpression, theirs: Mapping[str, object]) -> Iterator[Proposal]:
    """Change the dtype of a part that the script loads by itself just as the pipeline would."""
    for assignment in site.script.every(cst.Assign):
        call, target = assignment.value, assignment.targets[0].target
        is_it = isinstance(target, cst.Name) and isinstance(value, cst.Name) and target.value == value.value
        if is_it and isinstance(call, cst.Call) and last_name(call.func) in LOADERS:
            given = next((name for name in _DTYPE_NAMES if name in keywords(call)), _DTYPE_NAMES[0])
            left = Setting(None if given not in keywords(call) else given, site.row.left.origin)
            yield from _argument_of_part(site, call, "dtype", left, theirs.get("dtype"))


def _without_part(site: Site, part: str) -> Iterator[Proposal]:
    """Leave a part to the pipeline; the line that loads it goes too if nothing else uses it."""
    loader = site.loader()
    given = keywords(loader).get(part) if loader is not None else None
    if loader is None or given is None:
        return
    operations: list[Operation] = [RemovedArgument(loader, part)]
    if isinstance(given.value, cst.Name):
        operations += without_variable(site, given.value.value, 2 + (part == given.value.value))
    yield Proposal(tuple(operations), f"remove {part}=... from {site.script.source_of(loader.func)}(...)")


def without_variable(site: Site, name: str, uses: int) -> list[Operation]:
    """Return the removal of the line that sets a variable, if nothing else uses it."""
    for assignment in site.script.every(cst.Assign):
        target = assignment.targets[0].target
        statement = site.script.statement_of(assignment)
        is_it = isinstance(target, cst.Name) and target.value == name and site.script.uses_of(name) == uses
        if is_it and isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
            return [RemovedStatement(statement)]
    return []
