"""How many frames a clip has: as many as the call asks for, if its VAE can make that number."""

from __future__ import annotations

import re

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Known, Unknown, Value, lift

_FRAMES_PER_LATENT = {
    r"CogVideoX": 4, r"Wan": 4, r"HunyuanVideo": 4, r"SkyReels": 4, r"LTX": 8, r"Mochi": 6, r"AnimateDiff": 1,
    r"StableVideoDiffusion": 1, r"TextToVideo": 1,
}  # fmt: skip
"""Beginning of the class of a pipeline to the frames that one latent frame after the first becomes."""


def length_of_clip(state: State, clip: Unknown, where: str) -> Value | None:
    """Return the number of frames of a clip; None if it is unknown or may be rounded."""
    call = next((one for one in state.calls if one.number == clip.clip), None)
    asked_for = call.paths.get("call.num_frames") if call is not None and call.signature else None
    if call is None or asked_for is None:
        return None
    step = next((frames for name, frames in _FRAMES_PER_LATENT.items() if re.match(name, call.name)), 0)
    unknown = Unknown(where, clip.text, clip.results)

    def length(number: Value) -> Value:
        known = number.value if isinstance(number, Known) else None
        exact = isinstance(known, int) and known > 0 and step > 0 and (known - 1) % step == 0
        return Known(where, known) if exact else unknown

    return lift(length, [asked_for])
