"""What to change by hand, as lines that can be typed, where no patch does it."""

from __future__ import annotations

from collections.abc import Iterable

from spacediff.settings import Origin
from spacediff.why.differences import UNSET, SourceDifference


def words(row: SourceDifference, differences: Iterable[SourceDifference]) -> str:
    """Return how to remove a difference by hand.

    Args:
        row: The difference.
        differences: All differences, since one line for a LoRA removes several.
    """
    if row.known and (row.known.size == "none" or row.path == "placement"):  # the machine may not have that device
        return row.known.change
    known = f"; {row.known.change}" if row.known else ""
    if row.path.startswith("lora."):
        return _lora(row, {each.path.removeprefix("lora."): each.right.value for each in differences}) + known
    return _change(row) + known


def _change(row: SourceDifference) -> str:
    if row.right is UNSET:
        what = "remove it" if row.left.origin is Origin.READ else "do not set it"
        return f"{what} ({row.left.where})"
    if row.left is UNSET:
        return f"set it to {row.right.value!r}: the script does not set it"
    return f"change it to {row.right.value!r} ({row.left.where})"


def _lora(row: SourceDifference, values: dict[str, object]) -> str:
    """Return the line that loads, scales or fuses a LoRA as the Space does, if a single line does it."""
    key = row.path.removeprefix("lora.")
    is_new = row.left is UNSET
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
    return _change(row)
