from __future__ import annotations

from typing import Any

import pytest

from spacediff.sources.space.echoes import Echoed, Shown, echoed_in

CLIP, SEED, PROMPT = Shown("clip", "video"), Shown("Seed used", "number"), Shown("Enhanced prompt", "textbox")


@pytest.mark.parametrize(
    ("declared", "outputs", "named", "found"),
    [
        ([CLIP], ["a.mp4"], {}, Echoed()),
        ([CLIP, SEED], ["a.mp4", 7], {}, Echoed(seed=7, seed_at=1)),
        ([CLIP, SEED], ["a.mp4", "7.0"], {}, Echoed(seed=7, seed_at=1)),
        ([CLIP, SEED], ["a.mp4", "seven"], {}, Echoed()),
        ([CLIP, SEED, Shown("second seed", "number")], ["a.mp4", 7, 8], {}, Echoed()),
        ([CLIP, SEED, Shown("second seed", "number")], ["a.mp4", 7, 8], {"seed": 2}, Echoed(seed=8, seed_at=2)),
        ([CLIP, SEED], ["a.mp4", 7], {"seed": 0}, Echoed()),
        ([CLIP, SEED], ["a.mp4", 7], {"seed": 5}, Echoed()),
        ([CLIP, Shown("Randomize seed", "checkbox")], ["a.mp4", True], {}, Echoed()),
        ([CLIP, PROMPT], ["a.mp4", "a lemon, 8k"], {}, Echoed(prompt="a lemon, 8k", prompt_at=1)),
        (
            [CLIP, PROMPT],
            ["a.mp4", {"__type__": "update", "value": "a lemon, 8k"}],
            {},
            Echoed(prompt="a lemon, 8k", prompt_at=1),
        ),
        ([CLIP, PROMPT], ["a.mp4", " "], {}, Echoed()),
        ([CLIP, PROMPT], ["a.mp4", "a \x1b[31mlemon\u202e"], {}, Echoed(prompt="a [31mlemon", prompt_at=1)),
        ([CLIP, PROMPT], ["a.mp4", "a" * 20_001], {}, Echoed()),
        ([CLIP, Shown("log", "textbox")], ["a.mp4", "a lemon"], {"prompt": 1}, Echoed(prompt="a lemon", prompt_at=1)),
        ([CLIP, Shown("Negative prompt", "textbox")], ["a.mp4", "blurry"], {}, Echoed()),
        ([CLIP, Shown("info", "json")], ["a.mp4", {"seed": 7, "prompt": "a lime"}], {}, Echoed(7, "a lime", 1, 1)),
        ([CLIP, Shown("info", "json")], ["a.mp4", {"seed": [7, 8]}], {}, Echoed()),
    ],
)
def test_the_outputs_say_which_seed_and_prompt_were_used(
    declared: list[Shown], outputs: list[Any], named: dict[str, int], found: Echoed
) -> None:
    assert echoed_in(outputs, declared, named) == found


def test_outputs_that_disagree_say_nothing() -> None:
    declared = [CLIP, SEED, Shown("info", "json")]
    assert echoed_in(["a.mp4", 7, {"seed": 7}], declared, {}) == Echoed(seed=7, seed_at=1)
    assert echoed_in(["a.mp4", 7, {"seed": 8}], declared, {}) == Echoed()
