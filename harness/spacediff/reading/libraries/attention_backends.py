"""Backends of diffusers' attention dispatcher, as a scenario names them."""

from __future__ import annotations

from spacediff.observer.attention_names import attention_for
from spacediff.reading.values import External, Known, Value, lift


def backend_as_set(backend: Value) -> Value:
    """Return the value of `numerics.attention` for a backend: a text, or a member of `AttentionBackendName`."""

    def named(one: Value) -> Value:
        if isinstance(one, External):
            return Known(one.where, attention_for(one.last_name.lower()))
        if isinstance(one, Known) and isinstance(one.value, str):
            return Known(one.where, attention_for(one.value.lower()))
        return one

    return lift(named, [backend])
