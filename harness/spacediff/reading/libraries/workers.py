"""Functions that run elsewhere: threads, processes, executors, and the queues between them.

The key insight is that what runs elsewhere still runs. A function that is handed over is called where that is done; a
worker that waits for jobs is followed last, when everything that puts jobs into its queue was followed.
"""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.records import Entry
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Attribute,
    Class,
    External,
    Function,
    Items,
    Known,
    Object,
    Partial,
    Table,
    Value,
    alternatives,
    either,
)

_RUNNERS = frozenset({"Thread", "Process", "Timer"})
_QUEUES = frozenset({"Queue", "SimpleQueue", "LifoQueue", "PriorityQueue", "JoinableQueue"})
_EXECUTORS = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "ThreadPool", "Pool"})
_CALLS_FIRST = frozenset({"to_thread", "run_in_threadpool", "run_sync", "submit", "apply_async", "apply"})
"""Functions that call their first argument with the rest."""
_PASSES_ON = frozenset({"asyncio.run", "asyncio.create_task", "asyncio.ensure_future", "asyncio.wait_for"})
_MOST_JOBS = 8
"""Jobs of a queue that are remembered."""
_JOBS, _RESULT, _EXECUTOR = "waiting jobs", "result", "executor"
"""Names under which the objects of this library keep what they have; no attribute of Python has such a name."""


class Workers(Library):
    """Knows `threading`, `multiprocessing`, `concurrent.futures`, `queue` and `asyncio`."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a queue, an executor, or what a function returns that runs elsewhere."""
        name, where = function.last_name, state.where(node)
        if name in _RUNNERS and "target" in arguments.named:
            return _started(state, arguments, node)
        if name in _QUEUES:
            return Object(where, "instance", state.heap.new({_JOBS: Items(where, ())}))
        if name in _EXECUTORS:
            return Object(where, "instance", state.heap.new({_EXECUTOR: Known(where, value=True)}))
        first = arguments.get("", 0)
        if function.name in _PASSES_ON:
            return first
        return _called(state, arguments, 0, node) if name in _CALLS_FIRST and _is_callable(first) else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Put a job into a queue or take one out, or call what an executor is handed."""
        if name == "run_in_executor" and _is_callable(arguments.get("", 1)):
            return _called(state, arguments, 1, node)
        if not isinstance(owner, Object) or owner.kind != "instance":
            return None
        if state.get(owner, _JOBS) is not None:
            return _of_queue(state, owner, name, arguments, node)
        if state.get(owner, _EXECUTOR) is not None and name in _CALLS_FIRST and _is_callable(arguments.get("", 0)):
            result = _called(state, arguments, 0, node)
            return Object(state.where(node), "instance", state.heap.new({_RESULT: result}))
        return state.get(owner, _RESULT) if name in {"result", "get"} else None


def _is_callable(value: Value | None) -> bool:
    return isinstance(value, Function | Partial | Class | Object | Attribute)


def _called(state: State, arguments: Arguments, place: int, node: ast.AST) -> Value:
    """Call an argument with those that follow it."""
    given = Arguments(arguments.positional[place + 1 :], arguments.named, arguments.open)
    return state.call(arguments.positional[place], given, node)


def _started(state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Call the target of a thread or process; one that waits for jobs is followed after everything else."""
    target, given, extra = arguments.named["target"], arguments.named.get("args"), arguments.named.get("kwargs")
    positional = list(given.items) if isinstance(given, Items) else []
    named = extra.named if isinstance(extra, Table) else {}
    passed = Arguments(positional, named)
    if isinstance(target, Function) and _waits_for_jobs(state, target.node):
        state.entries.append(Entry(target, passed, state.where(node), is_last=True))
        return state.unknown(node)
    return state.call(target, passed, node)


def _waits_for_jobs(state: State, node: ast.AST) -> bool:
    """Return whether a function has a loop that takes something out of a queue."""
    parts = list(ast.walk(node))
    inner = [part for one in parts if isinstance(one, ast.While) for part in ast.walk(one)]
    state.budget.spend_on_looks(len(parts) + len(inner))
    methods = [part.func for part in inner if isinstance(part, ast.Call)]
    return any(isinstance(one, ast.Attribute) and one.attr in {"get", "get_nowait"} for one in methods)


def _of_queue(state: State, queue: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the result of a method of a queue: a job is any of those that were put into it, by whatever event."""
    kept = [one for one in alternatives(state.get(queue, _JOBS)) if isinstance(one, Items)]
    jobs = list({id(job): job for items in kept for job in items.items}.values())
    job = arguments.get("item", 0)
    if name in {"put", "put_nowait"} and job is not None:
        each = [one for one in alternatives(job) if not isinstance(one, Known) or one.value is not None]
        state.put(queue, _JOBS, Items(queue.where, tuple([*jobs, *each][-_MOST_JOBS:])))
        return Known(state.where(node), None)
    if name not in {"get", "get_nowait"}:
        return None
    return either(jobs, state.where(node)) if jobs else state.unknown(node)
