"""Values from outside the source: environment variables, the command line as a list, `input()`, random numbers."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.given_arguments import given_variable, given_word
from spacediff.reading.values import (
    Arguments,
    External,
    Known,
    Unknown,
    Value,
)
from spacediff.reading.values.inputs import asked, shown

_RANDOM = frozenset({
    "randint", "randrange", "random", "choice", "choices", "sample", "uniform", "gauss", "getrandbits", "urandom",
    "uuid4", "uuid1", "randbits", "randbelow", "token_bytes", "token_hex", "integers", "seed", "time", "time_ns", "now",
    "perf_counter", "perf_counter_ns", "monotonic", "SystemRandom", "random_integers", "randint_like", "normalvariate",
})  # fmt: skip
_RANDOM_PACKAGES = frozenset({"random", "np", "numpy", "secrets", "time", "os", "uuid", "datetime"})
_RANDOM_OF_TORCH = frozenset(
    {"torch.randint", "torch.seed", "torch.initial_seed", "torch.random.seed", "torch.cuda.seed"}
)


class UserInputs(Library):
    """`os.environ`, `os.getenv`, `sys.argv` and `input()`."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the input that `os.getenv` or `input` asks for."""
        first = arguments.get("", 0)
        if function.name in {"os.getenv", "os.environ.get"}:
            given = given_variable(state, shown(first)) if first is not None else None
            if given is not None:
                return given
            default = arguments.get("default", 1) or Known(state.where(node), None)
            return asked("environment variable", shown(first or function), default, state.where(node))
        if function.name == "input":
            return asked("input()", shown(first) if first else "", None, state.where(node))
        return None

    def item(self, state: State, owner: Value, key: Value, node: ast.AST) -> Value | None:
        """Return the input behind `os.environ[...]` or `sys.argv[...]`."""
        if not isinstance(owner, External):
            return None
        if owner.name.endswith("environ") and isinstance(key, Known):
            given = given_variable(state, shown(key))
            return given or asked("environment variable", shown(key), None, state.where(node))
        if owner.name == "sys.argv":
            return given_word(state, key) or asked("argument", f"sys.argv[{shown(key)}]", None, state.where(node))
        return None


class Randomness(Library):
    """Functions whose result differs from run to run."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return an unknown value that is marked as random."""
        is_seeded = "generator" in arguments.named or (function.last_name == "seed" and arguments.every())
        of_python = function.last_name in _RANDOM and function.package in _RANDOM_PACKAGES | _RANDOM
        if (of_python or function.name in _RANDOM_OF_TORCH) and not is_seeded:
            return Unknown(state.where(node), state.words(node), random=True)
        return None
