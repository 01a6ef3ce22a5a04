"""Which settings make the difference between two runs, and what proves it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from spacediff.record.base import Record
from spacediff.record.comparison import TileRecord, Verdict
from spacediff.record.fact import Fact
from spacediff.record.run import SettingRecord, recorded_settings
from spacediff.record.stopped import SpreadRecord
from spacediff.settings import diff


class Standing(StrEnum):
    """How a suspect stands after the search.

    `CAUSE` is needed for the difference that people see. `UNDECIDED` may be. The others are not: `NUMERIC` changes the
    numbers, `NO_EFFECT` changes no bit, and of `UNSEEN` it is not known whether it does.
    """

    CAUSE = "cause"
    UNDECIDED = "undecided"
    NUMERIC = "numeric"
    UNSEEN = "not visible"
    NO_EFFECT = "no effect"


class ActingRecord(Record):
    """Where a setting first changes the numbers when it is taken back from the target.

    Attributes:
        run: Name of the run that shows it.
        together: Other settings that are taken back in it and without which nothing differs there; usually none.
        step: The first step whose latents differ, from 1; None where only the decoded frames differ, or that is
            unknown.
        steps: Number of steps of the target; 0 where the steps of one of the two runs were not seen.
        distance: How far the latents lie from the target's where the run ended or, of a whole run, first differ, as a
            share of the distance between seeds; None where that is unknown.
    """

    run: str
    together: list[str] = []
    step: int | None = None
    steps: int = 0
    distance: float | None = None


class CostRecord(Record):
    """What a search has cost.

    Attributes:
        probes: Number of runs.
        steps: Denoising steps that were made for them.
        steps_each: Denoising steps of a whole generation; 0 where they are not observed.
        generations: The same cost in generations; a run without observed steps counts as a whole one.
        whole: Generations that the same answers would cost without early stops: each set of changes once, without
            re-runs of the target and without runs that only decode; None in older records.
    """

    probes: int
    steps: int
    steps_each: int
    generations: float
    whole: int | None = None


class SuspectRecord(Record):
    """A setting on which start and target differ.

    Attributes:
        path: Dotted path.
        start: Its value at the start; None where it is not declared there.
        target: Its value at the target; None where it is not declared there.
        start_none: Whether it is declared there as Python's None, which is not the same as leaving it unset.
        target_none: The same for the target.
        start_where: Where the first is declared.
        target_where: Where the second is declared.
        standing: What came out.
        why: What that rests on; None where it is unknown.
        left_out: For a member of the cause, the drift with all members but this one changed.
        alone: For a member of the cause, the drift with only this one changed.
        weight: For a member of the cause, its Shapley value: by how much it reduces the drift, on the average over all
            orders of changing the members; None where a drift is missing or there are too many members.
        acting: Where it first changes the numbers; None where it is not known to.
        start_setting: Its resolved value at the start, with its origin; None where the run has no such setting.
        target_setting: The same at the target.
    """

    path: str
    start: Any
    target: Any
    start_none: bool = False
    target_none: bool = False
    start_where: str = ""
    target_where: str = ""
    standing: Standing
    why: Fact | None = None
    left_out: float | None = None
    alone: float | None = None
    weight: float | None = None
    acting: ActingRecord | None = None
    start_setting: SettingRecord | None = None
    target_setting: SettingRecord | None = None

    @property
    def equal(self) -> bool:
        """Whether both runs have the same value, which only one of them declares: then it is no difference.

        What a run shows to matter stays a difference.
        """
        if self.standing is not Standing.NO_EFFECT or self.start_setting is None or self.target_setting is None:
            return False
        start, target = (recorded_settings({self.path: side}) for side in (self.start_setting, self.target_setting))
        return not diff(start, target)

    @property
    def start_unset(self) -> bool:
        """Whether the start leaves it to its default."""
        return self.start is None and not self.start_none

    @property
    def target_unset(self) -> bool:
        """Whether the target leaves it to its default."""
        return self.target is None and not self.target_none


class ToleranceRecord(Record):
    """How much a tile may differ before it counts as a difference that people see.

    Attributes:
        levels: The largest error of a tile that counts as unseen: mean absolute difference of the 8-bit RGB values.
        drift: The drift that this is at the worst tile; None where it is a codec's own loss.
        tile: Where the codec's own loss is largest; None where the tolerance is a drift.
        found: What it rests on; first why it is not what the scenario asks for, where it is not.
    """

    levels: float
    drift: float | None = None
    tile: TileRecord | None = None
    found: list[Fact]


class ProbeRecord(Record):
    """One run of the search.

    Attributes:
        run: Name of the run.
        changed: The settings changed to the target's.
        reproduced: Whether nobody could see a difference between the clip and the target's; also False where the run
            ended early since a difference was certain to be seen. None where that is unknown.
        equal: Whether it is the target, bit for bit; None where that is unknown.
        step: The first step whose latents differ from the target's; None where none is known to.
        distance: The last known distance of the latents, as a share of the distance between seeds.
        failed: Whether there should be a clip and is none.
        early: Whether it ended early, so that there is no clip to be seen.
    """

    run: str
    changed: list[str]
    reproduced: bool | None
    equal: bool | None = None
    step: int | None = None
    distance: float | None = None
    failed: bool = False
    early: bool = False


class ProofRecord(Record):
    """The proof on one prompt.

    Attributes:
        prompt: Name of the prompt.
        proof: Name of the run in which only the cause is changed; empty when it is missing.
        reproduced: Whether nobody could see a difference from the target's clip of this prompt; None when it or its
            clip is missing.
        drift: Its drift from the reference; None when it is unknown.
        verdict: How it compares with the reference; None when it was not compared.
        equal: Whether the proof is the target's clip, bit for bit; None where that is unknown.
        counter_proof: Name of the run of the target in which only the cause is taken back.
        counter_reproduced: Whether that run still gives the target's clip, as it must not; None without a clip.
        counter_equal: Whether that run is the target's clip, bit for bit.
        counter_drift: Its drift from the reference.
        counter_verdict: How it compares with the reference.
        reason: Why something is missing; None when nothing is.
    """

    prompt: str
    proof: str = ""
    reproduced: bool | None = None
    drift: float | None = None
    verdict: Verdict | None = None
    equal: bool | None = None
    counter_proof: str = ""
    counter_reproduced: bool | None = None
    counter_equal: bool | None = None
    counter_drift: float | None = None
    counter_verdict: Verdict | None = None
    reason: Fact | None = None

    @property
    def succeeded(self) -> bool:
        """Whether two clips show that the cause suffices on this prompt, and is needed."""
        return self.reproduced is True and self.counter_reproduced is False and self.reason is None


class MovedRecord(Record):
    """A package that start and target have in other versions, since a version that is a setting brought it.

    Attributes:
        name: The package.
        start: Its version at the start; empty where it is unknown.
        target: Its version at the target; empty where it is unknown.
    """

    name: str
    start: str
    target: str


class CauseRecord(Record):
    """What makes the difference between two runs, on one prompt.

    Attributes:
        prompt: Name of the prompt.
        start: Name of the run that is to be explained.
        target: Name of the run that it is to become.
        target_verdict: How the target compares with the reference; None when it was not compared.
        tolerance: What counts as a difference that people see; None where nothing was searched, and in older records.
        spread: How far the machine's own re-runs are apart; None where they are equal or were not made.
        started: Whether there was anything to search.
        finished: Whether the search came to its end, within the budget and without interruption.
        reason: Why not, or why there was nothing to search; None otherwise.
        suspects: All settings on which the two differ: the cause first, then the undecided, then what is numeric, then
            those without effect.
        start_within: Whether nobody could see that the two differ at all, so that the cause is empty.
        cost: What the search has cost; None in older records.
        proof: Name of the run in which only the cause is changed; empty when there is none.
        counter_proof: Name of the run of the target in which only the cause is taken back.
        counter_reproduced: Whether that run still gives the target's clip, as it must not; None without a clip.
        probes: The generations of the search, in order.
        proofs: The proof on each prompt, the one that was searched first.
        interactions: Which members of the cause act together.
        residual: Drift that is left at the target, which these settings do not explain; None where the target matches
            the reference, or drift is unknown.
        closest: Where the target does not match the reference, the run with the least drift of all.
        closest_drift: Its drift.
        residual_suspects: What differs besides the settings, or is unknown, and may explain the residual.
        moved: Packages that moved with a version that is a setting of the two runs; the search changes them together.
    """

    prompt: str
    start: str
    target: str
    target_verdict: Verdict | None = None
    tolerance: ToleranceRecord | None = None
    spread: SpreadRecord | None = None
    started: bool = True
    finished: bool
    reason: Fact | None = None
    suspects: list[SuspectRecord] = []
    start_within: bool = False
    cost: CostRecord | None = None
    proof: str = ""
    counter_proof: str = ""
    counter_reproduced: bool | None = None
    probes: list[ProbeRecord] = []
    proofs: list[ProofRecord] = []
    interactions: list[Fact] = []
    residual: float | None = None
    closest: str = ""
    closest_drift: float | None = None
    residual_suspects: list[Fact] = []
    moved: list[MovedRecord] = []

    @property
    def members(self) -> list[SuspectRecord]:
        """The settings of the cause, as far as clips show each of them to be needed."""
        return [suspect for suspect in self.suspects if suspect.standing is Standing.CAUSE]

    @property
    def cause(self) -> list[str]:
        """The paths of the members."""
        return [suspect.path for suspect in self.members]

    @property
    def sufficient(self) -> list[str]:
        """The paths that suffice together: the cause, and what may not be needed besides it."""
        needed = {Standing.CAUSE, Standing.UNDECIDED}
        return [suspect.path for suspect in self.suspects if suspect.standing in needed]

    @property
    def changes(self) -> list[SuspectRecord]:
        """The settings that the proof changes, which fix the difference; none before the search has come to its end."""
        if not self.finished:
            return []
        return [suspect for suspect in self.suspects if suspect.standing in {Standing.CAUSE, Standing.UNDECIDED}]

    @property
    def differing(self) -> list[SuspectRecord]:
        """The suspects, without those whose value is the same in both runs."""
        return [suspect for suspect in self.suspects if not suspect.equal]

    def standing(self, *standings: Standing) -> list[str]:
        """Return the paths of the suspects that stand so; what is equal in both runs is no difference."""
        return [suspect.path for suspect in self.differing if suspect.standing in standings]
