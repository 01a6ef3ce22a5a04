"""Record what the diffusers pipelines of this Space really do, for `spacediff audit`.

Written by `spacediff probe --write`; do not edit. Two lines in the app:

    import spacediff_probe
    spacediff_probe.attach(demo)  # after `with gr.Blocks() as demo:`, before `demo.launch()`

Each pipeline call that a visitor causes is recorded: settings, versions, and digests and statistics of its steps. The
visitor's prompt, negative prompt and other texts are recorded as plain text; no picture, no token, no folder. A visitor
can fetch the last recording of their own session, once and within ten minutes, from the API endpoint
/spacediff_recording; then it is deleted. An error in here never reaches the app. Documentation: docs/probe.md of
spacediff. The code is below as text, and runs from this file alone.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

VERSION = ""
"""The version of spacediff that wrote this file."""
SOURCES: dict[str, str] = {}
"""Name of a module, relative to the package, to its text; the name of a package ends with `.__init__`."""
_PACKAGE = "_spacediff_probe"


class _FromThisFile(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the modules in `SOURCES`."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - a finder's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of the package."""
        if name == _PACKAGE or self._key(name):
            return importlib.util.spec_from_loader(
                name, self, origin=self._place(name), is_package=self.is_package(name)
            )
        return None

    def is_package(self, name: str) -> bool:
        """Whether a module is a package."""
        return name == _PACKAGE or self._key(name).endswith(".__init__")

    def get_source(self, name: str) -> str:
        """Return the text of a module."""
        return SOURCES.get(self._key(name), "")

    def get_code(self, name: str) -> Any:
        """Compile a module."""
        return self.source_to_code(self.get_source(name), self._place(name))

    def _key(self, name: str) -> str:
        package, _, relative = name.partition(".")
        keys = (relative, f"{relative}.__init__") if package == _PACKAGE else ()
        return next((key for key in keys if key in SOURCES), "")

    def _place(self, name: str) -> str:
        return f"{__file__}/{self._key(name)}"


def attach(app: Any) -> None:
    """Record the pipeline calls of an app, and add the endpoint. Whatever fails, the app runs as without us.

    Args:
        app: The app (`gradio.Blocks`), complete and not launched yet.
    """
    try:
        if not any(isinstance(each, _FromThisFile) for each in sys.meta_path):
            sys.meta_path.append(_FromThisFile())
        importlib.import_module(f"{_PACKAGE}.watch.probe").attach(app, VERSION)
    except Exception as error:  # noqa: BLE001 - the app must start
        print(f"spacediff_probe: not recording: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
