"""What the stages of a run cost on this machine: `python -m benchmarks.scaling_costs > benchmarks/scaling_costs.json`.

Encoding, transfer and scoring depend on the size of a clip and not on the model, so they are measured with a drawn clip
of 49 frames of 480x720 and latents of 50 steps. They are seconds of processor time, which do not depend on what else
the machine does. Loading and generating are measured with the tiny model; for CogVideoX-5b on an H100 they are the
figures that `PUBLISHED` names.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.drawn_clips import clips
from benchmarks.variants import PROMPT, SEED
from spacediff.clip import Clip, read_frames
from spacediff.distributed.transfer import arrived, listed, pieces, read_piece, write_piece
from spacediff.metrics import METRICS
from spacediff.metrics.scoring import measure
from spacediff.progress import SilentListener
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker.files import write_run
from spacediff.worker.local import LocalWorker

PUBLISHED = {
    "generate": 90.0,
    "load": 20.0,
    "source": "50 steps of CogVideoX-5b on an H100: github.com/zai-org/CogVideo, table of models, about 90 s; "
    "21.5 GB of weights at 1 GB/s",
}
_FRAMES = 49
_LATENTS = (51, 1, 13, 16, 60, 90)
"""Latents before the first of 50 steps and after each, as the pipeline has them for this clip, in half precision."""
_LINK = 1.25e9
"""Bytes a second between a node and the audit folder: 10 Gbit/s."""


def main() -> None:
    """Measure, and print the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        found = _of_clip(Path(folder)) | {"tiny": _of_tiny_model(Path(folder))}
    command = "python -m benchmarks.scaling_costs > benchmarks/scaling_costs.json"
    json.dump({"command": command, **found, "cogvideox-5b": PUBLISHED}, sys.stdout, indent=1)
    sys.stdout.write("\n")


def _of_clip(folder: Path) -> dict[str, float]:
    reference, candidate = (Clip(pictures, Fraction(8)) for pictures in clips(_FRAMES, 1))
    draft, target = folder / "draft", folder / "target"
    draft.mkdir()
    run = Run("baseline", Role.BASELINE, Prompt("p", PROMPT, SEED), "diffusers")
    encode = _seconds(partial(write_run, run, "key", Produced(candidate, Settings(), "drawn", 0.0), draft))
    noise = np.random.default_rng(0).standard_normal(_LATENTS, np.float32).astype(np.float16)
    (draft / "latents.zip").write_bytes(noise.tobytes())
    sent = listed(draft, sorted(path.name for path in draft.iterdir()))

    def transfer() -> None:
        for each in sent:
            for offset, piece in pieces(each, partial(read_piece, draft)):
                write_piece(target, each.name, offset, piece)
            arrived(target, each)

    transferred = _seconds(transfer)
    score = _seconds(partial(measure, iter(reference.frames), {"clip": read_frames(draft / "clip.mkv")}, METRICS))
    return {
        "encode": round(encode, 2),
        "score": round(score, 2),
        "bytes": sum(each.size for each in sent),
        "verify": round(transferred, 2),
        "link_bytes_a_second": _LINK,
    }


def _of_tiny_model(folder: Path) -> dict[str, float]:
    base = {"model": {"id": RANDOM.id}, "call": {"num_inference_steps": 50, "num_frames": 13}, "placement": "cpu"}
    run = Run("baseline", Role.BASELINE, Prompt("p", PROMPT, SEED), "diffusers", Settings.of(base, Origin.DECLARED))
    worker = LocalWorker({}, ends=folder / "ends")
    seconds = []
    for number in (1, 2):
        draft = folder / f"tiny-{number}"
        draft.mkdir()
        again = Run(run.name, run.role, run.prompt, run.source, run.settings, repeat=number)
        seconds.append(_seconds(partial(worker.produce, again, f"{number:024}", draft, SilentListener())))
    worker.close()
    return {"load": round(max(seconds[0] - seconds[1], 0.0), 2), "generate": round(seconds[1], 2)}


def _seconds(act: Callable[[], object]) -> float:
    """Return the processor time of an action in seconds, that of its child processes included."""
    before = time.process_time() + _of_children()
    act()
    return time.process_time() + _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
