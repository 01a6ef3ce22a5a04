"""What happens to the frames after the pipeline returns them, and to pictures before it gets them."""

from __future__ import annotations

from spacediff.catalogue.entries.cause import DIFFUSERS, Cause

OUTPUTS: tuple[Cause, ...] = (
    Cause(
        "codec",
        "codec",
        ("output.*",),
        "blur, blocks, slightly other colours",
        "the decoded pictures agree, and the files differ",
        "small",
        "export with the same encoder and quality",
        "docs/codec-matching.md",
    ),
    Cause(
        "frame-rate",
        "frame rate",
        ("output.fps",),
        "the same pictures at another speed",
        "the files name their rates",
        "small",
        "export with the same fps",
        f"{DIFFUSERS}/api/utilities",
    ),
    Cause(
        "frame-interpolation",
        "frame interpolation (RIFE)",
        (),
        "twice the frames or more, smoother motion",
        "the alignment names the rate; spacediff read finds the call in the Space's source",
        "large",
        "switch it off in the Space, or compare every second frame",
        "arXiv:2011.06294",
    ),
    Cause(
        "upscaling",
        "upscaling",
        (),
        "a larger and sharper picture",
        "the alignment names the size; spacediff read finds the call in the Space's source",
        "large",
        "switch the upscaler off in the Space",
        "arXiv:2107.10833",
    ),
    Cause(
        "resizing",
        "resizing",
        (),
        "another size or cut, softer or sharper",
        "the alignment names the size; spacediff read finds the call in the source",
        "small to large",
        "resize on both sides in the same way, or on neither",
        "docs/alignment.md",
    ),
    Cause(
        "post-processing",
        "post-processing",
        (),
        "the same pictures, changed afterwards",
        "all steps agree; spacediff read finds the call in the source",
        "small to large",
        "do the same to the frames on both sides, or nothing",
        "docs/reading.md",
    ),
)
