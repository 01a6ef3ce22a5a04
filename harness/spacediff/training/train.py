"""Train the tiny model: `python -m spacediff.training.train --work DIR`; two hours on one core, can be interrupted.

Each stage writes a file to the working folder and is skipped if that file exists: the autoencoder on pieces of clips,
then on whole ones; the latents of the training clips; text encoder and transformer with short captions, then with all
text positions; and the weights for the package. Use a new working folder after a change of the world, a seed or a
stage.
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

from spacediff.files import move
from spacediff.tiny.architecture import TEXT_TOKENS
from spacediff.tiny.trained import WEIGHTS, build_untrained, write_weights
from spacediff.tiny.world import draw_clip, scenes
from spacediff.training.arguments import count, folder
from spacediff.training.autoencoder import Reconstructing, as_tensor
from spacediff.training.denoiser import Denoising, Latents, hidden_matrices
from spacediff.training.learning import Schedule, learn

SEED = 2026

PIECES = Schedule("autoencoder-pieces", steps=4400, rate=2e-3)
WHOLE = Schedule("autoencoder", steps=250, rate=1e-3)
SHORT = Schedule("denoiser-short", steps=14_000, rate=3e-3, decay=0.4)
FULL = Schedule("denoiser", steps=300, rate=5e-4)
PIECE_BATCH, WHOLE_BATCH, BATCH = 4, 2, 16
AUTOENCODER_CLIPS, CLIPS = 2000, 8000
SHORT_TOKENS = 16  # the longest caption has 13


@dataclass(frozen=True)
class Training:
    """A training in its working folder.

    Attributes:
        folder: The working folder, with states, curves and latents.
        device: Device in torch's notation.
        pipe: The pipeline to train.
    """

    folder: Path
    device: str
    pipe: Any


def main() -> None:
    """Continue the training in the working folder to the end, and write the weights."""
    options = _options()
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    training = Training(options.work, device, build_untrained(SEED).to(device))
    train_autoencoder(training)
    latents = encode_clips(training)
    train_denoiser(training, latents)
    write_weights(training.pipe, options.out)


def train_autoencoder(training: Training) -> None:
    """Train the autoencoder, on pieces of clips and then on whole ones."""
    clips = [clip for clip, _ in _drawn(SEED, AUTOENCODER_CLIPS)]
    for schedule, batch, whole in ((PIECES, PIECE_BATCH, False), (WHOLE, WHOLE_BATCH, True)):
        loss = Reconstructing(training.pipe.vae, clips, batch=batch, whole=whole, seed=SEED, device=training.device)
        _learn(training, schedule, training.pipe.vae, loss)


def encode_clips(training: Training) -> Latents:
    """Encode the training clips, or load their latents from the working folder."""
    import torch

    path = training.folder / "latents.pt"
    if not path.exists():
        means, deviations, captions = [], [], []
        with _progress("encoding", CLIPS) as on_step, torch.no_grad():
            for count, (clip, caption) in enumerate(_drawn(SEED + 1, CLIPS), 1):
                with torch.autocast(training.device, dtype=torch.bfloat16):
                    latents = training.pipe.vae.encode(as_tensor([clip]).to(training.device)).latent_dist
                means.append(latents.mean.float().cpu())
                deviations.append(latents.std.float().cpu())
                captions.append(caption)
                on_step(count, 0.0)
        encoded = {"means": torch.cat(means), "deviations": torch.cat(deviations), "captions": captions}
        draft = path.with_suffix(".draft")
        torch.save(encoded, draft)
        move(draft, path)
    encoded = torch.load(path, weights_only=True)
    latents = Latents(encoded["means"], encoded["deviations"], encoded["captions"])
    training.pipe.vae.register_to_config(scaling_factor=round(1.0 / float(latents.means.std()), 4))
    return latents


def train_denoiser(training: Training, latents: Latents) -> None:
    """Train text encoder and transformer, with few text positions and then with all."""
    import torch

    both = torch.nn.ModuleList([training.pipe.text_encoder, training.pipe.transformer])
    for schedule, tokens in ((SHORT, SHORT_TOKENS), (FULL, TEXT_TOKENS)):
        loss = Denoising(training.pipe, latents, batch=BATCH, tokens=tokens, seed=SEED, device=training.device)
        _learn(training, schedule, both, loss, hidden_matrices(training.pipe))


def _learn(
    training: Training, schedule: Schedule, module: Any, loss: Callable[[int], Any], hidden: Sequence[Any] = ()
) -> None:
    with _progress(schedule.name, schedule.steps) as on_step:
        learn(schedule, module, loss, training.folder, on_step, hidden=hidden)


def _drawn(seed: int, count: int) -> list[tuple[NDArray[np.uint8], str]]:
    some = itertools.islice(scenes(seed, held_out=False), count)
    return [(draw_clip(scene, np.random.default_rng([seed, n])), scene.caption) for n, scene in enumerate(some)]


class _progress:  # noqa: N801
    """A progress bar on standard error, with the loss."""

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
    parser.add_argument("--work", type=folder, required=True, help="working folder; an interrupted training continues")
    parser.add_argument("--out", type=folder, default=WEIGHTS, help="folder for the weights (default: the package)")
    parser.add_argument("--device", help="torch device (default: cuda if available, otherwise cpu)")
    parser.add_argument("--threads", type=count, help="threads of torch; the same number gives the same weights")
    options = parser.parse_args()
    if not hasattr(torch.optim, "Muon"):
        parser.error(f"training needs torch 2.9 or newer, which has Muon; found {torch.__version__}")
    return options


if __name__ == "__main__":
    main()
