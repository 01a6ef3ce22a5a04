"""Functions that keep their answers, such as by `functools.lru_cache`: the same call once more generates nothing."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import External, Function

_CACHES = frozenset({"functools.lru_cache", "functools.cache", "gradio.cache"})
_OF_A_REQUEST = ("prompt", "seed")
"""Parts of the names of parameters that a function has which answers a request; others may only load a checkpoint."""


class AnswerCaches(Library):
    """Notes decorators that keep what a function of a prompt or a seed returned."""

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Note such a decorator, which leaves the function as it is."""
        if decorator.name not in _CACHES:
            return None
        named = function.node.args
        names = [each.arg for each in (*named.posonlyargs, *named.args, *named.kwonlyargs)]
        text = f"@{state.words(node)} of {getattr(function.node, 'name', 'a function')} ({state.where(node)})"
        if text not in state.answer_caches and any(part in name for name in names for part in _OF_A_REQUEST):
            state.answer_caches.append(text)
        return function
