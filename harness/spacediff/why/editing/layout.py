"""Arguments of a call, added and removed in its layout: on one line, or one argument per line, with comments."""

from __future__ import annotations

import libcst as cst

from spacediff.why.editing.conflict import ConflictError

_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
_NOTHING = cst.SimpleWhitespace("")
_SPACE = cst.SimpleWhitespace(" ")


def with_argument(call: cst.Call, name: str, value: cst.BaseExpression) -> cst.Call:
    """Return a call with one more keyword argument.

    Raises:
        ConflictError: The call has this argument.
    """
    if any(each.keyword is not None and each.keyword.value == name for each in call.args):
        raise ConflictError(f"two edits give the argument {name}")
    new = cst.Arg(value, keyword=cst.Name(name), equal=_EQUAL)
    if not call.args:
        return call.with_changes(args=[new])
    *before, last = call.args
    has_comma = isinstance(last.comma, cst.Comma)
    end = last.comma.whitespace_after if isinstance(last.comma, cst.Comma) else last.whitespace_after_arg
    if not isinstance(end, cst.ParenthesizedWhitespace):
        comma = cst.Comma(whitespace_before=_before_comma(last), whitespace_after=_SPACE)
        new = new.with_changes(whitespace_after_arg=last.whitespace_after_arg)
        return call.with_changes(args=[*before, last.with_changes(comma=comma, whitespace_after_arg=_NOTHING), new])
    between = end.with_changes(empty_lines=[], **_indentation(call))
    closing = end.with_changes(first_line=end.first_line.with_changes(whitespace=_NOTHING, comment=None))
    comma = cst.Comma(whitespace_before=_before_comma(last), whitespace_after=between)
    new = new.with_changes(comma=cst.Comma(whitespace_after=closing)) if has_comma else new.with_changes(
        whitespace_after_arg=closing
    )  # fmt: skip
    return call.with_changes(args=[*before, last.with_changes(comma=comma, whitespace_after_arg=_NOTHING), new])


def without_argument(call: cst.Call, name: str) -> cst.Call:
    """Return a call without one of its keyword arguments.

    Raises:
        ConflictError: The call has no such argument.
    """
    names = [each.keyword.value if each.keyword else "" for each in call.args]
    if name not in names:
        raise ConflictError(f"there is no argument {name}")
    index = names.index(name)
    removed, rest = call.args[index], [*call.args[:index], *call.args[index + 1 :]]
    if not rest:
        return call.with_changes(args=[], whitespace_before_args=_NOTHING)
    if index == len(rest):
        before = rest[-1]
        comma, after = removed.comma, removed.whitespace_after_arg
        if isinstance(before.comma, cst.Comma) and isinstance(comma, cst.Comma):
            comma = comma.with_changes(
                whitespace_after=_with_comment_of(before.comma.whitespace_after, comma.whitespace_after)
            )
        elif isinstance(before.comma, cst.Comma):
            after = _with_comment_of(before.comma.whitespace_after, after)
        rest[-1] = before.with_changes(comma=comma, whitespace_after_arg=after)
    return call.with_changes(args=rest)


def without_entry(table: cst.Dict, key: str) -> cst.Dict:
    """Return a dict without the entry of a key."""
    kept = [each for each in table.elements if key_of(each) != key]
    last = table.elements[-1]
    if kept and kept[-1] is not last:
        kept[-1] = kept[-1].with_changes(comma=last.comma)
    return table.with_changes(elements=kept)


def key_of(element: cst.BaseDictElement) -> str:
    """Return the key of an entry; empty if it is not a plain text."""
    key = element.key if isinstance(element, cst.DictElement) else None
    return str(key.evaluated_value) if isinstance(key, cst.SimpleString) else ""


def _with_comment_of(
    earlier: cst.BaseParenthesizableWhitespace, end: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """Return the space before a closing parenthesis with the comment of the line before it."""
    if isinstance(earlier, cst.ParenthesizedWhitespace) and isinstance(end, cst.ParenthesizedWhitespace):
        return end.with_changes(first_line=earlier.first_line)
    return end


def _before_comma(argument: cst.Arg) -> cst.BaseParenthesizableWhitespace:
    if isinstance(argument.comma, cst.Comma):
        return argument.comma.whitespace_before
    return _NOTHING


def _indentation(call: cst.Call) -> dict[str, object]:
    """Return the indentation of the arguments of a call, as fields of the space before an argument."""
    spaces = [call.whitespace_before_args, *(each.comma.whitespace_after for each in call.args[:-1]
                                              if isinstance(each.comma, cst.Comma))]  # fmt: skip
    for space in reversed(spaces):
        if isinstance(space, cst.ParenthesizedWhitespace):
            return {"indent": space.indent, "last_line": space.last_line}
    return {}
