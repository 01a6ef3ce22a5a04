"""What the clips show: how far each agrees with the prompt and its parts."""

from __future__ import annotations

from spacediff.record import FactKind, TextRecord
from spacediff.wording.vocabulary import says


def agreement_text(text: TextRecord, run: str, reference: str) -> str:
    """Say how far a run's clip agrees with a text, compared with the reference's clip and with different seeds.

    Args:
        text: What was asked, with what came out.
        run: Name of the run.
        reference: Name of the reference's run.
    """
    names = {reference: "the reference", run: run} if run != reference else {reference: "the reference"}
    means = [f"{clip.mean:.3f} in {shown}" for name, shown in names.items() if (clip := text.of(name))]
    low, high = text.seeds or (0.0, 0.0)
    seeds = f"different seeds: {low:.3f} to {high:.3f}" if text.seeds else "different seeds were not measured"
    return f"{text.part or 'the prompt'}: {', '.join(means)} ({seeds})"


@says(FactKind.TEXT_CUT)
def _text_cut(*, text: str, tokens: int, limit: int) -> str:
    return (
        f"“{text}” has {tokens} tokens, including start and end; the model accepts {limit}, so the end was truncated."
    )


@says(FactKind.FRAMES_CROPPED)
def _frames_cropped(*, width: int, height: int, share: float, across: bool) -> str:
    part = f"{share:.0%} of the {'width' if across else 'height'}"
    return f"Of {width}x{height} pixels, the model sees the middle {part}, because its image processor crops them."
