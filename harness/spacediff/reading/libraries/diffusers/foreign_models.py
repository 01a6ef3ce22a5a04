"""Models of other packages that no name shows to be a pipeline, such as `wan.WanT2V(config=..., checkpoint_dir=...)`.

The key insight is that two lines show it together: one that creates an object from a checkpoint, and one that gives it
a prompt and the size or the steps of a picture. Such a call counts only if no pipeline is called.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from spacediff.reading.installed import is_model
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.calls import call_pipeline
from spacediff.reading.libraries.diffusers.names import PIPELINE
from spacediff.reading.values import (
    Absent,
    Arguments,
    External,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
)

_GENERATES = frozenset({"__call__", "generate", "infer", "inference", "predict", "sample"})
_CHECKPOINT = re.compile(r"ckpt|checkpoint|pretrained|weights|model_(path|dir|id|base|name)|^(path|root)$")
"""Arguments of a constructor that name a checkpoint."""
_OF_PICTURES = frozenset({
    "cfg_scale", "frame_num", "frames", "guidance_scale", "guide_scale", "height", "image_size", "infer_steps",
    "num_frames", "num_inference_steps", "num_steps", "sampling_steps", "size", "target_size", "target_video_length",
    "video_length", "video_size", "width",
})  # fmt: skip
"""Arguments of a call that no model of texts has."""
_MADE = "model made at "
"""Beginning of the names under which such models are kept, by the place of their constructor."""
_OTHER_PACKAGES = frozenset({"torch", "transformers", "diffusers", "gradio", "gr", "accelerate", "openai", "vllm"})


class ForeignModels(Library):
    """Recognises a model of another package by its constructor and its call together."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Remember an object that is created from a checkpoint."""
        name = function.last_name
        if not name[:1].isupper() or PIPELINE.search(function.name) or function.package in _OTHER_PACKAGES:
            return None
        given = next((value for key, value in arguments.named.items() if _CHECKPOINT.search(key)), None)
        if given is not None and function.package != name:
            where = state.where(node)
            fields = (("model.pipeline", Known(where, name)), ("model.id", given))
            state.heap.put(state.process_wide, f"{_MADE}{where}", Table(where, fields))
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Write down the call of such an object as one of a pipeline."""
        if name not in _GENERATES or not _takes_prompt(arguments) or arguments.named.keys().isdisjoint(_OF_PICTURES):
            return None
        made = _made(state, alternatives(owner)[0])
        if made is None:
            return None
        fields = {**made.named, "signature": Known(owner.where, ""), "__class__": Absent(owner.where)}
        result = call_pipeline(state, Object(owner.where, "pipeline", state.heap.new(fields)), arguments, node)
        state.calls[-1] = replace(state.calls[-1], is_guess=True)
        return result


def _takes_prompt(arguments: Arguments) -> bool:
    return bool(arguments.positional) or any("prompt" in key or key == "text" for key in arguments.named)


def _made(state: State, owner: Value) -> Table | None:
    """Return the class and the checkpoint of a model; None if it is none of another package."""
    if isinstance(owner, Unknown):
        found = state.heap.cell(state.process_wide).get(f"{_MADE}{owner.where}")
        return found if isinstance(found, Table) else None
    if not isinstance(owner, Object) or owner.kind != "part":
        return None
    name, identifier = state.get(owner, "own.class"), state.get(owner, "own.id")
    if not isinstance(name, Known) or identifier is None or is_model(str(name.value)):
        return None
    return Table(owner.where, (("model.pipeline", name), ("model.id", identifier)))
