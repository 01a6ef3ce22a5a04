"""What changed since an earlier audit: each variant's verdict and drift, and the facts that may have moved them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from spacediff.record.base import Record
from spacediff.record.comparison import Verdict


class Change(StrEnum):
    """How a variant compares with its earlier self."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    OTHER = "other"
    LOST = "no longer measured"
    GAINED = "measured now"
    NEW = "new"
    GONE = "gone"


class VariantHistory(Record):
    """One variant, then and now.

    Attributes:
        prompt: Name of the prompt.
        name: Name of the run.
        change: How it compares with its earlier self.
        verdict_before: The earlier verdict; None where it was not compared then.
        verdict_now: Today's verdict; None where it is not compared now.
        drift_before: The earlier drift; None where there was none.
        drift_now: Today's drift; None where there is none.
        equal_frames: Whether both audits have the very same frames of it; None where one has no clip.
    """

    prompt: str
    name: str
    change: Change
    verdict_before: Verdict | None = None
    verdict_now: Verdict | None = None
    drift_before: float | None = None
    drift_now: float | None = None
    equal_frames: bool | None = None


class Subject(StrEnum):
    """What a fact is about."""

    MACHINE = "this machine"
    SPACE = "the Space"
    SETTING = "setting"
    PROMPT = "prompt"
    REFERENCE = "the reference's frames"
    AUDIT = "the audit"


class FactChange(Record):
    """One fact that is not as it was.

    Attributes:
        subject: What it is about.
        name: Name of the library, of the Space's entry, dotted path of the setting, or of the prompt.
        before: What it was; None where it was unknown.
        now: What it is; None where it is unknown.
        runs: For a setting, the runs that it changed in.
    """

    subject: Subject
    name: str
    before: Any
    now: Any
    runs: list[str] = []


class HistoryRecord(Record):
    """An audit compared with an earlier one.

    Attributes:
        against: What the earlier one is called: a folder's name, or `the accepted state`.
        created: When it was made, ISO 8601, UTC.
        variants: Baseline and variants, in the order of this audit, then those that are gone.
        facts: What else changed.
    """

    against: str
    created: str
    variants: list[VariantHistory]
    facts: list[FactChange]
