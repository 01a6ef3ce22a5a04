"""What a pipeline returned: the frames of one clip, and what else it says of them.

Pipelines name the same things differently. Sources: `pipeline_output.py` of the pipelines of diffusers 0.42.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Medium
from spacediff.errors import GenerationFailed
from spacediff.observer.safety import censored_in


@dataclass(frozen=True)
class Output:
    """The output of a pipeline.

    Attributes:
        frames: The clip, float32 `[T, H, W, 3]` in 0..1; of a pipeline of pictures, all pictures that it returned.
        censored: Numbers of the pictures that the pipeline's safety checker replaced, from 0.
        audio: Whether there is sound besides the frames.
        medium: Whether the frames are those of a video, or pictures.
        warnings: What of the output is not in the clip.
    """

    frames: NDArray[np.floating[Any]]
    censored: tuple[int, ...] = ()
    audio: bool = False
    medium: Medium = "video"
    warnings: tuple[str, ...] = ()


def read_output(output: Any) -> Output:
    """Read the output of a pipeline that was called for arrays of one prompt.

    Raises:
        GenerationFailed: It returned pictures of different sizes, or something that is no picture.
    """
    censored, audio = censored_in(output), getattr(output, "audio", None) is not None
    if not hasattr(output, "frames"):
        return Output(_rgb(_images(output)), censored, audio, "pictures")
    videos = output.frames
    warnings: tuple[str, ...] = ()
    if len(videos) > 1:
        warnings = (f"the pipeline returned {len(videos)} videos, of which only the first is compared",)
    return Output(_rgb(videos[0]), censored, audio, "video", warnings)


def _images(output: Any) -> Any:
    """Return the pictures; a pipeline that estimates depth, or makes sound, gives something else."""
    if hasattr(output, "images"):
        return output.images
    given = ", ".join(vars(output)) or "no fields"
    raise GenerationFailed(
        f"the pipeline returned a {type(output).__name__} with {given}, and only images or frames can be compared",
        hint="audit a pipeline that generates a video or pictures",
    )


def _rgb(pictures: Any) -> NDArray[np.floating[Any]]:
    """Return pictures as `[T, H, W, 3]`; one picture alone, and one channel for all three, are completed."""
    try:
        frames = np.asarray(pictures)
    except ValueError as error:
        raise GenerationFailed("the pipeline returned pictures of different sizes") from error
    frames = frames if frames.ndim == 4 else frames[None]  # noqa: PLR2004 - an image is a clip of one frame
    if frames.ndim == 4 and frames.shape[-1] == 1:  # noqa: PLR2004 - [T, H, W, 1]
        return np.repeat(frames, 3, axis=-1)
    if frames.ndim != 4 or frames.shape[-1] != 3:  # noqa: PLR2004 - [T, H, W, 3]
        raise GenerationFailed(f"the pipeline returned an array of {frames.shape}, and [T, H, W, 3] is expected")
    return frames
