"""Agreement by CLIP (Radford et al. 2021, arXiv:2103.00020): the cosine between a frame's embedding and a text's.

That is the reference-free CLIPScore (Hessel et al. 2021, arXiv:2104.08718) without its rescaling by 2.5 and without
cutting off what is negative. The key insight is that a text is embedded once for a clip, and frames in batches: their
number decides what it costs, and the number of texts hardly does.

A checkpoint is a stranger's. Only its configuration, its tokenizer and its safetensors are fetched; pickles are never
read, its code never run.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from spacediff.clip import Frame
from spacediff.errors import CheckpointUnavailable, failure
from spacediff.files import sha256
from spacediff.metrics.perceptual import full_precision
from spacediff.metrics.semantic import Agreement
from spacediff.torchvision_shim import shim_torchvision

if TYPE_CHECKING:
    import torch

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")
_FILES = (
    *("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"),
    *_WEIGHTS,
)
_BATCH = 16
_LONGEST_SHOWN = 40
_LIBRARIES = ("torch", "transformers")


class Contrastive:
    """A CLIP checkpoint; its weights are loaded with the first clip that has to be measured.

    Args:
        folder: Its files.
        version: The commit of the Hub, or the SHA-256 of the files.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version
        self._loaded: _Loaded | None = None

    @classmethod
    def opened(cls, model: str, revision: str | None = None) -> Self:
        """Return the checkpoint of a folder or of the Hub, fetched where it is not on this machine.

        Raises:
            CheckpointUnavailable: It cannot be had, is no CLIP model, or has no safetensors.
        """
        folder, version = _files_of(model, revision)
        _refuse_what_is_no_clip(folder, model)
        return cls(folder, version or _digest(folder))

    @property
    def version(self) -> str:
        """The commit of the Hub, or the SHA-256 of the files."""
        return self._version

    @property
    def identity(self) -> str:
        """The version of the files, and of the libraries that read them."""
        return " ".join(["clip", self._version, *(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)])

    @property
    def about(self) -> str:
        """One sentence with its source."""
        return (
            "Cosine similarity of CLIP's embeddings of a frame and a text (Radford et al. 2021, arXiv:2103.00020), as "
            "in CLIPScore (Hessel et al. 2021, arXiv:2104.08718) without its factor of 2.5; the mean over all frames. "
            "Higher agrees more."
        )

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        """Measure a clip; see `spacediff.metrics.semantic.Semantic`."""
        import torch

        if self._loaded is None:
            self._loaded = _load(self._folder)
        loaded, stream, rows = self._loaded, iter(frames), []
        sizes: dict[tuple[int, int], None] = {}
        with torch.inference_mode(), full_precision(loaded.device), _silent():
            wanted = loaded.of_texts(texts)
            done = 0
            while batch := list(islice(stream, _BATCH)):
                rows.append((loaded.of_frames(batch) @ wanted.T).cpu().numpy().astype(np.float64))
                sizes[batch[0].shape[0], batch[0].shape[1]] = None
                done += len(batch)
                on_frame(done)
            remarks = [
                *loaded.cut(texts),
                *(remark for height, width in sizes if (remark := loaded.hides(height, width))),
            ]
        return Agreement(np.concatenate(rows) if rows else np.zeros((0, len(texts))), tuple(remarks))

    def close(self) -> None:
        """Free the weights."""
        if self._loaded is None:
            return
        on_gpu = self._loaded.device.type == "cuda"
        self._loaded = None
        gc.collect()
        if on_gpu:
            import torch

            torch.cuda.empty_cache()


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A loaded checkpoint.

    Attributes:
        model: `CLIPModel`, float32.
        tokenizer: Its tokenizer.
        processor: Its image processor.
        device: Where the model lies.
    """

    model: Any
    tokenizer: Any
    processor: Any
    device: torch.device

    @property
    def limit(self) -> int:
        """How many tokens a text may have, start and end among them; 77 for OpenAI's checkpoints."""
        return int(self.model.config.text_config.max_position_embeddings)

    def of_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Return unit embeddings, `[N, D]`."""
        tokens = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.limit, return_tensors="pt"
        ).to(self.device)
        found = self.model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
        return _unit(self.model.text_projection(found.pooler_output))

    def of_frames(self, frames: Sequence[Frame]) -> torch.Tensor:
        """Return unit embeddings, `[T, D]`."""
        pixels = self.processor(list(frames), return_tensors="pt", input_data_format="channels_last")["pixel_values"]
        return _unit(
            self.model.visual_projection(self.model.vision_model(pixel_values=pixels.to(self.device)).pooler_output)
        )

    def cut(self, texts: Sequence[str]) -> Iterator[str]:
        """Say which texts are longer than the model reads."""
        for text, tokens in zip(texts, self.tokenizer(list(texts))["input_ids"], strict=True):
            if len(tokens) > self.limit:
                shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
                longer = f"“{shown}” has {len(tokens)} tokens, start and end included"
                yield f"{longer}, and the model reads {self.limit}: its end was cut off"

    def hides(self, height: int, width: int) -> str:
        """Say what of a frame the model does not see; empty when it sees the whole."""
        rules: Mapping[str, Any] = self.processor.to_dict()
        size, crop = rules.get("size") or {}, rules.get("crop_size") or {}
        if not rules.get("do_center_crop") or not size.get("shortest_edge") or not rules.get("do_resize", True):
            return ""
        scale = size["shortest_edge"] / min(height, width)
        across, down = crop["width"] / (width * scale), crop["height"] / (height * scale)
        if min(across, down) >= 1 - 1 / max(height, width):
            return ""
        part = f"{across:.0%} of the width" if across < down else f"{down:.0%} of the height"
        return (
            f"of frames of {width}x{height} pixels the model sees the middle {part}, as its image processor crops them"
        )


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    import torch

    norms: torch.Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / norms


def _files_of(model: str, revision: str | None) -> tuple[Path, str]:
    """Return the folder of a checkpoint and, for one of the Hub, the commit."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder, ""
    if model.startswith((".", "/", "~")):
        raise CheckpointUnavailable(f"there is no folder {model}", hint="semantics.model names a CLIP checkpoint")
    from huggingface_hub import snapshot_download

    try:
        snapshot = Path(snapshot_download(model, revision=revision, allow_patterns=list(_FILES)))
    except Exception as error:
        raise CheckpointUnavailable(
            f"the CLIP checkpoint {model} is not on this machine and could not be fetched from the Hub: "
            f"{failure(error)}",
            hint="check the id, the network and, for gated models, HF_TOKEN; or give a folder as semantics.model",
        ) from error
    return snapshot, snapshot.name


def _refuse_what_is_no_clip(folder: Path, model: str) -> None:
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointUnavailable(
            f"{model} is no checkpoint of transformers: its config.json cannot be read",
            hint="semantics.model names a CLIP checkpoint",
        ) from error
    if kind != "clip":
        raise CheckpointUnavailable(
            f"{model} is a {kind} model, not a CLIP model", hint="semantics.model names a CLIP checkpoint"
        )
    if not any(_matches(path, _WEIGHTS) and path.suffix == ".safetensors" for path in folder.iterdir()):
        raise CheckpointUnavailable(
            f"{model} has no safetensors: weights in pickles could run code, so they are not read",
            hint="name a revision or a checkpoint with model.safetensors",
        )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if _matches(path, _FILES)):
        digest.update(f"{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in patterns)


def _load(folder: Path) -> _Loaded:
    shim_torchvision()
    import torch
    from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with _silent():
        try:
            model, told = CLIPModel.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
            processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:
            raise CheckpointUnavailable(f"the CLIP checkpoint could not be loaded: {failure(error)}") from error
    if missing := sorted(told["missing_keys"]):
        raise CheckpointUnavailable(f"the CLIP checkpoint lacks {len(missing)} weights, {missing[0]} among them")
    return _Loaded(model.float().eval().to(device), tokenizer, processor, device)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep transformers from drawing over the progress shown; what matters is raised or remarked."""
    from transformers.utils import logging

    level, shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
