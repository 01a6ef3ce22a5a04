"""Generate on the stand-in accelerator: `python -P -m support.standin.generations`, which torch gives the device.

Standard input: the bytes of the weights and the runs, as JSON. Standard output: JSON, the use of memory after each run,
and the bytes that are left on the device when the garbage of all runs has been collected. It is not collected between
runs: what a run leaves behind is what counts.
"""

from __future__ import annotations

import functools
import gc
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from spacediff.errors import NotMeasuredError
from spacediff.progress import SilentListener
from spacediff.settings import Origin, Settings
from spacediff.torchvision_shim import shim_torchvision

PROMPT = "A hand squeezes half a lemon over a glass bowl"


@dataclass(frozen=True)
class Generation:
    """A run to be generated.

    Attributes:
        settings: Its settings, as tables.
        cap: What tensors may occupy on the device from this run on, in multiples of the weights.
        fresh: Whether nothing is reused.
    """

    settings: dict[str, Any]
    cap: float | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Outcome:
    """What is left of a run.

    Attributes:
        digest: Identity of the clip; empty if there is none.
        denoised: Forwards of the transformer, one for each denoising step that was begun.
        code: Code of the error; empty if there is none.
        message: The error's text.
        in_use: Bytes on the device after the run.
        peak: Most bytes on the device during the run.
        host_in_use: Bytes of host memory that tensors occupy after the run.
        host_peak: Most bytes of host memory that tensors occupied during the run.
        parameters: Bytes of the parameters that are alive, wherever they are and whether they are mapped or read.
    """

    digest: str
    denoised: int
    code: str
    message: str
    in_use: int
    peak: int
    host_in_use: int
    host_peak: int
    parameters: int


def _counted_denoising() -> list[None]:
    """Return a list that grows with every forward of a transformer; one that is skipped does not count."""
    shim_torchvision()
    from diffusers import CogVideoXTransformer3DModel

    forwards: list[None] = []
    forward = CogVideoXTransformer3DModel.forward

    @functools.wraps(forward)
    def counted(*args: Any, **kwargs: Any) -> Any:
        forwards.append(None)
        return forward(*args, **kwargs)

    CogVideoXTransformer3DModel.forward = counted
    return forwards


def outcomes(generations: Sequence[Generation], weights: int) -> Iterator[Outcome]:
    """Generate runs one after the other in this process, which must have the stand-in."""
    import torch

    from spacediff.sources.local.generate import LocalSource

    device = cast("Any", torch).npu
    source, forwards = LocalSource(), _counted_denoising()
    for generation in generations:
        if generation.cap is not None:
            device.set_cap(int(generation.cap * weights))
        device.reset_peak_memory_stats()
        device.reset_max_host_memory_allocated()
        forwards.clear()
        digest = code = message = ""
        try:
            settings = Settings.of(generation.settings, Origin.DECLARED)
            digest = source.generate(settings, PROMPT, 42, SilentListener(), fresh=generation.fresh).clip.digest
        except NotMeasuredError as error:
            code, message = error.code, error.message
        yield Outcome(
            digest,
            len(forwards),
            code,
            message,
            device.memory_allocated(),
            device.max_memory_allocated(),
            device.host_memory_allocated(),
            device.max_host_memory_allocated(),
            _bytes_of_parameters(),
        )


def _bytes_of_parameters() -> int:
    from torch.nn import Parameter

    return sum(each.nbytes for each in gc.get_objects() if issubclass(type(each), Parameter))


def main() -> None:
    import torch

    asked = json.load(sys.stdin)
    generations = [Generation(**each) for each in asked["generations"]]
    results = [asdict(outcome) for outcome in outcomes(generations, asked["weights"])]
    gc.collect()
    kept = cast("Any", torch).npu.memory_allocated()
    print(json.dumps({"outcomes": results, "kept": kept}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
