"""Imports that an edit needs."""

from __future__ import annotations

import libcst as cst

from spacediff.why.editing import AddedLine, Operation, Script


def imported(script: Script, module: str, name: str, user: cst.CSTNode) -> tuple[Operation, ...]:
    """Return the operation that imports a name for the use in a node; none if it is imported already.

    The new line follows the last import from the same module before the node, otherwise the last import before it.

    Args:
        script: The script.
        module: The module; empty for a module that is imported as a whole.
        name: The name.
        user: The node that uses the name.
    """
    line, function = script.line_of(user), script.function_of(user)
    seen = [each for each in script.imports() if script.function_of(each) in {None, function}]
    seen = [each for each in seen if script.function_of(each) is not None or script.statement_of(each) is not None]
    if any(name in _names_of(each, module) for each in seen):
        return ()
    code = f"from {module} import {name}" if module else f"import {name}"
    earlier = [each for each in seen if script.line_of(each) < line]
    same = [each for each in earlier if isinstance(each, cst.ImportFrom) and _module_of(each) == module]
    for each in reversed([*earlier, *same]):
        statement = script.statement_of(each)
        if statement is not None and script.is_unconditional(statement):
            return (AddedLine(statement, code),)
    statement = script.statement_of(user)
    return (AddedLine(statement, code, before=True),) if statement is not None else ()


def _module_of(node: cst.ImportFrom) -> str:
    return cst.Module([]).code_for_node(node.module) if node.module is not None and not node.relative else ""


def _names_of(node: cst.Import | cst.ImportFrom, module: str) -> set[str]:
    """Return the names that a statement imports unchanged from a module."""
    of = _module_of(node) if isinstance(node, cst.ImportFrom) else ""
    if of != module or isinstance(node.names, cst.ImportStar):
        return set()
    return {alias.evaluated_name for alias in node.names if alias.asname is None}
