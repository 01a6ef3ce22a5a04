"""Compare what the search for the cause costs with delta debugging: `python -m benchmarks.search_cost`.

Made-up worlds of 50 steps with one to four causes among fifteen suspects, as the tests plant them, and none to three
settings besides that change the numbers only. The peer is picire's `DD`, which judges whole generations and answers
one question; the search answers both, and ends most runs early, where steps are seen. The two ends, which both
need, are not counted.

With `--real` the planted pairs are searched with real generations instead (`benchmarks.planted_pairs`).
"""

from __future__ import annotations

import argparse
import itertools
import sys
import types
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.made_up_worlds import STEPS, Answer, Effect, answered, world_of
from spacediff.explaining.search import Subset

CAUSES = [f"cause.{number}" for number in range(6)]
OTHERS = [f"other.{number}" for number in range(9)]
NUMERIC = Effect(visible=False, distance=0.001)
SEEN, OPEN = Effect(), Effect(distance=0.1)
"""A cause that is certainly seen where it acts, and one whose distance leaves that open."""


def planted() -> list[tuple[str, ...]]:
    """Return the causes of the tests' planted pairs: each alone, and some together."""
    several = [list(itertools.combinations(CAUSES, size)) for size in (1, 2, 3, 4)]
    return [*several[0], *several[1], *several[2][::3], *several[3][::4]]


def searched(causes: tuple[str, ...], numeric: int, effect: Effect = SEEN, *, ends_early: bool = True) -> Answer:
    """Search a made-up world; of the others, one acts only after the denoising and one is a placement."""
    suspects = [*CAUSES, *OTHERS]
    effects = dict.fromkeys(causes, effect) | dict.fromkeys(OTHERS[2 : 2 + numeric], NUMERIC)
    left_out = [name for name in CAUSES if name not in causes]
    suspects = [name for name in suspects if name not in left_out]
    world, few = world_of(effects, suspects), {"unlikely": OTHERS[:1], "late": OTHERS[1:2]}
    return answered(suspects, world, **few, thorough=False, ends_early=ends_early)


def delta_debugged(suspects: list[str], suffices: Callable[[Subset], bool]) -> int:
    """Return how many generations picire's delta debugging takes besides the two ends."""
    versions = types.ModuleType("pkg_resources")  # picire looks up its version in what setuptools no longer brings
    versions.get_distribution = lambda _: types.SimpleNamespace(version="")  # type: ignore[attr-defined]
    sys.modules.setdefault("pkg_resources", versions)
    import picire

    tested = {frozenset(suspects), frozenset[str]()}

    def test(config: list[str], _: Any) -> Any:
        tested.add(frozenset(config))
        return picire.Outcome.FAIL if suffices(frozenset(config)) else picire.Outcome.PASS

    picire.DD(test)(suspects)
    return len(tested) - 2


def _rows() -> Iterator[tuple[str, ...]]:
    yield "planted", "numeric", "search", "most", "picire", "most"
    kinds = (("certainly seen", SEEN, True), ("left open", OPEN, True), ("no early stops", OPEN, False))
    for name, effect, ends_early in kinds:
        for numeric in range(4):
            ours, theirs = [], []
            for causes in planted():
                answer = searched(causes, numeric, effect, ends_early=ends_early)
                if answer.cause != {*causes}:
                    raise AssertionError(f"found {sorted(answer.cause)} and not {causes}")
                ours.append(answer.laboratory.steps / STEPS)
                suspects = sorted(answer.laboratory.everything)
                theirs.append(delta_debugged(suspects, frozenset(causes).issubset))
            figures = [f"{each:.2f}" for each in (mean(ours), max(ours), mean(theirs), max(theirs))]
            yield f"{len(ours)}, {name}", str(numeric), *figures


def lines() -> list[str]:
    """Return the generations of both as a table: the proof among them, on the average and at most."""
    rows = list(_rows())
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    unit = f"generations of {STEPS} steps besides the two ends, the proof among them; picire {version('picire')}"
    return ["searching for the cause:", *table, unit]


def main() -> None:
    """Print the table that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_cost", description=__doc__)
    parser.add_argument("--real", action="store_true", help="search the planted pairs with real generations")
    parser.add_argument("--pairs", type=Path, help="file of searched pairs, one JSON object a line; these are not run")
    parser.add_argument("--most", type=int, help="search at most so many of the pairs, a fair sample of them")
    options = parser.parse_args()
    if not options.real:
        print("\n".join(lines()))
        return
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    from benchmarks import planted_pairs

    for line in planted_pairs.lines(options.most, options.pairs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
