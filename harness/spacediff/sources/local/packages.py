"""Optional packages that a pipeline cannot do without, although diffusers does not require them.

The key insight: a function that uses a package without asking first whether it is installed fails with a NameError, so
what needs the package can be seen before anything runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any

from spacediff.errors import PackageUnavailable
from spacediff.observer.packages import PACKAGES, modules_of_code

EXTRA = "ftfy"
"""The extra of spacediff that brings the packages that some pipelines cannot do without."""


def refuse_missing_packages(pipeline: Any) -> None:
    """Refuse a pipeline that uses a package which it does not require and which is not installed.

    Raises:
        PackageUnavailable: The pipeline would fail with a NameError when it reads the prompt.
    """
    for module in modules_of_code(pipeline):
        for name in PACKAGES:
            asks: Callable[[], bool] | None = getattr(module, f"is_{name}_available", None)
            if asks is not None and not asks() and _uses(module, name):
                raise PackageUnavailable(
                    f"{type(pipeline).__name__} cannot run without the package {name}, which is not installed",
                    hint=f"pip install 'spacediff[{EXTRA}]', or pip install {name}",
                )


def _uses(module: ModuleType, package: str) -> bool:
    """Whether a method of a module's classes calls, however indirectly, a function that uses a package unasked."""
    functions = {name: _names(each.__code__) for name, each in vars(module).items() if isinstance(each, FunctionType)}
    asked = f"is_{package}_available"
    using = {name for name, names in functions.items() if package in names and asked not in names}
    while further := {name for name, names in functions.items() if names & using} - using:
        using |= further
    classes = [each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__]
    methods = [_method(each) for of_class in classes for each in vars(of_class).values()]
    return any(_names(each.__code__) & using for each in methods if each is not None)


def _method(member: Any) -> FunctionType | None:
    inner: Any = inspect.unwrap(getattr(member, "__func__", member))
    return inner if isinstance(inner, FunctionType) else None


def _names(code: CodeType) -> set[str]:
    """Return the names that a function's code uses, those of its inner functions included."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return {*code.co_names}.union(*(_names(each) for each in inner))
