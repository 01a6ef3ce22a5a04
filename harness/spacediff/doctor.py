"""The doctor: check what this machine can run."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spacediff.clip import Frame
from spacediff.devices import accelerators, missing, type_of
from spacediff.environment import LIBRARIES, VARIABLES, describe, device, version
from spacediff.errors import NotMeasuredError, SpacediffError
from spacediff.extras import INSTALL_RUN, missing_of_run
from spacediff.fitting.known import MODELS, KnownModel
from spacediff.fitting.machine import host_memory, total_memory
from spacediff.hub.asking import reach_hub
from spacediff.watch.machine import processor

_METRIC_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: What was checked.
        fine: Whether it works.
        found: What was found.
        hint: What to do about it; may be empty.
    """

    name: str
    fine: bool
    found: str
    hint: str = ""


def examine() -> list[Check]:
    """Check everything that an audit depends on; without the packages that generate, what a comparison depends on."""
    if missing_of_run():
        return [check() for check in (_generating, _processor, _variables, _memory, _video, _hub, _token)]
    checks: list[Callable[[], Check]] = [
        _libraries, _torchvision, _processor, _accelerator, _variables, _memory, _video, _metrics,
        _perceptual, _tiny, _hub, _token,
    ]  # fmt: skip
    return [*(check() for check in checks), *_fitting()]


def _generating() -> Check:
    found = f"not possible without {', '.join(missing_of_run())}; report, compare and read work"
    return Check("generating", fine=False, found=found, hint=INSTALL_RUN)


def _libraries() -> Check:
    missing = [name for name in LIBRARIES if version(name) == "not installed"]
    listed = ", ".join(f"{name} {version(name)}" for name in LIBRARIES if name not in missing)
    hint = f"install {', '.join(missing)}" if missing else ""
    return Check("libraries", not missing, f"Python {platform.python_version()}, {listed}", hint)


def _torchvision() -> Check:
    from spacediff.torchvision_shim import ShimOutcome, shim_torchvision

    outcome = shim_torchvision()
    found = {
        ShimOutcome.HEALTHY: "imports without help",
        ShimOutcome.FIXED: "built for another torch; spacediff declares its operators, so that it imports",
        ShimOutcome.ABSENT: "not installed",
        ShimOutcome.UNUSABLE: "does not import; pipelines that need it are not measured",
    }
    return Check("torchvision", outcome in {ShimOutcome.HEALTHY, ShimOutcome.FIXED}, found[outcome])


def _processor() -> Check:
    return Check("processor", fine=True, found=processor())


def _accelerator() -> Check:
    names = accelerators()
    if not names:
        return Check(
            "accelerator",
            fine=False,
            found=f"none ({missing('cuda')}): placements and generators on an accelerator and 'sequential_cpu_offload' "
            "cannot be measured",
            hint="model and group offload run on the CPU; large checkpoints need an accelerator, and a torch for it",
        )
    own = type_of(names[0])
    placements = [own] if len(names) == 1 else [f"{names[0]} to {names[-1]}"]
    return Check(
        "accelerator",
        fine=True,
        found=f"{device()}: placement {' and '.join(placements)}, rng.device {own}, and offloading run on it",
        hint="" if own == "cuda" else "what a scenario places on 'cuda' is not measured on this machine",
    )


def _fitting() -> list[Check]:
    """Say for each kind of accelerator which well-known models fit, and how."""
    cards = {(describe(name), total_memory(name)) for name in accelerators()}
    return [_fit(model, card, memory) for card, memory in sorted(cards, key=str) if memory for model in MODELS]


def _fit(model: KnownModel, card: str, memory: int) -> Check:
    frames, height, width = model.clip
    name = f"{model.name} on {card}"
    clip = f"{frames} frames of {height}x{width} in {model.dtype}"
    ways = model.ways(memory)
    if not ways:
        return Check(name, fine=False, found=f"{clip} do not fit", hint="fewer or smaller frames need less")
    short = model.on_host > host_memory()[1]
    hint = f"offloading needs {model.on_host / 2**30:.0f} GiB of this machine's memory, which is more than it has"
    return Check(name, fine=not short, found=f"{clip} fit {' or '.join(ways)}", hint=hint if short else "")


def _variables() -> Check:
    """List the environment variables that change results; a Space has its own."""
    found = [f"{name}={os.environ[name]}" for name in VARIABLES if os.environ.get(name)]
    return Check("variables", fine=True, found=", ".join(found) or "none is set that changes results")


def _memory() -> Check:
    import psutil

    free_disk = shutil.disk_usage(Path.cwd()).free / 2**30
    memory = psutil.virtual_memory().total / 2**30
    return Check("space", free_disk > 1, f"{memory:.0f} GiB of memory, {free_disk:.0f} GiB of disk free here")


def _video() -> Check:
    import av
    import imageio_ffmpeg

    try:
        found = f"PyAV {av.__version__} decodes, ffmpeg {imageio_ffmpeg.get_ffmpeg_version()} encodes as diffusers does"
    except RuntimeError as error:
        return Check("video", fine=False, found=str(error), hint="reinstall imageio-ffmpeg")
    return Check("video", fine="libx264" in av.codecs_available, found=found)


def _metrics() -> Check:
    """Compare the fast SSIM and PSNR on this machine with those of scikit-image, which define them."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    from spacediff.metrics.pixel import prepare_psnr, prepare_ssim

    ours, theirs = _drawn()
    ssim = structural_similarity(
        ours, theirs, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1
    )
    away = max(
        abs(prepare_ssim(ours)(theirs) - float(ssim)),
        abs(prepare_psnr(ours)(theirs) - float(peak_signal_noise_ratio(ours, theirs, data_range=255))),
    )
    return Check("metrics", away < _METRIC_TOLERANCE, f"SSIM and PSNR agree with scikit-image to {away:.0e}")


def _perceptual() -> Check:
    """Compare LPIPS on this machine with the package of its authors, which defines it."""
    from spacediff.metrics.lpips_package import by_lpips_package
    from spacediff.metrics.perceptual import prepare_lpips

    ours, theirs = _drawn()
    try:
        away = abs(prepare_lpips(ours)(theirs) - by_lpips_package(ours, theirs))
    except (ImportError, RuntimeError, SpacediffError) as error:
        return Check("LPIPS", fine=False, found=f"measured; cannot be compared with the package lpips: {error}")
    if away < _METRIC_TOLERANCE:
        return Check("LPIPS", fine=True, found=f"agrees with the package lpips to {away:.0e}")
    return Check("LPIPS", fine=False, found=f"differs from the package lpips by {away:.0e}", hint="install numpy again")


def _drawn() -> tuple[Frame, Frame]:
    """Draw a frame, and one that differs from it by noise."""
    import numpy as np

    random = np.random.default_rng(0)
    frame = random.integers(0, 256, (64, 96, 3), dtype=np.uint8)
    return frame, np.clip(frame + random.normal(0, 12, frame.shape), 0, 255).astype(np.uint8)


def _tiny() -> Check:
    from spacediff.tiny.checkpoint import ensure_checkpoint

    try:
        ensure_checkpoint()
    except (SpacediffError, OSError) as error:
        return Check(
            "builtin:tiny-cogvideox", fine=False, found=str(error), hint="set SPACEDIFF_CACHE to another folder"
        )
    return Check("builtin:tiny-cogvideox", fine=True, found="ready")


def _hub() -> Check:
    try:
        return Check("Hugging Face Hub", fine=True, found=f"{reach_hub()} answers")
    except NotMeasuredError as error:
        hint = "only cached Hub checkpoints can be used, and no Space; builtin: names need no network"
        return Check("Hugging Face Hub", fine=False, found=error.message, hint=hint)


def _token() -> Check:
    from huggingface_hub import get_token

    if get_token():
        return Check("Hub token", fine=True, found="present")
    return Check("Hub token", fine=False, found="none", hint="set HF_TOKEN for gated checkpoints and a GPU quota")
