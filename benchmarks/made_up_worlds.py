"""Made-up worlds for the search: which steps differ from the target, and what people see, by the changed settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spacediff.explaining.screening import Screening
from spacediff.explaining.search import Subset
from spacediff.explaining.sight import Sight
from spacediff.explaining.visible import VisibleCause

STEPS = 50
CERTAIN = 0.2
"""From this distance on, a difference is certainly seen."""


@dataclass(frozen=True)
class Effect:
    """What taking back a suspect does.

    Attributes:
        visible: Whether people see it.
        step: The first step that it changes; None where only the decoded frames differ.
        distance: How far the latents are moved at that step.
        beside: It acts only where all of these are taken back too.
    """

    visible: bool = True
    step: int | None = 1
    distance: float = 0.4
    beside: frozenset[str] = frozenset()


World = Callable[[Subset], Sight | None]
"""What a whole run shows, by what it changes; None where there is no clip."""


def world_of(effects: Mapping[str, Effect], everything: Collection[str]) -> World:
    """Return the world in which each suspect that is taken back has its effect."""

    def shows(changed: Subset) -> Sight:
        back = frozenset(everything) - changed
        acting = [effect for name, effect in effects.items() if name in back and effect.beside <= back]
        steps = [effect.step for effect in acting if effect.step is not None]
        first = min(steps, default=None)
        distances = [effect.distance for effect in acting if effect.step is not None and effect.step == first]
        return Sight(not acting, not any(e.visible for e in acting), first, max(distances, default=None))

    return shows


@dataclass
class MadeUpLaboratory:
    """Runs in a made-up world, and counts the denoising steps that they take."""

    world: World
    everything: Subset
    steps: int = 0
    runs: int = 0
    known: dict[Subset, Sight] = field(default_factory=dict)
    denoised: set[Subset] = field(default_factory=set)
    late: Subset = frozenset()
    ends_early: bool = True

    def __post_init__(self) -> None:
        """Know the two ends, which are there before the search."""
        self.known |= {end: self._whole(end) for end in (frozenset[str](), self.everything)}
        self.denoised |= {end - self.late for end in self.known}

    @property
    def sights(self) -> Mapping[Subset, Sight]:
        """What is known so far."""
        return self.known

    def watch(self, subset: Subset, last: int | None = None) -> Sight:
        """Run until the first difference, at most to a step."""
        known = self.known.get(subset)
        if known and (known.ended or known.equal is False):
            return known
        whole = self._whole(subset)
        if not self.ends_early:
            return self._to_the_end(subset, whole)
        if whole.step is not None and (last is None or whole.step <= last):
            certain = whole.distance is not None and whole.distance >= CERTAIN
            return self._ran(subset, replace(whole, within=False if certain else None, ended=False), max(whole.step, 1))
        if last is not None and whole.ended:
            return self._ran(subset, Sight(None, None, ended=False), min(last, STEPS))
        return self._to_the_end(subset, whole)

    def watch_each(self, subsets: Sequence[Subset], last: int) -> None:
        """Watch some subsets, one after the other."""
        for subset in subsets:
            self.watch(subset, last)

    def probe(self, subset: Subset) -> Sight:
        """Run until a difference is certain to be seen."""
        known = self.known.get(subset)
        if known and (known.ended or known.within is not None):
            return known
        whole = self._whole(subset)
        if self.ends_early and whole.step is not None and whole.distance is not None and whole.distance >= CERTAIN:
            return self._ran(subset, replace(whole, ended=False), max(whole.step, 1))
        return self._to_the_end(subset, whole)

    def _whole(self, subset: Subset) -> Sight:
        return self.world(subset) or Sight(None, None)

    def _to_the_end(self, subset: Subset, whole: Sight) -> Sight:
        shared = subset - self.late in self.denoised
        self.denoised.add(subset - self.late)
        return self._ran(subset, whole, 0 if shared else STEPS)

    def _ran(self, subset: Subset, sight: Sight, steps: int) -> Sight:
        self.steps, self.runs = self.steps + steps, self.runs + 1
        self.known[subset] = sight
        return sight


@dataclass(frozen=True)
class Answer:
    """What a search in a made-up world has found."""

    cause: Subset
    screening: Screening
    laboratory: MadeUpLaboratory

    @property
    def numeric(self) -> Subset:
        """What changes the numbers besides the cause."""
        return frozenset(self.screening.acting) - self.cause

    @property
    def classes(self) -> tuple[set[str], set[str]]:
        """The visible cause, and what else changes the numbers."""
        return {*self.cause}, {*self.numeric}

    @property
    def silent(self) -> Subset:
        """What changes no bit."""
        return frozenset(self.screening.silent)


def answered(
    suspects: list[str],
    world: World,
    unlikely: Collection[str] = (),
    late: Collection[str] = (),
    *,
    expected: Collection[str] = (),
    thorough: bool = True,
    ends_early: bool = True,
) -> Answer:
    """Search the visible cause in a made-up world, and settle what the others do."""
    laboratory = MadeUpLaboratory(world, frozenset(suspects), late=frozenset(late), ends_early=ends_early)
    screening = Screening(suspects, laboratory, unlikely, late)
    cause = VisibleCause(suspects, laboratory, screening, lambda _: thorough, expected).find()
    screening.follow_each()
    screening.settle(cause)
    return Answer(cause, screening, laboratory)
