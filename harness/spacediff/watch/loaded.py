"""A pipeline that a script has loaded: the files that were opened for it, and whether they and it show an argument.

The key insight: a library may take an argument of loading and not use it. So an argument counts as put in only if the
pipeline or the files that were opened show it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .refusing import RefusedError
from .values import plain

_SNAPSHOT = re.compile(r"(.*[/\\]models--[^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})[/\\]")
_WEIGHTS = frozenset({".safetensors", ".bin", ".ckpt", ".pt", ".pth"})
_BY_FILES = ("revision", "variant", "use_safetensors")
"""Arguments that the names of the opened files show."""
_watching: list[list[str]] = []
"""The lists to which the opened files are added."""
_hooked: list[bool] = []


class Loaded:
    """A pipeline, from the beginning of its loading.

    Args:
        name: Its name, or its folder.
        arguments: The arguments that are put into its loading.
    """

    def __init__(self, name: Any, arguments: Mapping[str, Any]) -> None:
        self._is_folder = Path(str(name)).is_dir()
        self._arguments = arguments
        self._files: list[str] = []
        self._config: dict[str, Any] = {}
        self._parts: dict[str, bool] = {}
        self._is_mapped = False

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the files of weights that are opened inside the block, where they show an argument."""
        if not any(name in self._arguments for name in _BY_FILES):
            yield
            return
        if not _hooked:
            _hooked.append(True)
            sys.addaudithook(_on_open)
            _watch_safetensors()
        _watching.append(self._files)
        try:
            yield
        finally:
            _watching.remove(self._files)

    def holds(self, pipeline: Any) -> None:
        """Note what the loaded pipeline shows of its arguments."""
        config: Mapping[str, Any] = getattr(pipeline, "config", {})
        self._config = {name: plain(value) for name, value in config.items() if not name.startswith("_")}
        self._parts = {name: getattr(pipeline, name, None) is not None for name in self._config}
        self._is_mapped = bool(getattr(pipeline, "hf_device_map", None))

    @property
    def offered(self) -> dict[str, Any]:
        """Which arguments the pipeline would show, and whether it is one of a folder."""
        return {"seen": sorted({*self._config, *_BY_FILES, "device_map"}), "is_folder": self._is_folder}

    def prove(self) -> None:
        """Compare the arguments that were put in with what was loaded.

        Raises:
            RefusedError: One of them does not show.
        """
        for name, value in self._arguments.items():
            path = f"{'model' if name in {'revision', 'variant'} else 'load'}.{name}"
            if not self._shows(name, value):
                raise RefusedError(
                    path, f"the loading got it, and what was loaded does not show it: {self._said(name)}"
                )

    def _shows(self, name: str, value: Any) -> bool:
        match name:
            case "revision":
                snapshots = [found for each in self._files if (found := _SNAPSHOT.match(each))]
                return bool(snapshots) and all(_is_of_revision(found, str(value)) for found in snapshots)
            case "variant":
                return any(f".{value}." in each or f".{value}-" in each for each in map(_name, self._files))
            case "use_safetensors":
                suffixes = {Path(each).suffix for each in self._files}
                return bool(suffixes) and (suffixes == {".safetensors"} if value else ".safetensors" not in suffixes)
            case "device_map":
                return self._is_mapped or value is None
        if value is None and name in self._parts:
            return not self._parts[name]
        return name in self._config and self._config[name] == plain(value)

    def _said(self, name: str) -> str:
        if name in self._config:
            return f"it has {self._config[name]!r}"
        opened = ", ".join(sorted(set(map(_name, self._files))))
        return f"the files that were opened are {opened}" if opened else "no file of weights was seen"


def _is_of_revision(found: re.Match[str], revision: str) -> bool:
    """Whether a file in the Hub's cache is of a revision: its commit, or a name that stands for it."""
    if found[2] == revision:
        return True
    try:
        return (Path(found[1]) / "refs" / revision).read_text("utf-8").strip() == found[2]
    except OSError:
        return False


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _opened(file: Any) -> None:
    path = str(file)
    if Path(path).suffix in _WEIGHTS:
        for each in _watching:
            each.append(path)


def _on_open(event: str, arguments: tuple[Any, ...]) -> None:
    """Note the files that Python opens."""
    if event == "open" and _watching and isinstance(arguments[0], str):
        _opened(arguments[0])


def _watch_safetensors() -> None:
    """Note the files that safetensors opens, which Python does not see, wherever a module has its class."""
    import safetensors

    original: Any = safetensors.safe_open

    class Opened:
        """What opens a file of safetensors, and notes its name."""

        def __new__(cls, filename: Any, *args: Any, **kwargs: Any) -> Any:
            _opened(filename)
            return original(filename, *args, **kwargs)

    for module in [
        each for each in list(sys.modules.values()) if getattr(each, "__dict__", {}).get("safe_open") is original
    ]:
        module.safe_open = Opened  # type: ignore[attr-defined]
