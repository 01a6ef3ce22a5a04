"""The frames that a call returned, as a script can ask for them: pictures of Pillow, arrays, tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..observer.safety import censored_in

_LATENT = "latent"


def write_frames(output: Any, output_type: Any, folder: Path | None) -> dict[str, Any]:
    """Write the first clip of an output, or its pictures, as `frames.npy`, uint8 `[T, H, W, 3]`.

    Args:
        output: What the call returned.
        output_type: Its argument of this name; None where it has none.
        folder: The folder of the file; None if the frames are only described.

    Returns:
        The medium, the shape, how many clips there were, and what else the output says; without frames, the reason.
    """
    import numpy as np

    if output_type == _LATENT:
        return {"reason": "the call returned latents"}
    pictures, is_video = _pictures_of(output)
    if pictures is None:
        return {"reason": f"the call returned {type(output).__name__}, which has no frames or images"}
    found = _levels(pictures[0] if is_video else pictures)
    if found is None:
        return {"reason": "the call returned something else than pictures"}
    if folder is not None:
        part = folder / "frames.part"
        with part.open("wb") as file:
            np.save(file, found, allow_pickle=False)
        part.replace(folder / "frames.npy")
    return {
        "medium": "video" if is_video else "pictures",
        "shape": list(found.shape),
        "clips": len(pictures) if is_video else 1,
        "audio": getattr(output, "audio", None) is not None,
        "censored": censored_in(output),
    }


def left_to_the_pipeline(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return number and size of the frames of a recorded call where its arguments left them to the pipeline.

    Args:
        call: What was written of it: `settings` by table, and `clip` as `write_frames` describes it.

    Returns:
        The values by the paths of the settings, such as `call.height`.
    """
    given, clip = call.get("settings", {}).get("call", {}), call.get("clip") or {}
    frames, height, width, _ = clip.get("shape") or [None] * 4
    found = {"height": height, "width": width, **({"num_frames": frames} if clip.get("medium") == "video" else {})}
    return {f"call.{name}": size for name, size in found.items() if size and name in given and given[name] is None}


def _pictures_of(output: Any) -> tuple[Any, bool]:
    """Return the pictures of an output, and whether they are those of videos; None without any."""
    for name, is_video in (("frames", True), ("videos", True), ("images", False)):
        found = getattr(output, name, None)
        if found is None and hasattr(output, "values") and hasattr(output, "get"):  # the state of a modular pipeline
            found = output.get(name)
        if found is not None:
            return found, is_video
    whole = output[0] if isinstance(output, tuple) and output else output
    depth = _depth(whole)
    return (whole, depth > _DEPTH_OF_PICTURES) if depth else (None, False)


_DEPTH_OF_PICTURES = 4
"""Dimensions of a batch of pictures, `[B, H, W, 3]`; a list of pictures of Pillow has as many."""


def _depth(value: Any) -> int:
    if hasattr(value, "ndim"):
        return int(value.ndim)
    if isinstance(value, list | tuple) and value:
        return 1 + _depth(value[0])
    return 3 if hasattr(value, "getbands") else 0


def _levels(pictures: Any) -> Any:
    """Return pictures as uint8 `[T, H, W, 3]`; None for anything else, such as latents."""
    import numpy as np

    if hasattr(pictures, "detach"):  # a tensor, [T, 3, H, W]
        array = pictures.detach().float().cpu().numpy()
        if array.ndim == 3:  # noqa: PLR2004 - one picture
            array = array[None]
        array = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array  # noqa: PLR2004 - [T, 3, H, W]
    elif isinstance(pictures, list | tuple) and pictures and hasattr(pictures[0], "getbands"):
        array = np.stack([np.asarray(each.convert("RGB")) for each in pictures])
    elif hasattr(pictures, "getbands"):
        array = np.asarray(pictures.convert("RGB"))[None]
    else:
        array = np.asarray(pictures)
        array = array[None] if array.ndim == 3 else array  # noqa: PLR2004 - one picture
    if array.ndim != 4 or array.shape[-1] not in {1, 3}:  # noqa: PLR2004 - [T, H, W, C]
        return None
    if array.shape[-1] == 1:
        array = np.repeat(array, 3, axis=-1)
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        return None
    return np.rint(np.nan_to_num(array).clip(0, 1) * 255).astype(np.uint8)
