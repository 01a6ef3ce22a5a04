"""Train the tiny model: `python -m spacediff.training.train --work DIR`; two hours on one core, can be interrupted.

A row of stages, each of which leaves a file in the working folder and is skipped when that is there: the autoencoder on
pieces of clips, then on whole ones; the latents of the training clips; text encoder and transformer with short
captions, then with all text positions; and the weights, as the package ships them. A working folder belongs to one
course: whoever changes the world, a seed or a stage takes a new one.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.architecture import TEXT_TOKENS
from spacediff.tiny.trained import WEIGHTS, build_untrained, write_weights
from spacediff.tiny.world import draw_clip, scenes
from spacediff.training.arguments import count, folder
from spacediff.training.autoencoder import Reconstructing, as_tensor
from spacediff.training.denoiser import Denoising, Latents, hidden_matrices
from spacediff.training.learning import Course, learn

SEED = 2026

PIECES = Course("autoencoder-pieces", steps=4400, rate=2e-3)
WHOLE = Course("autoencoder", steps=250, rate=1e-3)
SHORT = Course("denoiser-short", steps=14_000, rate=3e-3, cooling=0.4)
FULL = Course("denoiser", steps=300, rate=5e-4)
PIECE_BATCH, WHOLE_BATCH, BATCH = 4, 2, 16
AUTOENCODER_CLIPS, CLIPS = 2000, 8000
SHORT_TOKENS = 16  # the longest caption has 13


@dataclass(frozen=True)
class Workshop:
    """Where the training happens.

    Attributes:
        folder: Holds states, curves and latents.
        device: torch's name of it.
        pipe: The pipeline that is trained.
    """

    folder: Path
    device: str
    pipe: Any


def main() -> None:
    """Train from wherever the working folder stands to the weights."""
    options = _options()
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    shop = Workshop(options.work, device, build_untrained(SEED).to(device))
    train_autoencoder(shop)
    latents = encode_clips(shop)
    train_denoiser(shop, latents)
    write_weights(shop.pipe, options.out)


def train_autoencoder(shop: Workshop) -> None:
    """Train the autoencoder, on pieces of clips and then on whole ones."""
    clips = [clip for clip, _ in _drawn(SEED, AUTOENCODER_CLIPS)]
    for course, batch, whole in ((PIECES, PIECE_BATCH, False), (WHOLE, WHOLE_BATCH, True)):
        loss = Reconstructing(shop.pipe.vae, clips, batch=batch, whole=whole, seed=SEED, device=shop.device)
        _learn(shop, course, shop.pipe.vae, loss)


def encode_clips(shop: Workshop) -> Latents:
    """Return the latents of the training clips, from the working folder if they are there."""
    import torch

    path = shop.folder / "latents.pt"
    if not path.exists():
        means, deviations, captions = [], [], []
        with _progress("encoding", CLIPS) as told, torch.no_grad():
            for count, (clip, caption) in enumerate(_drawn(SEED + 1, CLIPS), 1):
                with torch.autocast(shop.device, dtype=torch.bfloat16):
                    latents = shop.pipe.vae.encode(as_tensor([clip]).to(shop.device)).latent_dist
                means.append(latents.mean.float().cpu())
                deviations.append(latents.std.float().cpu())
                captions.append(caption)
                told(count, 0.0)
        held = {"means": torch.cat(means), "deviations": torch.cat(deviations), "captions": captions}
        draft = path.with_suffix(".draft")
        torch.save(held, draft)
        draft.replace(path)
    held = torch.load(path, weights_only=True)
    latents = Latents(held["means"], held["deviations"], held["captions"])
    shop.pipe.vae.register_to_config(scaling_factor=round(1.0 / float(latents.means.std()), 4))
    return latents


def train_denoiser(shop: Workshop, latents: Latents) -> None:
    """Train text encoder and transformer, with few text positions and then with all."""
    import torch

    both = torch.nn.ModuleList([shop.pipe.text_encoder, shop.pipe.transformer])
    for course, tokens in ((SHORT, SHORT_TOKENS), (FULL, TEXT_TOKENS)):
        loss = Denoising(shop.pipe, latents, batch=BATCH, tokens=tokens, seed=SEED, device=shop.device)
        _learn(shop, course, both, loss, hidden_matrices(shop.pipe))


def _learn(shop: Workshop, course: Course, module: Any, loss: Callable[[int], Any], hidden: Sequence[Any] = ()) -> None:
    with _progress(course.name, course.steps) as told:
        learn(course, module, loss, shop.folder, told, hidden=hidden)


def _drawn(seed: int, count: int) -> list[tuple[NDArray[np.uint8], str]]:
    some = itertools.islice(scenes(seed, held_out=False), count)
    return [(draw_clip(scene, np.random.default_rng([seed, n])), scene.caption) for n, scene in enumerate(some)]


class _progress:  # noqa: N801
    """A bar on standard error, with the loss beside it."""

    def __init__(self, name: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, TextColumn("{task.fields[loss]}"), console=Console(stderr=True))
        self._task = self._bar.add_task(name, total=total, loss="")

    def __enter__(self) -> Callable[[int, float], None]:
        self._bar.start()
        return lambda step, loss: self._bar.update(self._task, completed=step, loss=f"{loss:.4f}" if loss else "")

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _options() -> argparse.Namespace:
    import torch

    parser = argparse.ArgumentParser(prog="python -m spacediff.training.train", description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=folder, required=True, help="states, loss curves and latents; goes on there")
    parser.add_argument("--out", type=folder, default=WEIGHTS, help="where the weights go (default: into the package)")
    parser.add_argument("--device", help="torch's name of it (default: cuda if there is one, else cpu)")
    parser.add_argument("--threads", type=count, help="of torch; the same number repeats the same weights")
    options = parser.parse_args()
    if not hasattr(torch.optim, "Muon"):
        parser.error(f"training needs torch 2.9 or newer, which has Muon; found {torch.__version__}")
    return options


if __name__ == "__main__":
    main()
