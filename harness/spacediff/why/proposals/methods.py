"""What methods of the pipeline and switches of torch set: VAE tiling, a LoRA, TF32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from spacediff.python_code import as_code
from spacediff.why.compared import UNSET
from spacediff.why.editing import AddedLine, Operation, RemovedStatement, Replacement
from spacediff.why.proposals.imports import imported
from spacediff.why.proposals.site import Proposal, Site, last_name

_SWITCHES = frozenset({"tiling", "slicing"})
_NUMERICS = {
    "numerics.tf32_matmul": "torch.backends.cuda.matmul.allow_tf32 = {}",
    "numerics.tf32_cudnn": "torch.backends.cudnn.allow_tf32 = {}",
    "numerics.deterministic": "torch.use_deterministic_algorithms({})",
    "numerics.threads": "torch.set_num_threads({})",
    "numerics.attention_slicing": "{{pipe}}.enable_attention_slicing({})",
}


def vae_switch(site: Site) -> Iterator[Proposal]:
    """Yield ways to switch tiling or slicing of the VAE on or off."""
    key = site.row.path.removeprefix("vae.")
    if key not in _SWITCHES or not isinstance(site.value, bool):
        return
    wanted, other = ("enable", "disable") if site.value else ("disable", "enable")
    for call in site.calls_at(site.row.left.where):
        name = last_name(call.func)
        if name in {f"{other}_{key}", f"{other}_vae_{key}"} and isinstance(call.func, cst.Attribute):
            method = f"{name.replace(other, wanted, 1)}()"
            code = f"{site.script.source_of(call.func.value)}.{method}"
            yield Proposal((Replacement(call, code),), f"{name}() becomes {method}")
    if site.is_absent:
        yield from _added(site, f"{{pipe}}.vae.{wanted}_{key}()")


def numerics(site: Site) -> Iterator[Proposal]:
    """Yield ways to set a switch of torch, or to leave it as it is."""
    line, code = _NUMERICS.get(site.row.path), site.code()
    if site.is_removed:
        yield from site.without_line()
    elif line is not None and code and site.is_absent:
        for text, operation in site.after_made(line.format(code)):
            yield Proposal((*imported(site.script, "", "torch", operation.node), operation), f"add the line {text}")


def lora(site: Site) -> Iterator[Proposal]:
    """Yield ways to load, scale and fuse a LoRA as the Space does, or to leave out the script's own."""
    name, key = lora_of(site.row.path)
    wanted = {path: row for path, row in site.wanted.items() if lora_of(path)[0] == name}
    loaded = site.reading.settings.get(f"lora.{name}.id")
    made = site.made()
    if loaded is None and made is not None:
        codes = lora_lines(name, {lora_of(path)[1]: row.right.value for path, row in wanted.items()})
        lines = [line.replace("{pipe}", made[0]) for line in codes]
        if lines:
            words = f"add the line{'s' * (len(lines) > 1)} {'; '.join(lines)}"
            yield Proposal(tuple(AddedLine(made[1], line) for line in lines), words, frozenset(wanted))
    elif loaded is None:
        return
    elif (place := wanted.get(f"lora.{name}.id")) is not None and place.right is UNSET:
        yield from _without_lora(site, frozenset(wanted))
    elif key == "scale" and site.is_absent:
        yield from _scaled(site, name, loaded.where)
    elif key == "fused" and not site.row.right.value:
        yield from site.without_line()
    elif key == "weight_name":
        for call in site.calls_at(loaded.where):
            yield from (
                site.removed(call, "weight_name")
                if site.is_removed
                else site.argument(call, "weight_name", site.code())
            )


def lora_of(path: str) -> tuple[str, str]:
    """Return the name of the LoRA that a setting belongs to, and the setting's key; empty texts for another one."""
    table, _, rest = path.partition(".")
    name, _, key = rest.partition(".")
    return (name, key) if table == "lora" and key else ("", "")


def _scaled(site: Site, name: str, where: str) -> Iterator[Proposal]:
    """Give the script's LoRA the scale of the Space."""
    code = site.code()
    for call in site.script.every(cst.Call):
        if last_name(call.func) == "fuse_lora":
            yield from site.argument(call, "lora_scale", code)
    for call in site.calls_at(where):
        statement = site.script.statement_of(call)
        if isinstance(call.func, cst.Attribute) and statement is not None:
            pipe = site.script.source_of(call.func.value)
            line = f"{pipe}.set_adapters([{as_code(name)}], adapter_weights=[{code}])"
            yield Proposal((AddedLine(statement, line),), f"add the line {line}")


def lora_lines(name: str, values: dict[str, Any]) -> list[str]:
    """Return the lines that load, scale and fuse a LoRA; `{pipe}` in them is the pipeline's name."""
    lines = []
    scale = values.get("scale")
    is_named = not name.startswith("default_")  # as diffusers names those that a source does not
    if isinstance(values.get("id"), str) and values["id"]:
        keys = [key for key in ("weight_name", "subfolder", "revision") if isinstance(values.get(key), str)]
        given = [f"{key}={as_code(values[key])}" for key in keys]
        given += [f"adapter_name={as_code(name)}"] * is_named
        given += ["load_into_transformer_2=True"] * (values.get("component") == "transformer_2")
        lines.append(f"{{pipe}}.load_lora_weights({', '.join([as_code(values['id']), *given])})")
    is_scaled = is_named and isinstance(scale, int | float)
    if is_scaled:
        lines.append(f"{{pipe}}.set_adapters([{as_code(name)}], adapter_weights=[{as_code(scale)}])")
    if values.get("fused") is True:
        given_scale = "" if is_scaled or not isinstance(scale, int | float) else f"lora_scale={as_code(scale)}"
        lines.append(f"{{pipe}}.fuse_lora({given_scale})")
    return lines


def _without_lora(site: Site, also: frozenset[str]) -> Iterator[Proposal]:
    """Remove all lines that only load, scale or fuse a LoRA."""
    found: list[Operation] = []
    words = []
    for call in site.script.every(cst.Call):
        statement = site.script.statement_of(call)
        if ("lora" in last_name(call.func) or last_name(call.func) == "set_adapters") and _is_only(statement, call):
            found.append(RemovedStatement(statement))  # type: ignore[arg-type]
            words.append(site.script.source_of(call))
    if found:
        yield Proposal(tuple(found), f"remove {'; '.join(words)}", also)


def _is_only(statement: cst.BaseStatement | None, call: cst.Call) -> bool:
    """Return whether a statement is nothing but a call."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    return isinstance(small, cst.Expr) and small.value is call


def _added(site: Site, code: str) -> Iterator[Proposal]:
    for line, operation in site.after_made(code):
        yield Proposal((operation,), f"add the line {line}")
