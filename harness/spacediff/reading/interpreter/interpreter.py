"""The interpreter: the state together with the functions that implement its steps."""

from __future__ import annotations

from spacediff.reading.interpreter import assignments, attributes, calls, expressions, modules, statements
from spacediff.reading.interpreter.state import State


class Interpreter(State):
    """Follows a source. Each step is a function in a separate module, and takes the state as its first argument."""

    evaluate = expressions.evaluate
    run = statements.run
    assign = assignments.assign
    call = calls.call
    attribute = attributes.attribute
    module = modules.module
