"""Templates: texts of which the user writes a part, after the methods of texts."""

from __future__ import annotations

from spacediff.reading.values.kinds import Arguments, Asked, Items, Known, Unknown, Value

_LONGEST = 2_000
_KEEP = frozenset({"strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "lower", "upper", "encode", "decode"})


def after_method(owner: Value, name: str, arguments: Arguments) -> str:
    """Return the template of the result of a text's method; empty if the user writes no part of it."""
    first, second = arguments.get("", 0), arguments.get("", 1)
    if isinstance(owner, Unknown) and owner.template:
        if name == "replace" and isinstance(first, Known) and isinstance(second, Known):
            return _short(owner.template.replace(str(first.value), str(second.value)) if first.value else "")
        return owner.template if name in _KEEP else ""
    if not isinstance(owner, Known) or not isinstance(owner.value, str):
        return ""
    text = owner.value[:_LONGEST]
    if name == "replace" and isinstance(first, Known) and first.value and isinstance(second, Unknown):
        return _short(text.replace(str(first.value), second.template) if second.template else "")
    if name == "join" and isinstance(first, Items) and not first.open:
        return _joined(text, first)
    return _formatted(text, arguments) if name == "format" else ""


def _joined(separator: str, items: Items) -> str:
    texts = [_text(item) for item in items.items]
    inner = [item.value if isinstance(item, Asked) else item for item in items.items]
    is_users = any(isinstance(item, Unknown) and item.template for item in inner)
    return _short(separator.join(text for text in texts if text is not None)) if is_users and None not in texts else ""


def _formatted(text: str, arguments: Arguments) -> str:
    """Return a text whose fields are filled, as `"{prompt}, sharp".format(prompt=words)` fills them."""
    filled = text
    for name, value in [("", one) for one in arguments.positional[:1]] + list(arguments.named.items()):
        filled = filled.replace(f"{{{name}}}", _text(value) or f"{{{name}}}")
    given = [value for value in arguments.every() if isinstance(value, Unknown) and value.template]
    return _short(filled) if given else ""


def _text(value: Value) -> str | None:
    if isinstance(value, Asked):
        return _text(value.value)
    if isinstance(value, Known):
        return str(value.value)
    return value.template or f"{{{value.text}}}" if isinstance(value, Unknown) else None


def _short(template: str) -> str:
    return template[:_LONGEST]
