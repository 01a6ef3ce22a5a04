"""A small CLIP checkpoint with random weights, made in code: the real classes, a real tokenizer, a real processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spacediff.torchvision_shim import shim_torchvision

START, END = "<|startoftext|>", "<|endoftext|>"
TOKENS = 24
"""How many tokens a text may have."""
SIDE = 32
"""Pixels of the square that the model sees."""


def save_clip_model(folder: Path, *, seed: int = 0) -> Path:
    """Save the checkpoint as safetensors and return its folder."""
    shim_torchvision()
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    folder.mkdir(parents=True)
    tokenizer = _tokenizer(folder)
    small: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "projection_dim": 16}
    config = CLIPConfig(
        text_config=CLIPTextConfig(
            **small,
            num_hidden_layers=2,
            vocab_size=len(tokenizer),
            max_position_embeddings=TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ).to_dict(),
        vision_config=CLIPVisionConfig(**small, num_hidden_layers=2, image_size=SIDE, patch_size=8).to_dict(),
        projection_dim=16,
    )
    torch.manual_seed(seed)
    model = CLIPModel(config)
    with torch.no_grad():
        for parameter in model.parameters():  # as initialised, all pictures have nearly one embedding
            if parameter.ndim > 1:
                parameter.normal_(0, 0.3)
    model.save_pretrained(folder, safe_serialization=True)
    CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path) -> Any:
    """Return a tokenizer of letters, with a few words put together by merges; its files lie in the folder."""
    from transformers import CLIPTokenizerFast

    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    merges = [("h", "a"), ("ha", "n"), ("han", "d</w>"), ("l", "e"), ("le", "m"), ("o", "n</w>"), ("lem", "on</w>")]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges), START, END]
    vocab, listed = folder / "vocab.json", folder / "merges.txt"
    vocab.write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}), "utf-8")
    listed.write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n", "utf-8")
    # the names of both generations of transformers: files up to 4, values from 5 on
    tokenizer = CLIPTokenizerFast.from_pretrained(folder, model_max_length=TOKENS)
    tokenizer.save_pretrained(folder)
    return tokenizer
