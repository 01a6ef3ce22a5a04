"""torch's dtypes and devices by their short names, however a source writes them."""

from __future__ import annotations

from spacediff.reading.values import (
    Absent,
    Either,
    External,
    Known,
    Table,
    Value,
    either,
    last_part,
    lift,
    may_be_absent,
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
    if isinstance(value, Either) and may_be_absent(value):  # without it, the default of the library applies
        options = [one if isinstance(one, Absent) else dtype_of_value(one, texts=texts) for one in value.options]
        return either(options, value.where, decided=value.decided, only_if=value.only_if)

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


def device_of_value(value: Value, index: Value | None = None) -> Value:
    """Return a device by its name; the first of its type has no number, so that `cuda:0` is `cuda`.

    Args:
        value: A name such as `cuda:1`, or a number, which torch takes for a CUDA device.
        index: The number of the device, if it is given separately.
    """
    if not isinstance(value, Known) or not isinstance(value.value, str | int):
        return value
    kind, _, number = (str(value.value) if isinstance(value.value, str) else f"cuda:{value.value:d}").partition(":")
    if index is not None:
        if not isinstance(index, Known):
            return index
        number = str(index.value) if index.value is not None else ""
    return Known(value.where, f"{kind}:{number}" if number not in {"", "0"} else kind)
