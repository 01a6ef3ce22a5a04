"""The parts that several families share: text encoders, tokenizers, vision encoders, Stable Diffusion's own models.

Everything is random and small, and drawn from a seed of its own, so that a part is the same in every pipeline.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacediff.tiny.tokenizer import build_tokenizer
from support.tiny_pipelines.libraries import diffusers, torch, transformers


def made(kind: Any, *arguments: Any, seed: int = 0, gain: float = 1.0, **config: Any) -> Any:
    """Make a model with random weights; `gain` multiplies its matrices, which makes what they compute more visible."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind(*arguments, **config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(gain)
    return model


def with_contrast(vae: Any, *shape: int, contrast: float = 0.5, **decoding: Any) -> Any:
    """Scale the last layer of a decoder until a picture decoded from noise of this shape has contrast.

    Args:
        vae: The autoencoder.
        shape: Shape of latents.
        contrast: Standard deviation of the decoded picture, of values from -1 to 1: to be seen, and hardly cut off.
        decoding: Further arguments of its `decode`.
    """
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        last = getattr(vae.decoder, "conv_out", None) or vae.decoder.proj_out
        last = getattr(last, "conv", last)
        last.bias.zero_()
        last.weight.mul_(contrast / float(vae.decode(noise, return_dict=False, **decoding)[0].std()))
    return vae


def t5(length: int = 226) -> dict[str, Any]:
    """T5's encoder and its tokenizer, which pads to a number of tokens."""
    tokenizer = build_tokenizer()
    tokenizer.model_max_length = length
    config = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    encoder = made(transformers.T5EncoderModel, config)
    torch.nn.init.normal_(encoder.shared.weight, generator=torch.Generator().manual_seed(0))
    return {"text_encoder": encoder, "tokenizer": tokenizer}


def clip(*, width: int = 32, layers: int = 2, projected: bool = False, act: str = "gelu") -> dict[str, Any]:
    """CLIP's text encoder and its tokenizer; `projected` for the class with a projection."""
    tokenizer = _clip_tokenizer()
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
        hidden_size=width,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=layers,
        hidden_act=act,
        projection_dim=32,
        max_position_embeddings=77,
    )
    kind = transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel
    return {"text_encoder": made(kind, config), "tokenizer": tokenizer}


def numbered(number: int, parts: dict[str, Any]) -> dict[str, Any]:
    """Rename `text_encoder` and `tokenizer` to the second or third of a pipeline."""
    return {f"{name}_{number}": part for name, part in parts.items()}


def vision_encoder(*, width: int = 32, projection: int = 32) -> Any:
    """CLIP's vision encoder with a projection."""
    config = transformers.CLIPVisionConfig(
        hidden_size=width,
        projection_dim=projection,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=224,
        intermediate_size=37,
        patch_size=32,
    )
    return made(transformers.CLIPVisionModelWithProjection, config)


def byte_tokenizer(special: Sequence[str], **config: Any) -> Any:
    """A byte-level tokenizer without merges: one token per byte, then the special ones from number 256 on."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *special]
    tokenizer = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **config)


def unet(**config: Any) -> Any:
    """Stable Diffusion's denoiser."""
    small: dict[str, Any] = {
        "block_out_channels": (8, 8),
        "layers_per_block": 1,
        "sample_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 8,
        "norm_num_groups": 2,
    }
    return made(diffusers.UNet2DConditionModel, **small | config)


def image_vae(*, channels: int = 4, **config: Any) -> Any:
    """The autoencoder of Stable Diffusion and its heirs: one factor of two."""
    small: dict[str, Any] = {
        "block_out_channels": (8, 8),
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "latent_channels": channels,
        "norm_num_groups": 2,
    }
    return with_contrast(made(diffusers.AutoencoderKL, **small | config), 1, channels, 32, 32)


def flow_vae() -> Any:
    """The autoencoder of SD3 and Flux: shifted latents, no convolutions beside the quantisation."""
    return image_vae(use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.0609, scaling_factor=1.5035)


def _clip_tokenizer() -> Any:
    """CLIP's tokenizer without merges: one token per character."""
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    start, end = "<|startoftext|>", "<|endoftext|>"
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), start, end]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(pieces)}), "utf-8")
        (Path(folder) / "merges.txt").write_text("#version: 0.2\n", "utf-8")
        special = {"bos_token": start, "eos_token": end, "unk_token": end, "pad_token": end}
        return transformers.CLIPTokenizer.from_pretrained(folder, model_max_length=77, **special)
