"""Act on a module as soon as the script has imported it, without importing anything before the script does."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any


class AfterImport:
    """A finder of modules that calls a function with a module once it has been executed.

    Args:
        actions: Name of a module to the function.
        noting: Makes a context in which an error ends nothing but the context.
    """

    def __init__(
        self,
        actions: Mapping[str, Callable[[ModuleType], None]],
        noting: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._waiting = dict(actions)
        self._noting = noting

    def install(self) -> None:
        """Become the first finder, or act at once on what is already imported."""
        for name in [name for name in self._waiting if name in sys.modules]:
            self._act(sys.modules[name])
        sys.meta_path.insert(0, self)

    def _act(self, module: ModuleType) -> None:
        act = self._waiting.pop(module.__name__, None)
        with self._noting(f"watching {module.__name__}"):
            if act is not None:
                act(module)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Find one of the modules as the other finders do."""
        if name not in self._waiting:
            return None
        for finder in [each for each in sys.meta_path if each is not self]:
            spec: Any = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self._act)
                return spec
        return None


class _Loader:
    """The loader of a module, which acts on the module when it has executed it, and then is gone."""

    def __init__(self, loader: Any, act: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        """Create the module as its loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, and act on it."""
        spec: Any = module.__spec__
        spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._act(module)
