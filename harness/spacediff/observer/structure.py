"""The parts of a pipeline that take part in a generation: inner pipelines, schedulers, denoisers, encoders, decoders.

The key insight: names differ between families (`vae`, `movq`, `vqgan`; `transformer`, `unet`, `prior`), so a part is
recognised by its methods where that is possible. Combined pipelines hold inner pipelines that share their parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_DENOISERS = ("transformer", "unet", "prior", "decoder", "denoiser")
_NO_DENOISERS = ("text", "encoder", "tokenizer", "processor", "scheduler", "vae", "controlnet", "vocoder", "extractor")
"""`text` for the decoder of a caption, which UniDiffuser has."""
_NO_DECODERS = ("tokenizer", "processor", "extractor")


def pipelines_of(pipeline: Any) -> list[Any]:
    """Return a pipeline and the inner pipelines of a combined one, such as `prior_pipe` and `decoder_pipe`."""
    return [pipeline, *(found for _, found in _attributes(pipeline) if _is_pipeline(found))]


def schedulers_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the schedulers of a pipeline and its inner pipelines by name, each once."""
    return _parts(pipeline, lambda name, part: "scheduler" in name and callable(getattr(part, "step", None)))


def decoders_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return what decodes latents to pictures, by name, each once: everything with `encode` and `decode`."""
    return _parts(pipeline, _is_decoder)


def decoder_of(pipeline: Any) -> Any:
    """Return the first part that decodes latents to pictures, which is `vae` in most pipelines; None without any."""
    return next((part for _, part in decoders_of(pipeline)), None)


def denoisers_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the models that predict in the loop, by name, each once."""
    return _parts(pipeline, lambda name, part: is_denoiser(name) and _is_module(part))


def is_denoiser(name: str) -> bool:
    """Whether the name of a part is that of a model that predicts in the loop, such as `transformer_2` or `prior`."""
    return any(known in name for known in _DENOISERS) and not any(other in name for other in _NO_DENOISERS)


def text_encoders_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the text encoders, by name, each once."""
    return _parts(pipeline, lambda name, part: "text_encoder" in name and _is_module(part))


def image_encoders_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the encoders of input pictures besides the VAE, by name, each once."""
    return _parts(pipeline, lambda name, part: "image_encoder" in name and _is_module(part))


def blocks_of(pipeline: Any) -> Iterator[Any]:
    """Yield the blocks of a modular pipeline with the blocks inside them; nothing for other pipelines."""
    # the property `blocks` returns a copy
    yield from _nested(getattr(pipeline, "_blocks", None))


def _nested(block: Any) -> Iterator[Any]:
    if block is not None:
        yield block
        for inner in getattr(block, "sub_blocks", {}).values():
            yield from _nested(inner)


def _parts(pipeline: Any, wanted: Callable[[str, Any], bool]) -> list[tuple[str, Any]]:
    found: dict[int, tuple[str, Any]] = {}
    for each in pipelines_of(pipeline):
        for name, part in _attributes(each):
            if part is not None and id(part) not in found and wanted(name, part):
                found[id(part)] = (name, part)
    return list(found.values())


def _attributes(pipeline: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in vars(pipeline).items() if not name.startswith("_")]


def _is_pipeline(value: Any) -> bool:
    return callable(value) and hasattr(value, "scheduler")


def _is_decoder(name: str, part: Any) -> bool:
    if any(other in name for other in _NO_DECODERS) or "audio" in f"{name} {type(part).__name__}".lower():
        return False
    return callable(getattr(part, "encode", None)) and callable(getattr(part, "decode", None))


def _is_module(part: Any) -> bool:
    import torch

    return isinstance(part, torch.nn.Module)
