"""How the runs of a prompt compare with its reference, in the order in which a reader meets them."""

from __future__ import annotations

from spacediff.record.base import Number, Record
from spacediff.record.fact import Fact


class ScaleRecord(Record):
    """The scale of a metric, where all comparisons of a prompt share it.

    Attributes:
        floor: The metric where nothing differs but a re-run; None when not measured.
        ceiling: The metric between unrelated samples, their mean; None when not measured.
        ceiling_spread: Lowest and highest of the other seeds.
    """

    floor: Number | None = None
    ceiling: Number | None = None
    ceiling_spread: tuple[Number, Number] | None = None


class RemarkRecord(Record):
    """A remark on comparisons, with the runs that it holds for.

    Attributes:
        fact: A note of the comparisons, what is wrong with a clip, or why it is not comparable.
        runs: Names of the runs.
    """

    fact: Fact
    runs: list[str]


class OverviewRecord(Record):
    """What leads for one prompt. All of it follows from the runs, the comparisons and the gate.

    Attributes:
        prompt: Name of the prompt.
        order: Names of the runs that are compared with the reference: the variants from the closest to the farthest,
            then those without a score, then the controls.
        baseline: Name of the baseline; empty where there is none, or where it is the reference.
        judged: Name of the gate's variant; empty where the gate has none, or it has no run.
        selected: Name of the run that a reader sees first: the baseline, else the judged one, else the first in order.
        twins: Names of runs whose frames are exactly the same, for each such group, in order of the plan.
        scale: Metric name to its scale, for the metrics whose scale all comparisons share.
        remarks: What was noticed about the comparisons of baseline and variants, equal remarks once.
    """

    prompt: str
    order: list[str] = []
    baseline: str = ""
    judged: str = ""
    selected: str = ""
    twins: list[list[str]] = []
    scale: dict[str, ScaleRecord] = {}
    remarks: list[RemarkRecord] = []
