"""What to change by hand, in words that can be typed: for what no patch makes."""

from __future__ import annotations

from collections.abc import Iterable

from spacediff.settings import Origin
from spacediff.why.differences import UNSAID, Row


def words(row: Row, differences: Iterable[Row]) -> str:
    """Return what to do about a difference by hand.

    Args:
        row: The difference.
        differences: All of them, since a LoRA is one line for several.
    """
    if row.known and row.known.size == "none":
        return row.known.change
    known = f"; {row.known.change}" if row.known else ""
    if row.path.startswith("lora."):
        return _lora(row, {each.path.removeprefix("lora."): each.right.value for each in differences}) + known
    return _said(row) + known


def _said(row: Row) -> str:
    if row.right is UNSAID:
        what = "remove it" if row.left.origin is Origin.READ else "leave it unsaid"
        return f"{what} ({row.left.where})"
    if row.left is UNSAID:
        return f"set it to {row.right.value!r}: the script says nothing of it"
    return f"make it {row.right.value!r} ({row.left.where})"


def _lora(row: Row, values: dict[str, object]) -> str:
    """Return the line that loads, weighs or fuses a LoRA as the Space does, where one line does it."""
    key = row.path.removeprefix("lora.")
    is_new = row.left is UNSAID
    if is_new and isinstance(values.get("id"), str):
        given = [f", {name}={values[name]!r}" for name in ("weight_name", "adapter_name") if values.get(name)]
        load = f"pipe.load_lora_weights({values['id']!r}{''.join(given)})"
        if key == "id":
            return f"add the line {load}"
        if key in {"weight_name", "adapter_name"}:
            return f"comes with {load}"
    adapter, scale = values.get("adapter_name"), values.get("scale")
    if key == "scale" and isinstance(adapter, str) and isinstance(scale, float | int):
        return f"add the line pipe.set_adapters([{adapter!r}], adapter_weights=[{scale!r}])"
    if key == "fused" and is_new and row.right.value is True:
        return "add the line pipe.fuse_lora()"
    return _said(row)
