"""Which prompt the quickstart asks for: `python -m spacediff.training.choose`.

A search with a rule instead of an eye: captions that the training never saw, in the order in which they are drawn, all
with seed 42; each once at the settings of the Space and once as people run the checkpoint. The quickstart takes the
first for which the Space's clip says what the caption says and the other loses a thing, and the search ends there; if
there is none, the first whose motion is lost. Told by `spacediff.tiny.detector`. Things that appear are passed over: a
curve of what each frame shows cannot tell a thing that has yet to appear from one that is missing.
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
from spacediff.training.evaluate import as_hosted, generated, in_half_precision

SEED = 42
CANDIDATES = 100
_SCENE_SEED = 1


@dataclass(frozen=True)
class Candidate:
    """A caption, and what either clip shows of it.

    Attributes:
        caption: The prompt.
        hosted: Whether colours and motion are right at the Space's settings.
        usual: The same as people run it.
    """

    caption: str
    hosted: tuple[bool, bool]
    usual: tuple[bool, bool]

    @property
    def loses(self) -> str:
        """What the usual settings lose: `thing`, `motion` or nothing."""
        if not all(self.hosted):
            return ""
        colours, motion = self.usual
        return "" if colours and motion else "motion" if colours else "thing"


def main() -> None:
    """Print every candidate as it comes, then the choice."""
    options = _options()
    found = []
    for each in candidates(options.weights, options.candidates):
        found.append(each)
        line = f"{each.loses or '-':8} hosted {_told(each.hosted)}  usual {_told(each.usual)}  {each.caption}"
        print(line, flush=True)  # noqa: T201
        if each.loses == "thing":
            break
    for lost in ("thing", "motion"):
        if chosen := next((each for each in found if each.loses == lost), None):
            print(f"chosen: {chosen.caption} (seed {SEED}): the usual settings lose the {lost}")  # noqa: T201
            return
    print("none of these loses anything")  # noqa: T201


def candidates(weights: Path, count: int) -> Iterator[Candidate]:
    """Generate both clips of each caption; the Space's settings and the usual ones are those of the quickstart."""
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    usual = in_half_precision(build_trained(weights))
    hosted = as_hosted(usual)
    for scene in [scene for scene in unseen_scenes(_SCENE_SEED, count) if scene.motion != "appear"]:
        at_space = generated(hosted, scene.caption, SEED)
        here = generated(usual, scene.caption, SEED, guidance_scale=6.0, use_dynamic_cfg=False)
        told = [(colours_shown(clip, scene), motion_shown(clip, scene)) for clip in (at_space, here)]
        yield Candidate(scene.caption, *told)


def _told(shown: tuple[bool, bool]) -> str:
    return ", ".join(
        f"{name} {'right' if right else 'wrong'}" for name, right in zip(("colours", "motion"), shown, strict=True)
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m spacediff.training.choose", description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", type=weights, default=WEIGHTS, help="default: those that the package ships")
    parser.add_argument("--candidates", type=count, default=CANDIDATES, help="captions to try (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
