"""Downloads from a hub: which repository a folder or a file of this machine comes from.

The key insight is that `"ckpts"` says nothing, but the line that fills this folder does. So a downloaded folder stands
for its repository, wherever the source names it.
"""

from __future__ import annotations

import ast
import posixpath
import re
from dataclasses import dataclass

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Arguments, Asked, External, Items, Known, Value, alternatives, lift

_DOWNLOADS = frozenset({
    "snapshot_download", "hf_hub_download", "model_file_download", "dataset_snapshot_download", "cached_download",
})  # fmt: skip
_LOADS = frozenset({"safetensors.torch.load_file", "load_file", "torch.load", "load_sft", "load_torch_file"})
"""Functions that return the weights of the file that they are given."""
_SHELLS = frozenset({"os.system", "os.popen", "subprocess.run", "subprocess.call", "subprocess.check_call",
                     "subprocess.check_output", "subprocess.Popen", "subprocess.getoutput"})  # fmt: skip
_COMMAND = re.compile(
    r"(?:huggingface-cli|hf|modelscope) +download +(?:--model +)?(\S+)(?:.*?--local[-_]dir[= ](\S+))?"
)
_CLONE = re.compile(
    r"git +clone +(?:-\S+ +)*https://(?:huggingface\.co|hf\.co|www\.modelscope\.cn)/(\S+?)(?:\.git)?(?: +(\S+))?$"
)
_FOLDER = "folder:"
"""Beginning of the names under which downloaded folders are kept with their repositories."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where weights come from: a repository or a local path, and a file or folder inside it, if one is named."""

    repository: Value
    path: Value | None

    @property
    def whole(self) -> Value:
        """The repository and the path in it as one text."""
        if self.path is None:
            return self.repository
        return lift(_joined, [self.repository, self.path])


class Checkpoints(Library):
    """Functions and commands that download from a hub, and those that read a file of weights."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the path of a download, or for the contents of a file its path."""
        if function.last_name in _DOWNLOADS:
            return _downloaded(state, arguments, node)
        if function.name in _LOADS:
            return arguments.get("filename", 0) or arguments.get("f")
        if function.name in _SHELLS:
            _note_command(state, arguments.get("args", 0))
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the path of a download by a method such as `HfApi().snapshot_download`."""
        return _downloaded(state, arguments, node) if name in _DOWNLOADS else None


def _downloaded(state: State, arguments: Arguments, node: ast.AST) -> Value:
    repository = arguments.get("repo_id", 0) or arguments.get("model_id")
    if repository is None:
        return state.unknown(node)
    file = arguments.get("filename", 1) or arguments.get("file_path")
    inner = [one for one in (arguments.get("subfolder"), file) if one is not None]
    folder = arguments.get("local_dir")
    if folder is None or _is_none(folder):
        folder = repository
    for one in alternatives(folder):
        _remember(state, one, repository)
    return lift(lambda *parts: _path(parts) or state.unknown(node), [folder, *inner])


def _is_none(value: Value) -> bool:
    return isinstance(value, Known) and value.value is None


def _path(parts: tuple[Value, ...]) -> Known | None:
    names = [part.value for part in parts if isinstance(part, Known) and isinstance(part.value, str)]
    given = [part for part in parts if not _is_none(part)]
    return Known(parts[0].where, posixpath.join(*names)) if names and len(names) == len(given) else None


def _joined(*parts: Value) -> Value:
    return _path(parts) or parts[0]


def _remember(state: State, folder: Value, repository: Value) -> None:
    """Keep which repository a folder stands for."""
    text = _text(folder)
    if text:
        state.heap.put(state.process_wide, f"{_FOLDER}{posixpath.normpath(text)}", repository)


def _text(value: Value) -> str:
    """Return a constant, or the default of an input, as text; empty for anything else."""
    one = value.value if isinstance(value, Asked) else value
    return one.value if isinstance(one, Known) and isinstance(one.value, str) else ""


def _note_command(state: State, command: Value | None) -> None:
    """Keep what a command such as `huggingface-cli download ORG/NAME --local-dir FOLDER` downloads."""
    words = command.items if isinstance(command, Items) else (command,)
    texts = [word.value for word in words if isinstance(word, Known) and isinstance(word.value, str)]
    for pattern in (_COMMAND, _CLONE):
        found = pattern.search(" ".join(texts))
        if found is not None and command is not None:
            repository = found[1]
            folder = found[2] or (posixpath.basename(repository) if pattern is _CLONE else repository)
            _remember(state, Known(command.where, folder), Known(command.where, repository))


def located(state: State, value: Value) -> Place:
    """Return the repository that a path was downloaded from, and what the path names inside it."""
    folders = {
        name.removeprefix(_FOLDER): repository
        for name, repository in state.heap.cell(state.process_wide).items()
        if name.startswith(_FOLDER)
    }

    def found(one: Value) -> tuple[Value, str]:
        if isinstance(one, Known) and isinstance(one.value, str):
            path = posixpath.normpath(one.value)
            for folder in sorted(folders, key=len, reverse=True):
                if path == folder or path.startswith(f"{folder}/"):
                    return folders[folder], path[len(folder) + 1 :]
        return one, ""

    if not folders:
        return Place(value, None)
    inner = lift(lambda one: Known(one.where, found(one)[1]), [value])
    has_path = any(_text(one) for one in alternatives(inner))
    return Place(lift(lambda one: found(one)[0], [value]), inner if has_path else None)
