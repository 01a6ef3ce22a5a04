"""Measure when the distance of a step may end a run: `python -m benchmarks.early_stops` compares pairs of settings.

A pair is a target and a run that differs from it in one setting. Of each is measured how far the latents are apart
after each step, as a share of the distance between two seeds, and how much the worst tile of the worst frame differs in
the end, as a share of that between the seeds. From some families comes the rule of `spacediff.explaining.early_stops`:
the largest ratio of the two, at any step with the target's noise level, of runs that are closer than a different seed:
no tolerance is larger. On the others it is tested, for several tolerances: a false stop is a run that ends within the
tolerance and would have been ended as certainly beyond it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spacediff.explaining.early_stops import RATIO, SMALLEST, far_from

_TESTS = Path(__file__).parents[1] / "tests"
_SEEDS, _OTHER_SEED = (42, 7), 43
_TRAINED = "tiny"
_FIT = (_TRAINED, "cogvideox-1.5", "sd-1.5", "ltx", "sd-3")
_HELD_OUT = ("cogvideox-1.0", "wan-2.1", "hunyuan", "mochi", "sdxl", "flux", "animatediff")
_FACTORS = (1e-3, 0.01, 0.05, 0.1, 0.2, 0.4)
_PROMPTS = ("a red cone and a green box meet.", "a red cone and a blue box meet", "a green box", "a lemon")
_TOLERANCES = (0.05, 0.1, 0.2, 0.3)
_QUALITY = 5.0
"""Of `export_to_video`, which is diffusers' default."""


@dataclass(frozen=True)
class Pair:
    """A run compared with the target.

    Attributes:
        family: The checkpoint.
        change: What differs.
        shares: Distance of the latents after each step, as a share of the distance between seeds.
        same_level: Whether the step's timestep is the target's, so that the latents have the same noise left.
        worst: Error of the worst tile at the end, in levels.
        between: The same of two seeds.
        codec: The same of the target and what the codec makes of it.
    """

    family: str
    change: str
    shares: tuple[float, ...]
    same_level: tuple[bool, ...]
    worst: float
    between: float
    codec: float

    @property
    def drift(self) -> float:
        """The error of the worst tile as a share of that between seeds."""
        return self.worst / self.between

    @property
    def ratio(self) -> float:
        """The largest distance at any step, by the drift that came of it; 8-bit levels hide the smallest drifts."""
        return self.farthest / max(self.drift, SMALLEST)

    @property
    def farthest(self) -> float:
        """The largest distance at a step with the target's noise level; only there a distance ends a run."""
        return max((each for each, same in zip(self.shares, self.same_level, strict=True) if same), default=0.0)

    def end(self, far: float) -> int | None:
        """Return the step at which the run would end; None where it would not."""
        steps = enumerate(zip(self.shares, self.same_level, strict=True), 1)
        return next((step for step, (share, same) in steps if same and share >= far), None)


def main() -> int:
    """Generate the pairs, fit the rule, and print what it does on the other families."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.early_stops", description=__doc__)
    parser.add_argument("--fit", nargs="*", default=_FIT, help="families that give the rule")
    parser.add_argument("--held-out", nargs="*", default=_HELD_OUT, help="families that test it")
    parser.add_argument("--steps", type=int, default=6, help="denoising steps (default: 6)")
    parser.add_argument("--pairs", type=Path, help="file of pairs, one JSON object a line; families in it are not run")
    options = parser.parse_args()
    sys.path.insert(0, str(_TESTS))
    pairs = _read(options.pairs) if options.pairs and options.pairs.exists() else []
    for family in {*options.fit, *options.held_out} - {pair.family for pair in pairs}:
        found = [pair for seed in _SEEDS for pair in _pairs(family, options.steps, seed)]
        pairs += found
        if options.pairs:
            _append(found, options.pairs)
    fitted = [pair for pair in pairs if pair.family in options.fit]
    others = [pair for pair in pairs if pair.family in options.held_out]
    ratio = max(pair.ratio for pair in fitted if pair.drift < 1)
    _describe([*fitted, *others])
    sys.stdout.write(f"largest ratio in {len(fitted)} pairs of {', '.join(options.fit)}: {ratio:.2f}; used: {RATIO}\n")
    for tolerance in _TOLERANCES:
        _test(others, tolerance)
    return 0


def _describe(pairs: Sequence[Pair]) -> None:
    """Print how well distances order the drifts, and the largest ratio, by family."""
    from scipy.stats import spearmanr

    for family in dict.fromkeys(pair.family for pair in pairs):
        found = [pair for pair in pairs if pair.family == family]
        last = len(found[0].shares) - 1
        orders = [
            float(spearmanr([pair.shares[k] for pair in found], [pair.drift for pair in found]).statistic)
            for k in (0, last // 2, last)
        ]
        said = " / ".join(f"{each:.2f}" for each in orders)
        worst = max((pair for pair in found if pair.drift < 1), key=lambda pair: pair.ratio)
        sys.stdout.write(
            f"{family}: {len(found)} pairs; rank correlation at the first / middle / last step {said}; "
            f"largest ratio {worst.ratio:.2f} ({worst.change}); codec {found[0].codec / found[0].between:.2f}\n"
        )


def _test(pairs: Sequence[Pair], tolerance: float) -> None:
    """Print false stops and true ones for a tolerance, as a share of the worst tile between seeds."""
    far = far_from(tolerance, 1.0)
    within = [pair for pair in pairs if pair.drift <= tolerance]
    beyond = [pair for pair in pairs if pair.drift > tolerance]
    false = sum(pair.end(far) is not None for pair in within)
    ended = [step for pair in beyond if (step := pair.end(far)) is not None]
    steps = sum(ended) / len(ended) if ended else 0.0
    sys.stdout.write(
        f"tolerance {tolerance:.2f}, far {far:.2f}: {false} false stops of {len(within)} within it (at most "
        f"{_bound(false, len(within)):.1%}); {len(ended)} of {len(beyond)} beyond it end early, at step {steps:.1f} on "
        f"average of {len(pairs[0].shares)}\n"
    )


def _bound(false: int, of: int) -> float:
    """Return an upper limit of a rate at 95 %: three in so many where none was seen, else Clopper and Pearson's."""
    from scipy.stats import binomtest

    if not of:
        return 1.0
    return min(3 / of, 1.0) if not false else float(binomtest(false, of, alternative="less").proportion_ci().high)


def _read(path: Path) -> list[Pair]:
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    return [Pair(**line | {"shares": tuple(line["shares"]), "same_level": tuple(line["same_level"])}) for line in lines]


def _append(pairs: Sequence[Pair], path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(asdict(pair))}\n" for pair in pairs)


def _pairs(family: str, steps: int, own: int) -> Iterator[Pair]:
    """Generate the pairs of a family; a change that a pipeline refuses or that acts nowhere is left out."""
    from spacediff.errors import NotMeasuredError
    from spacediff.metrics.tiles import worst_of_clips
    from spacediff.observer.following import Seeds
    from spacediff.progress import SilentListener
    from spacediff.settings import Origin, Settings
    from spacediff.sources.local.generate import LocalSource
    from spacediff.sources.local.screening import kept_run

    source, base = LocalSource(reuse=False), _base(family, steps)

    def generate(changes: dict[str, Any], prompt: str = "", seed: int = own) -> Any:
        settings = Settings.of(base, Origin.DECLARED).changed_by(Settings.of(changes, Origin.DECLARED))
        return source.generate(settings, prompt or _prompt(), seed, SilentListener())

    target, other = generate({}), generate({}, seed=_OTHER_SEED)
    seeds = Seeds([kept_run(run.trace, run.latents.__getitem__) for run in (target, other)])
    between = worst_of_clips(target.clip.frames, other.clip.frames)
    of_seeds, codec = between.error if between else 0.0, _codec_loss(target.clip)
    for name, changes, prompt in _changes(base, target.settings):
        try:
            found = generate(changes, prompt)
        except NotMeasuredError:
            continue
        if len(found.latents) != len(target.latents) or found.clip.frames.shape != target.clip.frames.shape:
            continue
        shares = _shares(found, target, seeds)
        if not any(shares):
            continue
        times = [[step.timestep for step in run.trace.steps] for run in (target, found)]
        same = tuple(a == b for a, b in zip(*times, strict=True))
        tile = worst_of_clips(target.clip.frames, found.clip.frames)
        yield Pair(family, name, shares, same, tile.error if tile else 0.0, of_seeds, codec)


def _shares(found: Any, target: Any, seeds: Any) -> tuple[float, ...]:
    """Return the distances of two runs after each step as a run that may end early measures them; empty if unknown."""
    from spacediff.observer.following import distance, factor_to
    from spacediff.sources.local.screening import kept_run

    own, theirs = (kept_run(run.trace, run.latents.__getitem__) for run in (found, target))
    shares: list[float] = []
    for step in range(1, len(target.latents)):
        factor, unit = factor_to(found.trace.scaling, own.signal(step), theirs, step), seeds.distance(step, theirs)
        apart = None if factor is None else distance(target.latents[step], found.latents[step].double() * factor)
        if apart is None or not unit:
            return ()
        shares.append(apart / unit)
    return tuple(shares)


def _prompt() -> str:
    from support.tiny_pipelines.families import PROMPT

    return PROMPT


def _base(family: str, steps: int) -> dict[str, Any]:
    """Return the Settings of a target."""
    from spacediff.tiny.checkpoint import TRAINED
    from support.tiny_pipelines import FAMILIES, checkpoint

    if family == _TRAINED:
        call = {"num_inference_steps": steps, "num_frames": 9, "guidance_scale": 6.0}
        return {"model": {"id": TRAINED.id}, "call": call, "placement": "cpu"}
    known = FAMILIES[family]
    model = {"id": str(checkpoint(known.checkpoint)), "dtype": "float32"}
    return {"model": model, "call": {**known.call, "num_inference_steps": steps}, "placement": "cpu"}


def _changes(base: dict[str, Any], settings: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield names, changes and prompts: small and large ones of the numbers, other kernels, dtypes and schedulers."""
    scale = base["call"]["guidance_scale"]
    for factor in _FACTORS:
        for sign in (1, -1):
            yield f"guidance {sign * factor:+g}", {"call": {"guidance_scale": scale * (1 + sign * factor)}}, ""
    for prompt in _PROMPTS:
        yield f"prompt {prompt!r}", {}, prompt
    yield "bfloat16", {"model": {"dtype": "bfloat16"}}, ""
    yield "math attention", {"numerics": {"attention": "math"}}, ""
    scheduler = str(settings.value("scheduler.class"))
    if scheduler.startswith("FlowMatch"):
        for shift in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0, 5.0):
            yield (
                f"shift {shift:g}",
                {"scheduler": {"shift": shift * float(settings.value("scheduler.shift") or 1)}},
                "",
            )
    elif scheduler.startswith("CogVideoX"):
        yield "dpm", {"scheduler": {"class": "CogVideoXDPMScheduler"}}, ""
        yield "ddim", {"scheduler": {"class": "CogVideoXDDIMScheduler"}}, ""
        yield "dynamic cfg", {"call": {"use_dynamic_cfg": True}}, ""
        yield "spacing", {"scheduler": {"timestep_spacing": "linspace"}}, ""
    else:
        for other in ("DDIM", "DPMSolverMultistep", "EulerDiscrete", "EulerAncestralDiscrete", "UniPCMultistep"):
            yield other, {"scheduler": {"class": f"{other}Scheduler"}}, ""
        for rescale in (0.05, 0.3, 0.7):
            yield f"rescale {rescale}", {"call": {"guidance_rescale": rescale}}, ""


def _codec_loss(clip: Any) -> float:
    """Return what the codec does to the worst tile of a clip, in levels, whether it is a video or pictures."""
    from fractions import Fraction

    from spacediff.clip import Clip, read_clip
    from spacediff.codec import export_to_video
    from spacediff.metrics.tiles import worst_of_clips

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        export_to_video(Clip(clip.frames, Fraction(8)), path, quality=_QUALITY)
        tile = worst_of_clips(clip.frames, read_clip(path).frames)
    return tile.error if tile else 0.0


if __name__ == "__main__":
    sys.exit(main())
