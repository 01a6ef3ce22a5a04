"""Arguments of the pipeline's call, and of the call that writes the file."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from spacediff.python_code import as_code
from spacediff.reading.signatures import annotation, takes
from spacediff.why.code import has_text
from spacediff.why.editing import RemovedEntry, RemovedStatement
from spacediff.why.proposals.site import Proposal, Site, last_name

_USUAL = frozenset({
    "guidance_scale", "height", "negative_prompt", "num_frames", "num_inference_steps", "width",
})  # fmt: skip
"""Arguments that are added to the call of a pipeline whose arguments are unknown."""
_TEXTS = frozenset({"negative_prompt", "negative_prompt_2", "negative_prompt_3", "prompt_2", "prompt_3"})
"""Arguments that are texts, where the types of a pipeline are unknown."""
_OF_EXPORTS = frozenset({"fps", "quality"})


def refusal(pipeline: str, argument: str) -> str:
    """Return why an argument cannot be given to the call of a pipeline; empty if it can."""
    taken = takes(pipeline, argument)
    if taken is False:
        return f"{pipeline} of the installed diffusers takes no argument {argument}"
    if taken is None and argument not in _USUAL:
        return f"it is not known whether {pipeline or 'the pipeline'} takes the argument {argument}"
    return ""


def in_the_call(site: Site) -> Iterator[Proposal]:
    """Yield ways to give the pipeline an argument as the Space does, or to remove it."""
    key = site.row.path.removeprefix("call.")
    if site.is_removed:
        for call in [*site.pipeline_calls(), *site.calls_at(site.row.left.where)]:
            yield from site.removed(call, key)
        yield from _without_entry(site, key)
    elif not refusal(site.signature, key):
        code = _code(site, key)
        for call in site.pipeline_calls() if code else ():
            yield from site.argument(call, key, code)


def _without_entry(site: Site, key: str) -> Iterator[Proposal]:
    """Remove an argument from the dict that it is passed in, or the line that puts it there."""
    line = site.line(site.row.left.where)
    for table, entry in site.script.entries(line, key):
        yield Proposal((RemovedEntry(table, entry),), f"remove the entry {key!r}")
    for node in site.script.expressions_on(line):
        statement = site.script.statement_of(node)
        if isinstance(statement, cst.SimpleStatementLine) and _sets_entry(statement, key):
            yield Proposal((RemovedStatement(statement),), f"remove the line {site.script.source_of(statement)}")
            return


def _sets_entry(statement: cst.SimpleStatementLine, key: str) -> bool:
    """Return whether a statement does nothing but `options["key"] = ...`."""
    small = statement.body[0]
    target = small.targets[0].target if isinstance(small, cst.Assign) else None
    if not isinstance(target, cst.Subscript) or len(statement.body) != 1:
        return False
    index = target.slice[0].slice
    return isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString) and (
        index.value.evaluated_value == key
    )  # fmt: skip


def _code(site: Site, key: str) -> str:
    """Return the value of an argument as code; a text only for an argument that is one."""
    types = annotation(site.signature, key)
    is_text = "str" in types.replace("[", " ").replace("]", " ").replace(",", " ").split() if types else key in _TEXTS
    if isinstance(site.value, str) and not is_text:
        return ""
    is_tuple = isinstance(site.value, list) and "tuple" in types.lower() and "list" not in types.lower()
    return as_code(tuple(site.value) if is_tuple else site.value)


def at_the_export(site: Site) -> Iterator[Proposal]:
    """Yield ways to give the function that writes the file an argument as the Space does."""
    key = site.row.path.removeprefix("output.")
    if key not in _OF_EXPORTS or has_text(site.value):
        return
    for call in site.script.every(cst.Call):
        if last_name(call.func) in {"export_to_video", "export_to_gif"}:
            yield from site.removed(call, key) if site.is_removed else site.argument(call, key, site.code())
