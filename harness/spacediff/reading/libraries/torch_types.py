"""torch's dtypes and devices by their short names, however a source writes them."""

from __future__ import annotations

from spacediff.reading.values import (
    External,
    Known,
    Table,
    Value,
    last_part,
    lift,
)

DTYPES = {
    "float32": "float32", "float": "float32", "bfloat16": "bfloat16", "float16": "float16", "half": "float16",
    "float64": "float64", "float8_e4m3fn": "float8_e4m3fn", "float8_e5m2": "float8_e5m2",
    "fp16": "float16", "bf16": "bfloat16", "fp32": "float32",
}  # fmt: skip


def dtype_of_value(value: Value, *, texts: bool = True) -> Value:
    """Return a dtype by its short name, such as `float16`.

    Args:
        value: `torch.half`, or a dict of such values.
        texts: Whether a text such as `"fp16"` is a dtype too.
    """

    def named(one: Value) -> Value:
        if isinstance(one, External):
            short = DTYPES.get(one.last_name)
            return Known(one.where, short) if short and "." in one.name else one
        if texts and isinstance(one, Known) and isinstance(one.value, str):
            return Known(one.where, DTYPES.get(last_part(one.value), one.value))
        if isinstance(one, Table):
            return Table(one.where, tuple((key, named(item)) for key, item in one.items), one.open)
        return one

    return lift(named, [value])


def device_of_value(value: Value) -> Value:
    """Return a device without its number: `cuda:1` is `cuda`."""
    if isinstance(value, Known) and isinstance(value.value, str):
        return Known(value.where, value.value.partition(":")[0])
    if isinstance(value, Known) and isinstance(value.value, int):
        return Known(value.where, "cuda")
    return value
