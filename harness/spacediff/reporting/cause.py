"""The cause as the page shows it: each suspect next to what the catalogue knows of its setting."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spacediff.catalogue.lookup import Cause, known_difference
from spacediff.record import AuditRecord, CauseRecord, Standing, SuspectRecord

_ADDRESS = re.compile(r"[a-z0-9.-]+\.[a-z]{2,}/\S*")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


_GROUPS = (
    ("What makes the visible difference", {Standing.CAUSE, Standing.UNDECIDED}),
    ("What else changes the numbers", {Standing.NUMERIC, Standing.UNSEEN}),
    ("What makes no difference", {Standing.NO_EFFECT}),
)
_EQUAL = "The same on both sides: only one of them declares it"


@dataclass(frozen=True)
class Known:
    """What is known of a setting.

    Attributes:
        cause: The catalogue's entry.
        address: Where its source is on the web; empty for one that has no address.
    """

    cause: Cause
    address: str


@dataclass(frozen=True)
class SuspectView:
    """A suspect, and what is known of its setting; None where nothing is."""

    suspect: SuspectRecord
    known: Known | None


@dataclass(frozen=True)
class CauseView:
    """The suspects by what they change, and the entries that go with the members of the cause, each once.

    Attributes:
        groups: Each kind of change with its suspects, in the order of the record.
        known: Paths of members, and what is known of them.
    """

    groups: list[tuple[str, list[SuspectView]]]
    known: list[tuple[list[str], Known]]


def cause_view(record: AuditRecord) -> CauseView | None:
    """Return what the page shows of the cause besides its record; None where none was searched."""
    cause = record.cause
    if cause is None:
        return None
    pipeline, checkpoint = (_value_at_start(record, cause, path) for path in ("model.pipeline", "model.id"))
    suspects = [SuspectView(suspect, _known(suspect, pipeline, checkpoint)) for suspect in cause.suspects]
    entries: dict[str, tuple[list[str], Known]] = {}
    for each in suspects:
        if each.known is not None and each.suspect.standing in {Standing.CAUSE, Standing.UNDECIDED}:
            entries.setdefault(each.known.cause.name, ([], each.known))[0].append(each.suspect.path)
    differing = [each for each in suspects if not each.suspect.equal]
    groups = [(title, [each for each in differing if each.suspect.standing in kinds]) for title, kinds in _GROUPS]
    groups.append((_EQUAL, [each for each in suspects if each.suspect.equal]))
    return CauseView([group for group in groups if group[1]], list(entries.values()))


def _value_at_start(record: AuditRecord, cause: CauseRecord, path: str) -> object:
    """Return a setting of the run that is explained; None if it has none."""
    start = next((run for run in record.runs if (run.prompt, run.name) == (cause.prompt, cause.start)), None)
    setting = start.settings.get(path) if start is not None else None
    return setting.value if setting is not None else None


def _known(suspect: SuspectRecord, pipeline: object, checkpoint: object) -> Known | None:
    if suspect.equal:
        return None
    cause = known_difference(suspect.path, suspect.start, suspect.target, pipeline=pipeline, checkpoint=checkpoint)
    return None if cause is None else Known(cause, _address(cause.source))


def _address(source: str) -> str:
    """Return the web address that a source of the catalogue means; empty for a page of ours or a name."""
    if found := _ARXIV.fullmatch(source):
        return f"https://arxiv.org/abs/{found[1]}"
    return f"https://{source}" if _ADDRESS.fullmatch(source) else ""
