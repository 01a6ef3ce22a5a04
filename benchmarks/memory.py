"""What known models need in memory, in MiB, from their published configurations: `python -m benchmarks.memory`.

Prints `MODELS` of `harness/spacediff/fitting/known.py`. No weights are downloaded or loaded: the pipelines run with
their models on the meta device, as before an audit. The configurations are the defaults of diffusers' classes, which
are those of CogVideoX-2b and Wan2.1-T2V-14B, with the differences of the others' `config.json`; the text encoders are
T5 v1.1 XXL (google/t5-v1_1-xxl) and UMT5 XXL (google/umt5-xxl).
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.fitting.known import KnownModel
from spacediff.fitting.measuring import answer, build_models
from spacediff.fitting.need import Part
from spacediff.tiny.tokenizer import build_tokenizer
from spacediff.torchvision_shim import shim_torchvision

_MIB = 2**20
_XXL = {
    "d_model": 4096,
    "d_kv": 64,
    "d_ff": 10240,
    "num_layers": 24,
    "num_heads": 64,
    "feed_forward_proj": "gated-gelu",
}


@dataclass(frozen=True)
class Published:
    """A published model.

    Attributes:
        name: Its name.
        pipeline: Class of its pipeline.
        dtype: The data type that its card recommends.
        clip: Frames, height and width of its usual clip.
        transformer: Configuration of its transformer, where it is not the default.
    """

    name: str
    pipeline: str
    dtype: str
    clip: tuple[int, int, int]
    transformer: Mapping[str, Any]


PUBLISHED = (
    Published("CogVideoX-2b", "CogVideoXPipeline", "float16", (49, 480, 720), {}),
    Published(
        "CogVideoX-5b",
        "CogVideoXPipeline",
        "bfloat16",
        (49, 480, 720),
        {"num_attention_heads": 48, "num_layers": 42, "use_rotary_positional_embeddings": True},
    ),
    Published(
        "Wan2.1-T2V-1.3B",
        "WanPipeline",
        "bfloat16",
        (81, 480, 832),
        {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
    ),
    Published("Wan2.1-T2V-14B", "WanPipeline", "bfloat16", (81, 720, 1280), {}),
)


def measured(model: Published) -> KnownModel:
    """Measure a model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(model, folder)
        frames, height, width = model.clip
        sizes = {"num_frames": frames, "height": height, "width": width}
        calls = [{"arguments": sizes, "vae": {"tiling": tiling}, "fused": True} for tiling in (False, True)]
        found = answer({"folder": name, "pipeline": None, "dtype": model.dtype, "device": None, "calls": calls})
        weights = {part: _weights(each) for part, each in build_models(folder, model.dtype).items()}
    whole, tiled = (call["peaks"] for call in found["calls"])
    tiled["vae"] += 2 * math.prod(found["calls"][0]["clip"]) * 2 * found["calls"][1]["cut_off"]
    parts = {
        part: Part(_mib(size + found["extra"].get(part, 0)), _mib(largest), _mib(whole[part]))
        for part, (size, largest) in weights.items()
    }
    return KnownModel(model.name, model.dtype, model.clip, parts, _mib(tiled["vae"]))


def _write(model: Published, folder: Path) -> None:
    """Write the checkpoint's folder without weights; the tokenizer only has to be one."""
    shim_torchvision()
    import transformers
    from diffusers import CogVideoXDDIMScheduler, UniPCMultistepScheduler

    wan = model.pipeline == "WanPipeline"
    encoder = "UMT5EncoderModel" if wan else "T5EncoderModel"
    vocabulary = 256_384 if wan else 32_128
    config = getattr(transformers, encoder).config_class(vocab_size=vocabulary, **_XXL).to_dict()
    models: dict[str, tuple[str, str, Mapping[str, Any]]] = {
        "text_encoder": ("transformers", encoder, config),
        "transformer": (
            "diffusers", "WanTransformer3DModel" if wan else "CogVideoXTransformer3DModel", model.transformer,
        ),
        "vae": ("diffusers", "AutoencoderKLWan" if wan else "AutoencoderKLCogVideoX", {}),
    }  # fmt: skip
    for name, (_, _, each) in models.items():
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(each), "utf-8")
    scheduler = (
        UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
        if wan
        else CogVideoXDDIMScheduler()
    )
    tokenizer = build_tokenizer()
    others = {"tokenizer": ("transformers", tokenizer), "scheduler": ("diffusers", scheduler)}
    for name, (_, each) in others.items():
        each.save_pretrained(folder / name)
    index: dict[str, Any] = {"_class_name": model.pipeline}
    index |= {name: [library, kind] for name, (library, kind, _) in models.items()}
    index |= {name: [library, type(each).__name__] for name, (library, each) in others.items()}
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")


def _weights(model: Any) -> tuple[int, int]:
    sizes = [weight.numel() * weight.itemsize for weight in model.parameters()]
    return sum(sizes), max(sizes)


def _mib(size: int) -> int:
    return math.ceil(size / _MIB)


def _lines() -> Iterator[str]:
    for model in PUBLISHED:
        known = measured(model)
        yield f'    KnownModel("{known.name}", "{known.dtype}", {known.clip}, {{'
        yield from (
            f'        "{name}": Part({part.weights}, {part.largest}, {part.activations}),'
            for name, part in known.parts_in_mib.items()
        )
        yield f"    }}, tiled_decoding={known.tiled_decoding}),"


if __name__ == "__main__":
    for line in _lines():
        print(line)
