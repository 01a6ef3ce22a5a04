"""What to change by hand, as lines that can be typed, where no patch does it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from spacediff.catalogue.pipelines import fits
from spacediff.python_code import as_code
from spacediff.reading import Reading
from spacediff.scenario.owned import RUNS_CODE
from spacediff.settings import Origin
from spacediff.why.code import library_of
from spacediff.why.compared import UNSET, SourceDifference
from spacediff.why.proposals.calls import refusal
from spacediff.why.proposals.loading import TEXTS_OF_LOADING
from spacediff.why.proposals.methods import lora_lines, lora_of

_SAVES_MEMORY = re.compile(
    r"numerics\.attention_slicing|vae\.(?:slicing|tiling|tile_.*)|load\.quantization_config|components\.\w+\.quantization.*"
)
"""Settings by which a script fits a machine: without them it may not run there."""

_GIVEN_WHEN_RUN = {"argument": "run the script with {} {}", "environment variable": "run the script with {}={}"}
"""Kinds of inputs that whoever runs the script gives, and how."""


def words(row: SourceDifference, differences: Iterable[SourceDifference], reason: str = "") -> str:
    """Return how to remove a difference by hand.

    Args:
        row: The difference.
        differences: All differences, since one line for a LoRA removes several.
        reason: Why no patch removes it; empty if there is no general reason.
    """
    if row.known and (row.known.size == "none" or row.path == "placement"):  # the machine may not have that device
        return row.known.change
    known = f"; {row.known.change}" if row.known and row.path != "model.pipeline" else ""
    by_path = {each.path: each for each in differences}
    if row.path == "model.id" and (pipeline := by_path.get("model.pipeline")):
        return f"load {row.right.value!r} with {pipeline.right.value}, not with {pipeline.left.value}"
    if row.path.startswith("lora.") and not reason:
        return _lora(row, by_path) + known
    return (reason or _change(row)) + known


def kept_for_memory(row: SourceDifference) -> str:
    """Return the advice to keep what saves memory, as long as it is not known to be a cause; empty for the rest."""
    if not _SAVES_MEMORY.fullmatch(row.path):
        return ""
    kept = "leave it as it is, since it decides how much memory is needed"
    return f"{kept}; where it is measured to be a cause, {_change(row)}"


def reason_by_hand(row: SourceDifference, name: str, signature: str, script: Reading, space: Reading) -> str:
    """Return why a difference is never patched, with what to do instead; empty if a patch may remove it.

    Args:
        row: The difference.
        name: The file name of the script; empty if it is no file that can be patched.
        signature: The class whose arguments its call has; empty if it is unknown.
        script: What was read of it.
        space: What was read of the Space.
    """
    return (
        _with_another_checkpoint(row, script.settings.value("model.pipeline"))
        or _never(row)
        or _outside_the_file(row, name, script)
        or _without_a_constant(row, space)
        or _refused(row, signature)
    )


def _with_another_checkpoint(row: SourceDifference, pipeline: object) -> str:
    if row.path != "model.id":
        return ""
    if _is_one_file(row.left.value) is not _is_one_file(row.right.value):
        method = "from_single_file" if _is_one_file(row.right.value) else "from_pretrained"
        return f"load {row.right.value!r} with {method}(...) ({row.left.where})"
    if fits(pipeline, row.right.value):
        return ""
    return (
        f"do not load {row.right.value} into the script's {pipeline}, whose weights have other inputs: change the "
        "class of the pipeline with it"
    )


def _never(row: SourceDifference) -> str:
    comes_with_others = row.path.startswith("vae.") or (row.path.startswith("lora.") and row.left is UNSET)
    is_harmless = row.known is not None and row.known.size == "none" and not comes_with_others
    if row.path in RUNS_CODE:
        return f"{_change(row)}; it runs code of others, so it is never part of a patch"
    return _change(row) if row.path == "placement" or is_harmless else ""


def _outside_the_file(row: SourceDifference, name: str, script: Reading) -> str:
    given = script.inputs.get(row.path)
    file = row.left.where.partition(":")[0]
    if given is not None and given.kind in _GIVEN_WHEN_RUN and row.right is not UNSET:
        return _GIVEN_WHEN_RUN[given.kind].format(given.label, _in_a_shell(row.right.value))
    is_elsewhere = row.left.origin is Origin.READ and name and file not in {"", name}
    return f"{_change(row)}, which is another file" if is_elsewhere else ""


def _without_a_constant(row: SourceDifference, space: Reading) -> str:
    """Return the reason for what the Space has and no constant can stand for: its own code, or a part left out."""
    value, where = row.right.value, row.right.where
    is_loading = row.path.startswith("load.") and row.right is not UNSET and row.path not in TEXTS_OF_LOADING
    if row.path == "model.pipeline" and not library_of(str(value)):
        return f"the Space uses {value}, which diffusers does not have ({where}): copy its code"
    if is_loading and value is None:
        return f"the Space leaves this part out ({where}): do so together with what it gives instead"
    if row.path in space.described or (is_loading and isinstance(value, str)):
        return f"the Space uses {value}, which is no constant ({where}): copy its code"
    return ""


def _refused(row: SourceDifference, signature: str) -> str:
    if not row.path.startswith("call.") or row.right is UNSET:
        return ""
    refused = refusal(signature, row.path.removeprefix("call."))
    return f"the Space sets it to {row.right.value!r} ({row.right.where}); {refused}" if refused else ""


def _is_one_file(model: object) -> bool:
    """Whether a checkpoint is a single file, which only `from_single_file` loads, and no repository or folder."""
    return str(model).lower().endswith((".safetensors", ".ckpt", ".gguf", ".bin", ".pt", ".pth", ".sft"))


def _in_a_shell(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[\w.:/+-]+", text) else as_code(text)


def _change(row: SourceDifference) -> str:
    if row.right is UNSET:
        what = "remove it" if row.left.origin is Origin.READ else "do not set it"
        return f"{what} ({row.left.where})"
    if row.left is UNSET:
        return f"set it to {row.right.value!r}: the script does not set it"
    return f"change it to {row.right.value!r} ({row.left.where})"


def _lora(row: SourceDifference, differences: Mapping[str, SourceDifference]) -> str:
    """Return the line that loads, scales or fuses a LoRA as the Space does, if a single line does it."""
    name, key = lora_of(row.path)
    is_new = row.left is UNSET
    values = {lora_of(path)[1]: each.right.value for path, each in differences.items() if lora_of(path)[0] == name}
    lines = {line.split("(")[0].rpartition(".")[2]: line.replace("{pipe}", "pipe") for line in lora_lines(name, values)}
    load = lines.get("load_lora_weights")
    if is_new and load and key in {"id", "weight_name"}:
        return f"add the line {load}" if key == "id" else f"comes with {load}"
    for method in {"scale": ("set_adapters", "fuse_lora"), "fused": ("fuse_lora",)}.get(key, ()):
        if method in lines and row.right is not UNSET and row.left.origin is not Origin.READ:
            return f"add the line {lines[method]}"
    return _change(row)
