"""The tensors of a recorded call: embeddings, the initial noise, and the latents of some steps.

They come from a safetensors file, in which nothing is executed, and each is compared with its digest in the trace.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.errors import RecordingNotReadable
from spacediff.observer.tensors import digest
from spacediff.record import TraceRecord
from spacediff.recordings.archive import unpack_tensors
from spacediff.recordings.model import RecordedCall

if TYPE_CHECKING:
    import torch

NOISE = "noise"


def embeddings_name(number: int) -> str:
    """Return the name of a text embedding, counted from 0 as in the trace."""
    return f"embeddings.{number}"


def latents_name(step: int) -> str:
    """Return the name of the latents after a step, counted from 1."""
    return f"latents.{step}"


def recorded_tensors(file: Path, call: RecordedCall, folder: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a call by name, on the CPU.

    Args:
        file: The recording.
        call: The call.
        folder: Folder for the unpacked file, which is removed.

    Raises:
        RecordingNotReadable: The recording has no tensors of this call, they are damaged, or one is not that of the
            trace.
    """
    from safetensors import SafetensorError, safe_open

    if not call.tensors:
        raise RecordingNotReadable(
            f"call {call.number} of {file.name} has no tensors", hint="record it again with its tensors"
        )
    unpacked = folder / "recorded.safetensors"
    known = _digests(call.trace)
    try:
        unpack_tensors(file, call, unpacked)
        with safe_open(unpacked, framework="pt", device="cpu") as opened:
            found = {name: opened.get_tensor(name) for name in call.tensors}
    except (SafetensorError, LookupError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        raise RecordingNotReadable(f"the tensors of call {call.number} of {file.name} are damaged") from error
    finally:
        unpacked.unlink(missing_ok=True)
    for name, tensor in found.items():
        if digest(tensor) != known.get(name):
            raise RecordingNotReadable(f"{name[:40]} of call {call.number} of {file.name} is not the recorded one")
    return found


def _digests(trace: TraceRecord | None) -> dict[str, str]:
    """Return the digests of what can be kept, by name."""
    if trace is None:
        return {}
    found = {embeddings_name(number): each for number, each in enumerate(trace.embeddings)}
    found |= {latents_name(number): step.digest for number, step in enumerate(trace.steps, 1)}
    return found | ({NOISE: trace.noise.digest} if trace.noise else {})
