"""The `parameters` text of AUTOMATIC1111's web UI, Forge, SD.Next and others that write the same lines.

The prompt, then `Negative prompt: …`, then one line `Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, …`
(`modules/infotext_utils.py` of the web UI).
"""

from __future__ import annotations

import re

from spacediff.embedded.found import Found

_NEGATIVE = "Negative prompt:"
_PAIR = re.compile(r'(\w[\w \-/]{0,80}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_LEAST_PAIRS = 3
_LONGEST_LINE = 10_000
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")
_STEPS, _SCALE, _SEED = "Steps", "CFG scale", "Seed"
_DISTILLED = "Distilled CFG Scale"
_SEVERAL_PASSES = ("Hires", "Denoising strength", "Refiner")
"""Beginnings of names that say that the picture was made in several passes, or from another picture."""
_OTHER_NOISE = ("Variation seed", "Seed resize")
"""Beginnings of names that say that the noise is not that of the seed alone."""


def read_web_ui(text: str) -> Found | None:
    """Return what the lines declare; None if the text has no such lines."""
    *lines, last = text.strip().split("\n")
    pairs = dict(_PAIR.findall(last)) if len(last) <= _LONGEST_LINE else {}
    if len(pairs) < _LEAST_PAIRS or _STEPS not in pairs:
        return None
    found = Found("Stable Diffusion web UI")
    place = next((place for place, line in enumerate(lines) if line.startswith(_NEGATIVE)), len(lines))
    found.say("call.prompt", "\n".join(lines[:place]).strip(), "Prompt")
    if place < len(lines):
        found.say("call.negative_prompt", "\n".join(lines[place:]).removeprefix(_NEGATIVE).strip(), "Negative prompt")
    is_one_pass = not any(name.startswith(_SEVERAL_PASSES) for name in pairs)
    is_one_noise = not any(name.startswith(_OTHER_NOISE) for name in pairs)
    for name, value in pairs.items():
        said = value.strip().strip('"')
        if name == _SEED and is_one_noise:
            found.say("rng.seed", said, name)
        elif name == _STEPS and is_one_pass:
            found.say("call.num_inference_steps", said, name)
        elif name == _SCALE and _DISTILLED not in pairs:  # which is the guidance_scale of diffusers where it is given
            found.say("call.guidance_scale", said, name)
        elif name == "Size" and is_one_pass and (size := _SIZE.fullmatch(said)):
            found.say("call.width", size[1], name)
            found.say("call.height", size[2], name)
        else:
            found.quote(name, said)
    return found
