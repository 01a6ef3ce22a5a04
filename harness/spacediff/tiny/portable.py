"""The tiny checkpoints as every diffusers from 0.33 on reads them, whichever wrote them.

The weights and configurations of models are the same in all versions. The tokenizer is not: transformers 5 writes a
class under a name that older versions have for another one. So it is named by the class that all of them have.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from spacediff.files import move, remove_folder
from spacediff.tiny.checkpoint import TRAINED, TinyCheckpoint, ensure_checkpoint, fingerprint

_TOKENIZER = "T5TokenizerFast"
"""Loads a `tokenizer.json` of T5 in every version of transformers; in 5 it is another name of `T5Tokenizer`."""
_UNKNOWN_TO_OLDER = ("extra_special_tokens", "backend")
"""Entries of a tokenizer's configuration that older versions take for something else."""
_FINGERPRINT = "portable-fingerprint"


def portable_checkpoint(which: TinyCheckpoint = TRAINED) -> Path:
    """Return the folder of a tiny checkpoint that every diffusers from 0.33 on loads; create it if needed.

    Raises:
        CheckpointUnavailable: The cache is not writable.
    """
    source = ensure_checkpoint(which)
    place = source.parent / "portable" / which.name
    stamp = place.parent / _FINGERPRINT
    wanted = fingerprint(source)
    if _text(stamp) == f"{wanted} {fingerprint(place) if place.is_dir() else ''}":
        return place
    remove_folder(place)
    place.parent.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
    try:
        shutil.copytree(source, draft / which.name)
        _rewrite(draft / which.name)
        if not place.exists():
            move(draft / which.name, place)
    finally:
        remove_folder(draft)
    stamp.write_text(f"{wanted} {fingerprint(place)}", encoding="ascii")
    return place


def _rewrite(folder: Path) -> None:
    index = _json(folder / "model_index.json")
    index["tokenizer"] = ["transformers", _TOKENIZER]
    settings = _json(folder / "tokenizer" / "tokenizer_config.json")
    settings = {key: value for key, value in settings.items() if key not in _UNKNOWN_TO_OLDER}
    settings["tokenizer_class"] = _TOKENIZER
    for file, content in ((folder / "model_index.json", index), (folder / "tokenizer/tokenizer_config.json", settings)):
        file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text("utf-8")))


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except (OSError, ValueError):
        return ""
