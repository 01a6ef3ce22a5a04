"""Synthetic audits: drawn clips and a made-up record, to test a report without a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip, write_preview
from spacediff.metrics.ssim_map import prepare_tile, write_tiles
from spacediff.metrics.tiles import worst_tile
from spacediff.record import (
    AuditRecord,
    ClipRecord,
    ComparisonRecord,
    EnvironmentRecord,
    GateRecord,
    GateStatus,
    Ignored,
    MapRecord,
    MetricInfo,
    MetricRecord,
    PromptRecord,
    Role,
    RunRecord,
    SettingRecord,
    Verdict,
    WorstTileRecord,
    quoted,
    with_derived,
)
from spacediff.settings import Origin
from support.drawn_scene import pictures, with_codes

Floats = NDArray[np.float64]


METRICS = [
    MetricInfo(
        name="psnr",
        title="PSNR",
        unit="dB",
        higher_is_closer=True,
        about="Peak signal-to-noise ratio of 8-bit RGB; infinite where frames are equal.",
    ),
    MetricInfo(
        name="ssim",
        title="SSIM",
        unit="",
        higher_is_closer=True,
        about="Structural similarity with an 11-pixel Gaussian window (Wang et al. 2004).",
    ),
    MetricInfo(
        name="lpips",
        title="LPIPS",
        unit="",
        higher_is_closer=False,
        about="Learned perceptual distance over AlexNet features (Zhang et al. 2018).",
    ),
]


def save_clip(folder: Path, name: str, frames: NDArray[np.uint8], fps: int) -> ClipRecord:
    """Write a clip's preview into an audit folder and describe it."""
    clip = Clip(frames, Fraction(fps))
    preview = Path("previews") / f"{name}.mp4"
    (folder / preview).parent.mkdir(parents=True, exist_ok=True)
    write_preview(clip, folder / preview)
    return ClipRecord(
        lossless=f"clips/{name}.mkv",
        preview=preview.as_posix(),
        digest=clip.digest,
        frames=len(frames),
        width=frames.shape[2],
        height=frames.shape[1],
        fps=float(fps),
    )


def setting(value: Any, origin: Origin = Origin.DECLARED, where: str = "") -> SettingRecord:
    """Shorten a setting's record."""
    return SettingRecord(value=value, origin=origin, where=where)


BASELINE_SETTINGS = {
    "call.guidance_scale": setting(6.0, Origin.DECLARED, "audit.toml:9"),
    "call.num_frames": setting(49, Origin.DECLARED, "audit.toml:9"),
    "call.num_inference_steps": setting(50, Origin.DECLARED, "audit.toml:9"),
    "call.use_dynamic_cfg": setting(False, Origin.DEFAULT, "CogVideoXPipeline.__call__"),  # noqa: FBT003 - a value
    "model.dtype": setting("bfloat16", Origin.DECLARED, "audit.toml:8"),
    "model.id": setting("zai-org/CogVideoX-5b", Origin.DECLARED, "audit.toml:8"),
    "model.revision": setting("8fc5b281006c", Origin.OBSERVED, "refs/main of the cached snapshot"),
    "numerics.attention": setting(None, Origin.UNKNOWN),
    "placement": setting("model_cpu_offload", Origin.DECLARED, "audit.toml:11"),
    "rng.device": setting("cuda", Origin.DECLARED, "audit.toml:10"),
    "rng.seed": setting(42, Origin.DECLARED, "audit.toml:5"),
    "scheduler.class": setting("CogVideoXDDIMScheduler", Origin.DEFAULT, "scheduler_config.json"),
    "scheduler.timestep_spacing": setting("linspace", Origin.DEFAULT, "scheduler_config.json"),
    "vae.tiling": setting(False, Origin.DEFAULT, "AutoencoderKLCogVideoX"),  # noqa: FBT003 - a value
}


REFERENCE_SETTINGS = {
    "call.guidance_scale": setting(7.0, Origin.READ, "app.py:171"),
    "call.num_inference_steps": setting(50, Origin.READ, "app.py:166"),
    "call.use_dynamic_cfg": setting(True, Origin.READ, "app.py:170"),  # noqa: FBT003 - a value
    "model.dtype": setting("bfloat16", Origin.READ, "app.py:52"),
    "model.id": setting("zai-org/CogVideoX-5b", Origin.READ, "app.py:52"),
    "numerics.attention": setting(None, Origin.UNKNOWN),
    "placement": setting("cuda", Origin.READ, "app.py:52"),
    "rng.device": setting("cpu", Origin.READ, "app.py:172"),
    "rng.seed": setting(42, Origin.DECLARED, "audit.toml:5"),
    "scheduler.class": setting("CogVideoXDPMScheduler", Origin.READ, "app.py:53"),
    "scheduler.timestep_spacing": setting("trailing", Origin.READ, "app.py:53"),
    "vae.tiling": setting(True, Origin.READ, "app.py:176"),  # noqa: FBT003 - a value
}


CHANGES: dict[str, dict[str, Any]] = {
    "baseline": {},
    "as-hosted": {
        "call.guidance_scale": 7.0,
        "call.use_dynamic_cfg": True,
        "placement": "cuda",
        "rng.device": "cpu",
        "scheduler.class": "CogVideoXDPMScheduler",
        "scheduler.timestep_spacing": "trailing",
    },
    "cpu-noise": {"rng.device": "cpu"},
    "dpm": {"scheduler.class": "CogVideoXDPMScheduler", "scheduler.timestep_spacing": "trailing"},
    "dynamic-cfg": {"call.use_dynamic_cfg": True},
    "on-gpu": {"placement": "cuda"},
}


def score(
    reference: NDArray[np.uint8], candidate: NDArray[np.uint8], frame_map: Sequence[tuple[int, int]]
) -> dict[str, list[float]]:
    """Score frame pairs: a true PSNR, and two curves that only look like SSIM and LPIPS."""
    errors = [
        float(np.mean((reference[left].astype(float) - candidate[right].astype(float)) ** 2))
        for left, right in frame_map
    ]
    return {
        "psnr": [math.inf if error == 0 else 10 * math.log10(255**2 / error) for error in errors],
        "ssim": [1 / (1 + error / 2500) for error in errors],
        "lpips": [0.75 * (1 - math.exp(-error / 1800)) for error in errors],
    }


SCALE = {
    "psnr": (45.0, 18.4, (17.9, 18.9)),
    "ssim": (0.9995, 0.725, (0.70, 0.75)),
    "lpips": (0.0004, 0.30, (0.28, 0.32)),
}


def compare(
    reference: RunRecord,
    candidate: RunRecord,
    pixels: dict[str, NDArray[np.uint8]],
    frame_map: list[tuple[int, int]] | None = None,
) -> ComparisonRecord:
    """Compare one clip with the reference."""
    left, right = pixels["reference"], pixels[candidate.name]
    pairs = frame_map or [(n, n) for n in range(min(len(left), len(right)))]
    per_frame = score(left, right, pairs)
    metrics = {
        info.name: _pool(per_frame[info.name], pairs, higher=info.higher_is_closer, scale=SCALE[info.name])
        for info in METRICS
    }
    identical = all(math.isinf(value) for value in per_frame["psnr"])
    drift = 0.0 if identical else metrics["psnr"].drift
    return ComparisonRecord(
        prompt=candidate.prompt,
        reference=reference.name,
        candidate=candidate.name,
        path=[quoted("Both are decoded from export_to_video, quality 5.")],
        frame_map=pairs,
        identical=identical,
        per_frame=per_frame,
        metrics=metrics,
        frames_csv=f"comparisons/{candidate.prompt}-{candidate.name}.csv",
        drift=drift,
        worst_tile=None if identical else _worst_tile(left, right, pairs),
        verdict=Verdict.IDENTICAL if identical else _verdict(drift or 0.0),
        evidence=[quoted(f"PSNR stands {drift:.2f} of the way from the floor to a different seed.")],
    )


def _worst_tile(left: NDArray[np.uint8], right: NDArray[np.uint8], pairs: Sequence[tuple[int, int]]) -> WorstTileRecord:
    found = [worst_tile(left[a], right[b], a) for a, b in pairs]
    tile = max(found, key=lambda each: each.error)
    scale = {"floor": 2.0, "ceiling": 120.0, "ceiling_spread": (100.0, 140.0), "codec": 9.0}
    return WorstTileRecord(**asdict(tile), **scale, drift=max(0.0, (tile.error - 2.0) / 118.0))


def with_map(folder: Path, comparison: ComparisonRecord, pixels: dict[str, NDArray[np.uint8]]) -> ComparisonRecord:
    """Write the SSIM map of a comparison into the audit folder; equal clips have none."""
    if comparison.identical:
        return comparison
    left, right = pixels["reference"], pixels[comparison.candidate]
    file = Path("comparisons") / comparison.prompt / comparison.candidate / "ssim.png"
    tiles = [prepare_tile(left[a])(right[b])[1] for a, b in comparison.frame_map]
    rows, columns, across = write_tiles(tiles, folder / file)
    heat = MapRecord(file=file.as_posix(), columns=columns, rows=rows, across=across)
    return comparison.model_copy(update={"map": heat})


def _pool(
    values: list[float],
    pairs: list[tuple[int, int]],
    *,
    higher: bool,
    scale: tuple[float, float, tuple[float, float]],
) -> MetricRecord:
    floor, ceiling, spread = scale
    finite = [value for value in values if math.isfinite(value)]
    pooled = sum(finite) / len(finite) if finite else math.inf
    worst = min(values) if higher else max(values)
    return MetricRecord(
        pooled=pooled,
        worst=worst,
        worst_frame=pairs[values.index(worst)][0],
        floor=floor,
        ceiling=ceiling,
        ceiling_spread=spread,
        drift=max(0.0, (pooled - floor) / (ceiling - floor)) if math.isfinite(pooled) else 0.0,
    )


def _verdict(drift: float) -> Verdict:
    limits = [(0.3, Verdict.NUMERIC_DRIFT), (0.8, Verdict.SETTINGS_DIFFER)]
    return next((verdict for limit, verdict in limits if drift < limit), Verdict.DIFFERENT_SAMPLE)


def synthetic_audit(
    folder: Path,
    *,
    frames: int = 9,
    size: tuple[int, int] = (64, 96),
    fps: int = 8,
    prompts: Sequence[str] = ("lemon",),
    coded: bool = True,
) -> AuditRecord:
    """Write previews into a folder and return the record of a whole audit with seven local runs a prompt."""
    runs: list[RunRecord] = []
    comparisons: list[ComparisonRecord] = []
    for prompt in prompts:
        pixels = pictures(frames, size)
        if coded:
            pixels = {name: with_codes(picture) for name, picture in pixels.items()}
        measured = [
            _run(prompt, name, save_clip(folder, f"{prompt}-{name}".replace(" ", "-"), picture, fps))
            for name, picture in pixels.items()
        ]
        runs += [*measured, _missing(prompt)]
        comparisons += [with_map(folder, compare(measured[0], run, pixels), pixels) for run in measured[1:]]
    record = AuditRecord(
        spacediff_version="0.1.0",
        title="CogVideoX-5b: the usual script against the Space",
        question="Same prompt, same seed 42: the Space draws the hand, my machine only draws the lemon. Why?",
        scenario='title = "CogVideoX-5b: the usual script against the Space"\n\n[prompts.lemon]\nseed = 42\n',
        scenario_name="cogvideox-lemon.toml",
        command="spacediff audit scenarios/cogvideox-lemon.toml",
        created="2025-11-22T19:13:04+00:00",
        finished=True,
        seconds=1873.4,
        prompts=[
            PromptRecord(name=prompt, text=f"A hand squeezes half a {prompt} over a glass bowl, close-up", seed=42)
            for prompt in prompts
        ],
        reference="reference",
        runs=runs,
        comparisons=comparisons,
        metrics=METRICS,
        gate=GateRecord(
            status=GateStatus.PASSED,
            variant="as-hosted",
            max_drift=0.05,
            max_worst_tile=0.05,
            reasons=[quoted("as-hosted stays within 0.05.")],
        ),
        environment=EnvironmentRecord(
            local={"python": "3.11.7", "torch": "2.13.0+cu130", "diffusers": "0.36.0", "device": "NVIDIA L40S"},
            hosted={"torch": "2.8.0", "diffusers": "0.36.0", "hardware": "zero-a10g", "commit": "5f3f1c7"},
        ),
        warnings=[quoted("The Space did not say which seed it used; its clip may come from another one.")],
    )
    return with_derived(record)


def _run(prompt: str, name: str, clip: ClipRecord) -> RunRecord:
    roles = {"reference": Role.REFERENCE, "baseline": Role.BASELINE, "seed-43": Role.SEED}
    hosted = name == "reference"
    changes = CHANGES.get(name, {"rng.seed": 43})
    ignored = Ignored(
        argument="load.use_dynamic_cfg",
        value=True,
        given_to="CogVideoXPipeline.from_pretrained",
        advice="give it to the call: call.use_dynamic_cfg = true",
    )
    return RunRecord(
        key=f"{prompt}-{name}",
        name=name,
        role=roles.get(name, Role.VARIANT),
        prompt=prompt,
        source="space" if hosted else "diffusers",
        described="Space zai-org/CogVideoX-5B-Space /generate" if hosted else "CogVideoXPipeline on this machine",
        measured=True,
        changes={} if hosted else changes,
        settings=REFERENCE_SETTINGS
        if hosted
        else BASELINE_SETTINGS | {path: setting(value, where="audit.toml:24") for path, value in changes.items()},
        ignored=[] if hosted else [ignored],
        warnings=["The clip was fetched at 8 fps."] if hosted else [],
        seconds=41.0 if hosted else 212.5,
        clip=clip.model_copy(update={"encoding": "h264 yuv420p, tv range"}) if hosted else clip,
    )


def _missing(prompt: str) -> RunRecord:
    return RunRecord(
        key=f"{prompt}-sequential",
        name="sequential",
        role=Role.VARIANT,
        prompt=prompt,
        source="diffusers",
        measured=False,
        reason="sequential offload needs a CUDA device; accelerate rebuilt a tensor as a parameter and failed",
        hint="run this variant on a machine with a GPU",
        changes={"placement": "sequential_cpu_offload"},
    )
