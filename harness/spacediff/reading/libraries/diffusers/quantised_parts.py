"""Which parts of a pipeline are quantised, and how: one dict, part to configuration.

A source says it where it loads a part, where it quantises one in place, or for the whole pipeline. What it says for the
whole pipeline does not act on a part that is loaded by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from spacediff.reading.values import Absent, Either, Items, Known, Table, Value, alternatives, lift

QUANTISATION = "load.quantization_config"
"""Where a pipeline has the quantisation of its parts."""
_WHOLE = "pipeline"
"""Key of a configuration for the whole pipeline that names no parts, beside those of parts."""


def quantisation_by_part(
    whole: Value | None, own: Mapping[str, Value], loaded_apart: Collection[str], where: str
) -> Value | None:
    """Return the quantisation of all parts; None if nothing is quantised.

    A configuration of the whole pipeline that names no parts stays as it is, if no part has one of its own.

    Args:
        whole: What is given to `from_pretrained` of the pipeline.
        own: Part to its own configuration.
        loaded_apart: Names of the parts that are loaded by themselves.
        where: File and line of the call.
    """
    given = {_WHOLE: whole, **own} if whole is not None else dict(own)

    def merged(*values: Value) -> Value:
        each = {part: one for part, one in zip(given, values, strict=True) if not _is_nothing(one)}
        general = each.pop(_WHOLE, None) if whole is not None else None
        if general is not None:
            named = _by_part(general, loaded_apart)
            if named is None and not each:
                return general
            each = {**({_WHOLE: general} if named is None else named), **each}
        found = general.where if general is not None else next(iter(each.values())).where if len(each) == 1 else where
        return Table(found, tuple(each.items())) if each else Absent(where)

    found = lift(merged, [_with_nothing(one) for one in given.values()]) if given else None
    return None if isinstance(found, Absent) else found


def places_of(value: Value) -> set[str]:
    """Return the places at which the configurations of a quantisation are written."""
    tables = [one for one in alternatives(value) if isinstance(one, Table)]
    return {one.where for table in tables for one in (table, *(item for _, item in table.items))}


def _with_nothing(value: Value) -> Value:
    """Return a value with None where it is absent, since alternatives that are absent are not combined."""
    if not isinstance(value, Either):
        return value
    options = [Known(one.where, None) if isinstance(one, Absent) else one for one in value.options]
    return replace(value, options=tuple(options))


def _is_nothing(value: Value) -> bool:
    return isinstance(value, Absent) or (isinstance(value, Known) and value.value is None)


def _by_part(whole: Value, loaded_apart: Collection[str]) -> dict[str, Value] | None:
    """Return part to configuration as a `PipelineQuantizationConfig` says it; None if it names no parts."""
    given = whole.named if isinstance(whole, Table) and not whole.open else {}
    kind, mapping, backend, options = (
        given.get(key) for key in ("class", "quant_mapping", "quant_backend", "quant_kwargs")
    )
    if not isinstance(kind, Known) or kind.value != "PipelineQuantizationConfig":
        return None
    parts = _texts(given.get("components_to_quantize"))
    if isinstance(mapping, Table) and not mapping.open:
        found = mapping.named
    elif isinstance(backend, Known) and isinstance(options, Table) and not options.open and parts:
        found = dict.fromkeys(parts, Table(whole.where, (("backend", backend), *options.items)))
    else:
        return None
    return {part: one for part, one in found.items() if part not in loaded_apart}


def _texts(value: Value | None) -> list[str]:
    """Return a text or a list of texts as a list; an empty one if any of them is unknown."""
    items = value.items if isinstance(value, Items) and not value.open else (value,)
    texts = [one.value for one in items if isinstance(one, Known) and isinstance(one.value, str)]
    return texts if len(texts) == len(items) else []
