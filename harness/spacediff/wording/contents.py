"""What the clips show: how far each agrees with the prompt and its parts."""

from __future__ import annotations

from spacediff.record import FactKind
from spacediff.wording.vocabulary import says


@says(FactKind.TEXT_CUT)
def _text_cut(*, text: str, tokens: int, limit: int) -> str:
    return (
        f"“{text}” has {tokens} tokens, including start and end; the model reads {limit}, so the end of the text was "
        "cut off."
    )


@says(FactKind.FRAMES_CROPPED)
def _frames_cropped(*, width: int, height: int, share: float, across: bool) -> str:
    part = f"{share:.0%} of the {'width' if across else 'height'}"
    return (
        f"Of frames of {width}x{height} pixels, the model sees the middle {part}, because its image processor crops "
        "them."
    )
