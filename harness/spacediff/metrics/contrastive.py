"""CLIP scores (Radford et al. 2021, arXiv:2103.00020): the cosine between the embeddings of a frame and of a text.

This is the reference-free CLIPScore (Hessel et al. 2021, arXiv:2104.08718) without its factor of 2.5 and without
clipping negative values. The key insight is that a text is embedded once per clip, and frames in batches: the cost
depends on the number of frames and hardly on the number of texts.

A checkpoint is untrusted. Only its configuration, its tokenizer and its safetensors are downloaded; pickles are never
read, and its code is never executed.
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
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from spacediff import devices
from spacediff.clip import Frame
from spacediff.errors import CheckpointUnavailable, failure, is_out_of_memory
from spacediff.files import sha256
from spacediff.metrics.semantic import Agreement
from spacediff.record import Fact, FactKind, fact
from spacediff.scenario.paths import is_path
from spacediff.torchvision_shim import shim_torchvision

if TYPE_CHECKING:
    import torch

WEIGHT_FILES = ("model.safetensors", "model-*.safetensors")
"""Patterns of the files of a checkpoint that hold weights; no others are read."""
_FILES = (
    *("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"),
    "model.safetensors.index.json",
    *WEIGHT_FILES,
)
_BATCH = 16
_LONGEST_SHOWN = 40
_LIBRARIES = ("torch", "transformers")


class Contrastive:
    """A CLIP checkpoint; its weights are loaded when the first clip is measured.

    Args:
        folder: Folder of the checkpoint.
        version: The commit on the Hub, or the SHA-256 of the files.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version
        self._loaded: _Loaded | None = None

    @classmethod
    def opened(cls, model: str, revision: str | None = None) -> Self:
        """Open a checkpoint from a folder or from the Hub; it is downloaded if it is not on this machine.

        Raises:
            CheckpointUnavailable: It is unavailable, is not a CLIP model, or has no safetensors.
        """
        folder, version = _files_of(model, revision)
        _require_clip(folder, model)
        return cls(folder, version or _digest(folder))

    @property
    def version(self) -> str:
        """The commit on the Hub, or the SHA-256 of the files."""
        return self._version

    @property
    def identity(self) -> str:
        """The version of the files and of the libraries that read them."""
        return " ".join(["clip", self._version, *(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)])

    @property
    def about(self) -> str:
        """One sentence that describes the measure and names its source."""
        return (
            "Cosine similarity of CLIP's embeddings of a frame and a text (Radford et al. 2021, arXiv:2103.00020), as "
            "in CLIPScore (Hessel et al. 2021, arXiv:2104.08718) without its factor of 2.5; the mean over all frames. "
            "Higher is a better match."
        )

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        """Measure a clip; see `spacediff.metrics.semantic.Semantic`."""
        import torch

        stream, rows = iter(frames), []
        sizes: dict[tuple[int, int], None] = {}
        with torch.inference_mode(), _full_precision(self._model.device), _silent():
            embedded = self._computed(lambda on_device: on_device.embed_texts(texts))
            done = 0
            while batch := list(islice(stream, _BATCH)):
                seen = self._computed(partial(_Loaded.embed_frames, frames=batch))
                rows.append((seen @ embedded.T).numpy().astype(np.float64))
                sizes[batch[0].shape[0], batch[0].shape[1]] = None
                done += len(batch)
                on_frame(done)
            remarks = [
                *self._model.truncation_remarks(texts),
                *(remark for height, width in sizes for remark in self._model.crop_remarks(height, width)),
            ]
        return Agreement(np.concatenate(rows) if rows else np.zeros((0, len(texts))), tuple(remarks))

    def _computed(self, embed: Callable[[_Loaded], torch.Tensor]) -> torch.Tensor:
        """Compute embeddings, on the CPU from the moment when the accelerator's memory runs out."""
        try:
            return embed(self._model).cpu()
        except Exception as error:
            if self._model.device.type == "cpu" or not is_out_of_memory(error):
                raise
        self.close()
        self._loaded = _load(self._folder, "cpu")
        return embed(self._loaded)

    @property
    def _model(self) -> _Loaded:
        if self._loaded is None:
            self._loaded = _load(self._folder)
        return self._loaded

    def close(self) -> None:
        """Free the weights."""
        self._loaded = None
        gc.collect()
        devices.release_cached_memory()


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A loaded checkpoint.

    Attributes:
        model: `CLIPModel`, float32.
        tokenizer: The checkpoint's tokenizer.
        processor: The checkpoint's image processor.
        device: Device of the model.
    """

    model: Any
    tokenizer: Any
    processor: Any
    device: torch.device

    @property
    def limit(self) -> int:
        """Maximum number of tokens of a text, including start and end; 77 for OpenAI's checkpoints."""
        return int(self.model.config.text_config.max_position_embeddings)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed texts as unit vectors, `[N, D]`."""
        tokens = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.limit, return_tensors="pt"
        ).to(self.device)
        found = self.model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
        return _unit(self.model.text_projection(found.pooler_output))

    def embed_frames(self, frames: Sequence[Frame]) -> torch.Tensor:
        """Embed frames as unit vectors, `[T, D]`."""
        pixels = self.processor(list(frames), return_tensors="pt", input_data_format="channels_last")["pixel_values"]
        return _unit(
            self.model.visual_projection(self.model.vision_model(pixel_values=pixels.to(self.device)).pooler_output)
        )

    def truncation_remarks(self, texts: Sequence[str]) -> Iterator[Fact]:
        """Yield a fact for each text that is longer than the model accepts."""
        for text, tokens in zip(texts, self.tokenizer(list(texts))["input_ids"], strict=True):
            if len(tokens) > self.limit:
                shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
                yield fact(FactKind.TEXT_CUT, text=shown, tokens=len(tokens), limit=self.limit)

    def crop_remarks(self, height: int, width: int) -> list[Fact]:
        """Note which part of a frame the model sees; empty if it sees the whole frame."""
        rules: Mapping[str, Any] = self.processor.to_dict()
        size, crop = rules.get("size") or {}, rules.get("crop_size") or {}
        if not rules.get("do_center_crop") or not size.get("shortest_edge") or not rules.get("do_resize", True):
            return []
        scale = size["shortest_edge"] / min(height, width)
        across, down = crop["width"] / (width * scale), crop["height"] / (height * scale)
        if min(across, down) >= 1 - 1 / max(height, width):
            return []
        seen = {"share": min(across, down), "across": across < down}
        return [fact(FactKind.FRAMES_CROPPED, width=width, height=height, **seen)]


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    import torch

    norms: torch.Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / norms


def _files_of(model: str, revision: str | None) -> tuple[Path, str]:
    """Return the folder of a checkpoint and, for a checkpoint from the Hub, the commit."""
    folder = Path(model)
    if folder.is_dir():
        return folder, ""
    if is_path(model):
        raise CheckpointUnavailable(f"there is no folder {model}", hint="semantics.model names a CLIP checkpoint")
    from huggingface_hub import snapshot_download

    try:
        snapshot = Path(snapshot_download(model, revision=revision, allow_patterns=list(_FILES)))
    except Exception as error:
        raise CheckpointUnavailable(
            f"the CLIP checkpoint {model} is not on this machine and could not be downloaded from the Hub: "
            f"{failure(error)}",
            hint="check the id, the network and, for gated models, HF_TOKEN; or give a folder as semantics.model",
        ) from error
    return snapshot, snapshot.name


def _require_clip(folder: Path, model: str) -> None:
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointUnavailable(
            f"{model} is not a transformers checkpoint: its config.json cannot be read",
            hint="semantics.model names a CLIP checkpoint",
        ) from error
    if kind != "clip":
        raise CheckpointUnavailable(
            f"{model} is a {kind} model, not a CLIP model", hint="semantics.model names a CLIP checkpoint"
        )
    if not any(_matches(path, WEIGHT_FILES) for path in folder.iterdir()):
        raise CheckpointUnavailable(
            f"{model} has no safetensors: pickled weights can execute code, so they are not read",
            hint="choose a revision or a checkpoint with model.safetensors",
        )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if _matches(path, _FILES)):
        digest.update(f"{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in patterns)


def _load(folder: Path, device: str | None = None) -> _Loaded:
    shim_torchvision()
    import torch
    from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

    with _silent():
        try:
            model, loading_info = CLIPModel.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
            processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:
            raise CheckpointUnavailable(f"the CLIP checkpoint could not be loaded: {failure(error)}") from error
    if missing := sorted(loading_info["missing_keys"]):
        raise CheckpointUnavailable(
            f"the CLIP checkpoint has no values for {len(missing)} weights, for example {missing[0]}"
        )
    place = torch.device(device or devices.accelerator() or "cpu")
    try:
        model = model.float().eval().to(place)
    except torch.OutOfMemoryError:
        place, model = torch.device("cpu"), model.to("cpu")
    return _Loaded(model, tokenizer, processor, place)


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Disable TF32 convolutions on a GPU, PyTorch's default there, which round their inputs to 10 bits."""
    if device.type == "cpu":
        yield
        return
    import torch

    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@contextmanager
def _silent() -> Iterator[None]:
    """Silence transformers, which would print over the progress bars; important messages become errors or remarks."""
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
