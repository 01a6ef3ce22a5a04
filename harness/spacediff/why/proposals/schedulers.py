"""The scheduler: its class, its options, and a line that sets it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from spacediff.python_code import as_code
from spacediff.reading.signatures import class_defaults
from spacediff.why.built_scheduler import is_built_anew
from spacediff.why.code import library_of
from spacediff.why.compared import UNSET, SourceDifference
from spacediff.why.editing import AddedArgument, Operation, RemovedArgument, RemovedStatement, Replacement
from spacediff.why.proposals.imports import imported
from spacediff.why.proposals.loading import without_variable
from spacediff.why.proposals.site import Proposal, Site, keywords, last_name

_SCHEDULER = re.compile(r"[A-Z]\w*Scheduler", re.ASCII)
_MAKERS = frozenset({"from_config", "from_pretrained"})


def scheduler(site: Site) -> Iterator[Proposal]:
    """Yield ways to use the scheduler of the Space, or one of its options."""
    current = site.reading.settings.get("scheduler.class")
    key = site.row.path.removeprefix("scheduler.")
    maker = _maker(site)
    if maker is None:
        if current is None:
            yield from _new(site)
    elif key == "class":
        yield from _other_class(site, maker)
    elif site.is_removed:
        yield from site.removed(maker, key)
    elif _is_option(str(current and current.value), key):
        code = site.code()
        yield from site.argument(maker, key, code) if code else ()
        yield from site.removed(maker, key)


def _maker(site: Site) -> cst.Call | None:
    """Return the call that makes the script's scheduler."""
    current = site.reading.settings.get("scheduler.class")
    for call in site.calls_at(current.where) if current else ():
        if last_name(call.func) in {*_MAKERS, str(current and current.value)}:
            return call
    return None


def _is_option(kind: str, key: str) -> bool:
    """Return whether the installed scheduler has an option."""
    return key.isidentifier() and key in class_defaults(kind)


def _options(site: Site, kind: str) -> dict[str, SourceDifference]:
    """Return the differing options that a class of schedulers has, by name."""
    found = {path.removeprefix("scheduler."): row for path, row in site.wanted.items() if path.startswith("scheduler.")}
    return {key: row for key, row in found.items() if key != "class" and _is_option(kind, key)}


def _new(site: Site) -> Iterator[Proposal]:
    """Set a scheduler once the pipeline exists, with all options that differ."""
    class_row = site.wanted.get("scheduler.class")
    kind = str(class_row.right.value if class_row else site.settings.value("scheduler.class"))
    if not _SCHEDULER.fullmatch(kind) or library_of(kind) != "diffusers":
        return
    codes = {key: as_code(row.right.value) for key, row in _options(site, kind).items() if row.right is not UNSET}
    options = "".join(f", {key}={code}" for key, code in codes.items() if code)
    also = frozenset(f"scheduler.{key}" for key in ("class", *codes))
    made = f".from_config({{pipe}}.scheduler.config{options})"
    if is_built_anew(site.space):
        made = f"({options.removeprefix(', ')})"
    for line, operation in site.after_made(f"{{pipe}}.scheduler = {kind}{made}"):
        imports = imported(site.script, "diffusers", kind, operation.node)
        yield Proposal((*imports, operation), f"add the line {line}", also)


def _other_class(site: Site, maker: cst.Call) -> Iterator[Proposal]:
    """Replace the class of the scheduler, or remove the line that sets it."""
    statement = site.script.statement_of(maker)
    if site.is_removed:
        yield from _without_variable(site, maker)
        if statement is not None and _sets_scheduler(statement):
            yield Proposal((RemovedStatement(statement),), f"remove the line {site.script.source_of(statement)}")
        loader = site.loader()
        if loader is not None and "scheduler" in keywords(loader):
            words = f"remove scheduler=... from {site.script.source_of(loader.func)}(...)"
            yield Proposal((RemovedArgument(loader, "scheduler"),), words)
        return
    kind = str(site.value)
    if not _SCHEDULER.fullmatch(kind) or library_of(kind) != "diffusers":
        return
    if is_built_anew(site.reading) is not is_built_anew(site.space):
        return
    is_made = last_name(maker.func) in _MAKERS
    node = maker.func.value if is_made and isinstance(maker.func, cst.Attribute) else maker.func
    options = _with_options(site, maker, kind)
    is_complete = is_made or {*keywords(maker)} <= {*class_defaults(kind), *options}
    if last_name(node) != site.row.left.value or not is_complete:
        return
    code = f"{site.script.source_of(node.value)}.{kind}" if isinstance(node, cst.Attribute) else kind
    imports = imported(site.script, "diffusers", kind, maker) if isinstance(node, cst.Name) else ()
    words = f"{site.script.source_of(node)} becomes {code}"
    if options:
        operations = (*imports, Replacement(node, code), *(each[0] for each in options.values()))
        every = ", ".join([words, *(each[1] for each in options.values())])
        yield Proposal(operations, every, frozenset(f"scheduler.{key}" for key in options))
    yield Proposal((*imports, Replacement(node, code)), words)


def _with_options(site: Site, maker: cst.Call, kind: str) -> dict[str, tuple[Operation, str]]:
    """Return, for each differing option, the operation that gives another class the Space's value, in words too."""
    given = keywords(maker)
    found: dict[str, tuple[Operation, str]] = {}
    for key, row in _options(site, kind).items():
        code = as_code(row.right.value)
        if key in given and row.right is UNSET:
            found[key] = (RemovedArgument(maker, key), f"remove {key}=...")
        elif key in given and code:
            found[key] = (Replacement(given[key].value, code), f"{key}={code}")
        elif code and row.right is not UNSET:
            found[key] = (AddedArgument(maker, key, code), f"add {key}={code}")
    for key in given.keys() - class_defaults(kind).keys() - {"config", "subfolder", "revision"}:
        if f"scheduler.{key}" in site.wanted:  # the other class has no such option
            found[key] = (RemovedArgument(maker, key), f"remove {key}=...")
    return found


def _without_variable(site: Site, maker: cst.Call) -> Iterator[Proposal]:
    """Remove the line that gives the pipeline a scheduler by a variable, and the variable if nothing else uses it."""
    made = [each for each in site.script.every(cst.Assign) if each.value is maker]
    names = [each.targets[0].target.value for each in made if isinstance(each.targets[0].target, cst.Name)]
    for assignment in site.script.every(cst.Assign) if names else ():
        statement = site.script.statement_of(assignment)
        is_used = isinstance(assignment.value, cst.Name) and assignment.value.value == names[0]
        if is_used and statement is not None and _sets_scheduler(statement):
            operations = (RemovedStatement(statement), *without_variable(site, names[0], 2))
            yield Proposal(operations, f"remove the line {site.script.source_of(statement)}")


def _sets_scheduler(statement: cst.BaseStatement) -> bool:
    """Return whether a statement only sets the scheduler of a pipeline."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    return isinstance(small, cst.Assign) and all(
        isinstance(one.target, cst.Attribute) and one.target.attr.value == "scheduler" for one in small.targets
    )
