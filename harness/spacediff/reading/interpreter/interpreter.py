"""The interpreter: the state together with the functions that carry out its steps."""

from __future__ import annotations

from spacediff.reading.interpreter import assignments, attributes, calls, expressions, modules, statements
from spacediff.reading.interpreter.state import State


class Interpreter(State):
    """Follows a source; every step is a function of the state in a module of its own."""

    evaluate = expressions.evaluate
    run = statements.run
    assign = assignments.assign
    call = calls.call
    attribute = attributes.attribute
    module = modules.module
