"""Keys of dicts: constants, and what is equal only to itself, such as a class or a component of a user interface.

The key insight is that a cache such as `LOADED[name]` is filled and read with the same key. Under an unknown key
something is stored too, and it may be what the same expression reads.
"""

from __future__ import annotations

from spacediff.reading.values.kinds import (
    Asked,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Key,
    Known,
    Object,
    Token,
    Unknown,
    Value,
    Widget,
)


def key_of(value: Value) -> Value:
    """Return a value as the key of a dict: as a constant, or as it is if it may be one of several keys."""
    if isinstance(value, Widget):
        return Known(value.where, value.key)
    if isinstance(value, External):
        return Known(value.where, Token(f"name {value.name}", value))
    if isinstance(value, Class | Object):
        return Known(value.where, Token(f"cell {value.cell}", value))
    if isinstance(value, Function):
        return Known(value.where, Token(f"function {id(value.node)}", value))
    if isinstance(value, Items) and not value.open and not value.identity:
        parts = [key_of(item.value if isinstance(item, Asked) else item) for item in value.items]
        known = [part.value for part in parts if isinstance(part, Known)]
        return Known(value.where, Token(f"tuple {known!r}", value)) if len(known) == len(parts) else value
    return value


def usual_key(value: Value) -> Value:
    """Return the key that the default inputs lead to, so that something can be stored under it."""
    if isinstance(value, Asked):
        return usual_key(value.value)
    if isinstance(value, Either) and value.decided:
        return usual_key(value.options[0])
    token = token_of_unknown(value)
    return Known(value.where, token) if token is not None else key_of(value)


def token_of_unknown(value: Value) -> Token | None:
    """Return what stands for an unknown key, the same for the same expression; None for a value of another kind."""
    names: list[str] = []
    inner = value
    while isinstance(inner, Attribute):
        names.append(inner.name)
        inner = inner.owner
    if not isinstance(inner, Unknown | Asked):
        return None
    text = inner.text if isinstance(inner, Unknown) else inner.source.label
    return Token(f"unknown {'.'.join([text, *reversed(names)])}", value)


def is_unknown(key: Key) -> bool:
    """Return whether a key stands for an unknown one."""
    return isinstance(key, Token) and isinstance(key.value, Unknown | Attribute)


def value_of(key: Key, where: str) -> Value:
    """Return a key of a dict as a value."""
    return key.value if isinstance(key, Token) else Known(where, key)


def shown(key: Key) -> str:
    """Return a key as the source may write it."""
    return key.partition(" ")[2] if isinstance(key, Token) else repr(key)
