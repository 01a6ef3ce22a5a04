"""Compare two videos, as `spacediff compare` does: `python compare_two_clips.py [A.mp4 B.mp4]`.

Without files it draws two clips, of which the second one loses the green box. The page opens without a network. This
needs no torch: `pip install spacediff` is enough. With the extra `run`, LPIPS is measured too.
"""

import sys

import imageio
import numpy as np

import spacediff


def drawn(name: str, *, box: bool) -> str:
    """Write a clip of 24 frames, 160 x 96 pixels: a blue ball crosses a brown floor, and perhaps meets a green box."""
    down, right = np.mgrid[:96, :160]
    frames = []
    for moment in range(24):
        picture = np.full((96, 160, 3), (205, 214, 224), np.uint8)
        picture[60:] = (139, 108, 80)
        if box or moment < 6:
            picture[40:68, 108:136] = (52, 152, 84)
        picture[(down - 52) ** 2 + (right - 20 - 3 * moment) ** 2 < 196] = (48, 84, 176)
        frames.append(picture)
    imageio.mimwrite(name, frames, fps=8, macro_block_size=1)
    return name


reference, candidate = sys.argv[1:3] or (drawn("space.mp4", box=True), drawn("mine.mp4", box=False))
result = spacediff.compare_videos(reference, candidate)
comparison = result.comparison("candidate")

print(f"{candidate} against {reference}: {comparison.verdict}")
for name, metric in comparison.metrics.items():
    print(f"  {name}: {metric.pooled:.4g}")
print(result.report)
