"""One audit of each tiny pipeline, with all that the table of docs/pipelines.md says about it.

The scenario has a planted cause, both kinds of offloading, isolated steps, and a run that takes over the denoising of
the baseline. The audit runs in this process, with the worker that otherwise has a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from numpy.typing import NDArray
from PIL import Image

from spacediff.audit import audit
from spacediff.clip import read_clip
from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.record import AuditRecord, RunRecord, TraceRecord
from spacediff.reporting.html import write_report
from spacediff.scenario.scenario import parse_scenario
from support.in_process import InProcess
from support.tiny_pipelines import Family, checkpoint

SEED = 42
ADAPTERS = {
    "lora": ("sd-1.5-lora", "pytorch_lora_weights.safetensors"),
    "textual_inversion": ("sd-1.5-embedding", "learned_embeds.safetensors"),
    "ip_adapter": ("sd-1.5-ip-adapter", "ip-adapter.safetensors"),
}
"""What is loaded beside a checkpoint, with the name of its folder and its file."""

PLACEMENTS = ("model_cpu_offload", "group_offload")


@dataclass(frozen=True)
class Audited:
    """A finished audit of a pipeline.

    Attributes:
        family: The pipeline.
        record: Its record.
        folder: The audit folder.
    """

    family: Family
    record: AuditRecord
    folder: Path

    def run(self, name: str) -> RunRecord:
        """Return a run by its name."""
        return next(run for run in self.record.runs if run.name == name)

    def frames(self, name: str) -> NDArray[np.uint8]:
        """Return the frames of a run, `[T, H, W, 3]`."""
        run = self.run(name)
        assert run.clip, f"{name}: {run.reason}"
        return read_clip(self.folder / run.clip.lossless).frames

    @property
    def trace(self) -> TraceRecord:
        """The trace of the baseline."""
        baseline = self.run("baseline")
        assert baseline.trace, baseline.reason
        return baseline.trace


def audited(family: Family, folder: Path) -> Audited:
    """Audit a pipeline into a folder, and write its report."""
    folder.mkdir(parents=True, exist_ok=True)
    text = tomlkit.dumps(_scenario(family, folder))
    plan = plan_scenario(parse_scenario(text, folder / "scenario.toml"))
    record = audit(plan, folder / "audit", SilentListener(), InProcess({"device": "cpu"}))
    write_report(record, folder / "audit")
    return Audited(family, record, folder / "audit")


def plain_job(family: Family, folder: Path, *, planted: bool = False, truncated: bool = False) -> dict[str, Any]:
    """Return the job for the plain script that is the baseline of the audit, or one of its variants."""
    tables = family.planted if planted else {}
    return {
        "pipeline": family.pipeline,
        "checkpoint": str(checkpoint(family.checkpoint)),
        "call": {**family.call, **tables.get("call", {})},
        "scheduler": tables.get("scheduler"),
        "inputs": written_inputs(family, folder),
        "prompt": family.prompt if family.text else "",
        "seed": SEED,
        "adapters": {family.adapter: str(checkpoint(ADAPTERS[family.adapter][0]))} if family.adapter else {},
        "truncated": truncated,
    }


def written_inputs(family: Family, folder: Path) -> dict[str, str | list[str]]:
    """Write the pictures that a pipeline takes, and return their paths by argument; those of a video are a list."""
    return {name: _write_input(folder, name, family.frames) for name in family.inputs}


def _write_input(folder: Path, name: str, frames: int) -> str | list[str]:
    if name == "video":
        return [_saved(folder / f"{number}.png", _picture(number)) for number in range(frames)]
    return _saved(folder / f"{name}.png", _mask() if name == "mask_image" else _picture(0))


def _saved(path: Path, pixels: NDArray[np.uint8]) -> str:
    Image.fromarray(pixels).save(path)
    return str(path)


def _picture(number: int) -> NDArray[np.uint8]:
    """Draw colours that run across a square of 64 pixels, and that move with the number."""
    y, x = np.mgrid[0:64, 0:64]
    return np.stack([x * 3 + number * 5, y * 4, (x + y) * 2], axis=-1).astype(np.uint8)


def _mask() -> NDArray[np.uint8]:
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    return mask


def _scenario(family: Family, folder: Path) -> dict[str, Any]:
    model = {"id": str(checkpoint(family.checkpoint)), "dtype": "float32"}
    if family.explicit:
        model["pipeline"] = family.pipeline
    prompt: dict[str, Any] = {"seed": SEED}
    if family.text:
        prompt["text"] = family.prompt
    if family.inputs:
        prompt["inputs"] = written_inputs(family, folder)
    rate = {"output": {"fps": 8}} if family.medium == "video" else {}
    return {
        "title": family.pipeline,
        "prompts": {"p": prompt},
        "baseline": {"model": model, "call": dict(family.call), "placement": "cpu", **rate, **_adapters(family)},
        "variants": {
            "planted": dict(family.planted),
            "resumed": {"output": {"rounding": "truncate"}},
            **{placement: {"placement": placement} for placement in PLACEMENTS},
            "target": {"from": ["planted", "model_cpu_offload"] if family.offloads else "planted"},
        },
        "reference": {"variant": "target"},
        # of random weights nobody sees which difference is small
        "explain": {"from": "baseline", "to": "target", "tolerance": 0},
        "steps": {"alone": ["planted"]},
        "scale": {"seeds": 1},
    }


def _adapters(family: Family) -> dict[str, Any]:
    if not family.adapter:
        return {}
    name, file = ADAPTERS[family.adapter]
    table = {"id": str(checkpoint(name)), "weight_name": file}
    tables: dict[str, Any] = {
        "lora": [{"name": "tiny", **table}],
        "textual_inversion": {"tiny": table},
        "ip_adapter": table,
    }
    return {family.adapter: tables[family.adapter]}
