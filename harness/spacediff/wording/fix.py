"""The fix: what to change so that the baseline gives the target's output, as lines of a script.

A value that code cannot show, or a setting that no line of a usual script sets, is a comment, as a scenario has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spacediff.devices import is_device
from spacediff.python_code import as_code
from spacediff.record import CauseRecord, SuspectRecord
from spacediff.wording.numbers import value

_OFFLOADS = {
    "model_cpu_offload": "pipe.enable_model_cpu_offload()",
    "sequential_cpu_offload": "pipe.enable_sequential_cpu_offload()",
}
_VERSIONS = "env"
_PYTHON = "python"
_OF_SEVERAL = frozenset({"requirements", "space"})
"""Settings of that table that are no package."""
_SWITCHES = frozenset({"tiling", "slicing"})
_CALLS = {"call": "pipe({})", "load": "pipe = Pipeline.from_pretrained({})", "output": "export_to_video({})"}
"""Calls whose arguments are settings, by the table that those are in."""


def fix_code(cause: CauseRecord) -> list[str]:
    """Return the lines that make a script's output the target's, for what its proof changes alone.

    They use the names of diffusers' documentation, `pipe` and `Pipeline`. Empty where the search found no cause.
    """
    tables: dict[str, list[SuspectRecord]] = {}
    for each in cause.changes:
        tables.setdefault(each.path.partition(".")[0], []).append(each)
    return [line for table, members in tables.items() for line in _lines(table, members)]


def _lines(table: str, members: Sequence[SuspectRecord]) -> Iterator[str]:
    """Write the members of one table."""
    if table == "scheduler":
        if any(each.target_unset for each in members):
            yield from map(_comment, members)
        else:
            yield from _scheduler({_key(each): each.target for each in members})
        return
    if table == _VERSIONS:
        yield from map(_install, members)
        return
    if table in _CALLS:
        yield from _call(_CALLS[table], members)
        return
    yield from ((not each.target_unset and _line_for(each)) or _comment(each) for each in members)


def _install(member: SuspectRecord) -> str:
    """Write what installs another version, which is no line of a script."""
    key = _key(member)
    if key == _PYTHON and not member.target_unset:
        return f"# with Python {_quoted(member.target)}"
    named = key not in _OF_SEVERAL and not member.target_unset
    return f"# pip install {key}=={_quoted(member.target)}" if named else _comment(member)


def _call(line: str, members: Sequence[SuspectRecord]) -> Iterator[str]:
    """Write the arguments of a call in one line, those that are left out each in one, and what is neither."""
    named = [each for each in members if _key(each).isidentifier()]
    given = {_key(each): as_code(each.target) for each in named if not each.target_unset}
    if arguments := ", ".join(f"{key}={code}" for key, code in given.items() if code):
        yield line.format(f"..., {arguments}")
    yield from (line.format("...") + f"  # without {_key(each)}" for each in named if each.target_unset)
    yield from (_comment(each) for each in members if each not in named or given.get(_key(each)) == "")


def _scheduler(wanted: Mapping[str, object]) -> Iterator[str]:
    """Write the line that replaces the scheduler, or changes its options."""
    options = {key: as_code(each) for key, each in wanted.items() if key != "class"}
    kind = str(wanted.get("class", "type(pipe.scheduler)"))
    is_code = all(code and key.isidentifier() for key, code in options.items())
    if not is_code or ("class" in wanted and not kind.isidentifier()):
        yield from (f"# scheduler.{' '.join(key.split())} = {_quoted(each)}" for key, each in wanted.items())
        return
    given = "".join(f", {key}={code}" for key, code in options.items())
    yield f"pipe.scheduler = {kind}.from_config(pipe.scheduler.config{given})"


def _line_for(member: SuspectRecord) -> str:
    """Write the line of a setting that stands by itself; empty where there is none."""
    wanted, text = member.target, str(member.target)
    table, _, key = member.path.partition(".")
    if member.path == "placement":
        return _OFFLOADS.get(text, f"pipe.to({as_code(text)})" if is_device(text) else "")
    if table == "vae" and key in _SWITCHES and isinstance(wanted, bool):
        return f"pipe.vae.{'enable' if wanted else 'disable'}_{key}()"
    if member.path == "rng.device" and is_device(text):
        return f"generator = torch.Generator({as_code(text)}).manual_seed(seed)"
    if member.path == "model.dtype" and text.isidentifier():
        return f"pipe = Pipeline.from_pretrained(..., torch_dtype=torch.{text})"
    if member.path == "model.revision" and as_code(wanted):
        return f"pipe = Pipeline.from_pretrained(..., revision={as_code(wanted)})"
    return ""


def _comment(member: SuspectRecord) -> str:
    wanted = "left unset" if member.target_unset else f"= {_quoted(member.target)}"
    return f"# {' '.join(member.path.split())} {wanted}"


def _quoted(of: object) -> str:
    return " ".join(value(of).split())


def _key(member: SuspectRecord) -> str:
    return member.path.partition(".")[2]
