"""What methods of the pipeline and switches of torch set: VAE tiling, a LoRA, TF32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from spacediff.why.code import as_code
from spacediff.why.differences import UNSET
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
    wanted = {path.removeprefix("lora."): row for path, row in site.wanted.items() if path.startswith("lora.")}
    also = frozenset(f"lora.{key}" for key in wanted)
    loaded = site.reading.settings.get("lora.id")
    made = site.made()
    if loaded is None and made is not None:
        codes = lora_lines({key: row.right.value for key, row in wanted.items()})
        lines = [line.replace("{pipe}", made[0]) for line in codes]
        if lines:
            words = f"add the line{'s' * (len(lines) > 1)} {'; '.join(lines)}"
            yield Proposal(tuple(AddedLine(made[1], line) for line in lines), words, also)
    elif loaded is not None and "id" in wanted and wanted["id"].right is UNSET:
        yield from _without_lora(site, also)
    elif loaded is not None and site.row.path == "lora.scale" and site.is_absent:
        yield from _scaled(site, loaded.where)
    elif loaded is not None and site.row.path == "lora.fused" and site.is_removed:
        yield from site.without_line()
    elif loaded is not None and site.row.path == "lora.weight_name":
        for call in site.calls_at(loaded.where):
            yield from (
                site.removed(call, "weight_name")
                if site.is_removed
                else site.argument(call, "weight_name", site.code())
            )


def _scaled(site: Site, where: str) -> Iterator[Proposal]:
    """Give the script's LoRA the scale of the Space."""
    code = site.code()
    for call in site.script.every(cst.Call):
        if last_name(call.func) == "fuse_lora":
            yield from site.argument(call, "lora_scale", code)
    adapter = site.reading.settings.value("lora.adapter_name")
    for call in site.calls_at(where):
        statement = site.script.statement_of(call)
        if isinstance(call.func, cst.Attribute) and isinstance(adapter, str) and statement is not None:
            pipe = site.script.source_of(call.func.value)
            line = f"{pipe}.set_adapters([{as_code(adapter)}], adapter_weights=[{code}])"
            yield Proposal((AddedLine(statement, line),), f"add the line {line}")


def lora_lines(values: dict[str, Any]) -> list[str]:
    """Return the lines that load, scale and fuse a LoRA; `{pipe}` in them is the pipeline's name."""
    lines = []
    adapter, scale = values.get("adapter_name"), values.get("scale")
    if isinstance(values.get("id"), str) and values["id"]:
        names = [key for key in ("weight_name", "adapter_name") if isinstance(values.get(key), str)]
        named = "".join(f", {key}={as_code(values[key])}" for key in names)
        lines.append(f"{{pipe}}.load_lora_weights({as_code(values['id'])}{named})")
    is_scaled = isinstance(adapter, str) and isinstance(scale, int | float)
    if is_scaled:
        lines.append(f"{{pipe}}.set_adapters([{as_code(adapter)}], adapter_weights=[{as_code(scale)}])")
    if values.get("fused") is True:
        given = "" if is_scaled or not isinstance(scale, int | float) else f"lora_scale={as_code(scale)}"
        lines.append(f"{{pipe}}.fuse_lora({given})")
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
