"""Choose the prompt of the quickstart by a rule: `python -m spacediff.training.choose`.

Held-out captions are tried in random order, all with seed 42; each once with the settings of the Space and once with
the usual settings. The choice is the first caption for which the Space's clip matches the caption and the usual clip
loses an object; if there is none, the first whose motion is lost. `spacediff.tiny.detector` judges. Objects that appear
are skipped, because a curve per frame does not distinguish an object that has yet to appear from one that is missing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spacediff.tiny.detector import colours_shown, motion_shown
from spacediff.tiny.trained import WEIGHTS, build_trained
from spacediff.tiny.world import unseen_scenes
from spacediff.training.arguments import count, weights
from spacediff.training.evaluate import as_hosted, generated, silent

SEED = 42
CANDIDATES = 100
_SCENE_SEED = 1


@dataclass(frozen=True)
class Candidate:
    """A caption, and what the two clips show of it.

    Attributes:
        caption: The prompt.
        hosted: Whether colours and motion are right with the settings of the Space.
        usual: The same with the usual settings.
    """

    caption: str
    hosted: tuple[bool, bool]
    usual: tuple[bool, bool]

    @property
    def loses(self) -> str:
        """What the usual settings lose: `object`, `motion`, or an empty string."""
        if not all(self.hosted):
            return ""
        colours, motion = self.usual
        return "" if colours and motion else "motion" if colours else "object"


def main() -> None:
    """Print every candidate when it is finished, then the choice."""
    options = _options()
    found = []
    for each in candidates(options.weights, options.candidates):
        found.append(each)
        line = f"{each.loses or '-':8} hosted {_described(each.hosted)}  usual {_described(each.usual)}  {each.caption}"
        print(line, flush=True)  # noqa: T201
        if each.loses == "object":
            break
    for lost in ("object", "motion"):
        if chosen := next((each for each in found if each.loses == lost), None):
            print(f"chosen: {chosen.caption} (seed {SEED}): the usual settings lose the {lost}")  # noqa: T201
            return
    print("the usual settings lose nothing in any of these")  # noqa: T201


def candidates(weights: Path, count: int) -> Iterator[Candidate]:
    """Generate both clips of each caption, with the settings of the quickstart's Space and of its baseline."""
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    usual = silent(build_trained(weights))
    hosted = as_hosted(usual)
    for scene in [scene for scene in unseen_scenes(_SCENE_SEED, count) if scene.motion != "appear"]:
        at_space = generated(hosted, scene.caption, SEED)
        here = generated(usual, scene.caption, SEED, guidance_scale=6.0, use_dynamic_cfg=False)
        results = [(colours_shown(clip, scene), motion_shown(clip, scene)) for clip in (at_space, here)]
        yield Candidate(scene.caption, *results)


def _described(shown: tuple[bool, bool]) -> str:
    return ", ".join(
        f"{name} {'right' if right else 'wrong'}" for name, right in zip(("colours", "motion"), shown, strict=True)
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m spacediff.training.choose", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--weights", type=weights, default=WEIGHTS, help="folder of the weights (default: the package's)"
    )
    parser.add_argument("--candidates", type=count, default=CANDIDATES, help="captions to try (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
