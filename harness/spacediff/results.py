"""The results that the library returns, as frozen dataclasses that need neither pydantic nor torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from spacediff.errors import Exit, NotMeasuredError, UnknownName, error_from_record

if TYPE_CHECKING:
    from spacediff.record import AuditRecord, ComparisonRecord, Fact, HistoryRecord, VersionsRecord

ReportFormat: TypeAlias = Literal["html", "md", "json", "junit", "zip", "summary", "issue"]

IssueTemplate: TypeAlias = Literal["diffusers"]
"""Whose bug form the format `issue` fills in."""


@dataclass(frozen=True)
class AuditResult:
    """What an audit found.

    Attributes:
        record: Everything that was measured, as `audit.json` holds it.
        folder: The audit folder, with all clips.
        report: The HTML report in it; not written of an audit that was interrupted in its first run.
        strict: Whether anything that was not measured counts as a failure.
    """

    record: AuditRecord = field(repr=False)  # megabytes, which a console or a notebook would show
    folder: Path
    report: Path
    strict: bool = False

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the answer, both clips and the variants, below a megabyte."""
        from spacediff.reporting.notebook import audit_piece

        return audit_piece(self.record, self.folder)

    def _repr_markdown_(self) -> str:
        """Return the same without pictures, for consoles and documents."""
        from spacediff.reporting.markdown import render_summary

        return render_summary(self.record)

    @property
    def exit_code(self) -> Exit:
        """What `spacediff audit` exits with: 0 if the gate passed or there is none and no control failed.

        `spacediff compare` has no gate and exits with 0 whatever it finds.
        """
        from spacediff.gate.gate import exit_code

        if not self.record.finished:
            return Exit.INTERRUPTED
        of_gate = exit_code(self.record.gate.status)
        return max(Exit.NOT_MEASURED, of_gate) if self.strict and self.unmeasured else of_gate

    @property
    def passed(self) -> bool:
        """Whether `exit_code` is 0."""
        return self.exit_code is Exit.GATE_PASSED

    @property
    def unmeasured(self) -> list[NotMeasuredError]:
        """The failures in the record: those of runs, then those of semantic measurements."""
        runs = [error_from_record(run.code, run.reason, run.hint) for run in self.record.runs if run.failed]
        others = [found for found in self.record.semantics if not found.measured]
        return runs + [error_from_record(found.code, found.reason, found.hint) for found in others]

    def raise_for_unmeasured(self) -> None:
        """Raise the first failure in the record, if there is one.

        Raises:
            NotMeasuredError: Something was not measured; the class says what happened, such as `SpaceSleeping`.
        """
        for error in self.unmeasured:
            raise error

    def comparison(self, name: str, prompt: str | None = None) -> ComparisonRecord:
        """Return how a run compares with the reference.

        Args:
            name: `baseline`, or a variant.
            prompt: Name of the prompt; by default the first one.

        Raises:
            UnknownName: There is no such comparison.
        """
        wanted = self.record.prompts[0].name if prompt is None else prompt
        for each in self.record.comparisons:
            if (each.prompt, each.candidate) == (wanted, name):
                return each
        names = [each.candidate for each in self.record.comparisons if each.prompt == wanted]
        raise UnknownName(
            f"the audit has no comparison of {name!r} for the prompt {wanted!r}",
            hint=f"it has {', '.join(names) or 'none'}",
        )


@dataclass(frozen=True)
class VersionsResult:
    """What the releases of a package make of a scenario.

    Attributes:
        versions: What changed at each release.
        audit: The audit of all releases, with their clips and the report.
    """

    versions: VersionsRecord = field(repr=False)
    audit: AuditResult

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what changes at which release, and the audit of all of them."""
        from spacediff.reporting.notebook import audit_piece, versions_piece

        return versions_piece(self.versions) + audit_piece(self.audit.record, self.audit.folder)

    @property
    def exit_code(self) -> Exit:
        """What `spacediff versions` exits with: 0, or 3 where no two releases could be compared."""
        compared = any(each.changed is not None for each in self.versions.releases)
        return Exit.GATE_PASSED if compared else Exit.NOT_MEASURED


@dataclass(frozen=True)
class PackageVersion:
    """A package of another environment: its version there, and here, which is empty where it is not installed."""

    name: str
    version: str
    here: str


@dataclass(frozen=True)
class SpaceEnvironment:
    """What a run as in a Space would install.

    Attributes:
        space: `ORG/NAME`.
        packages: Every package that would be installed.
        facts: In what that is not what the Space has.
    """

    space: str
    packages: tuple[PackageVersion, ...]
    facts: tuple[Fact, ...]

    @property
    def sentences(self) -> list[str]:
        """The facts, one sentence each."""
        from spacediff.wording import sentences

        return sentences(self.facts)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON objects and lists."""
        packages = [asdict(each) for each in self.packages]
        return {"space": self.space, "packages": packages, "differs": self.sentences}


class AuditInterrupted(KeyboardInterrupt):
    """Ctrl-C during an audit. The same call continues from what was finished.

    Attributes:
        result: What was finished, recorded and reported.
    """

    def __init__(self, result: AuditResult) -> None:
        super().__init__("the audit was interrupted")
        self.result = result


@dataclass(frozen=True)
class ReportFile:
    """A report that was written.

    Attributes:
        format: Its format.
        path: The file.
        left_out: What did not fit into it, one line each; only a ZIP has a size limit.
    """

    format: ReportFormat
    path: Path
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """A result that was accepted, for later audits to be compared with.

    Attributes:
        path: The file next to the scenario; commit it.
        history: How it compares with what was accepted before; None if nothing was.
        approximations: What its scenario leaves out of what the script does, one sentence each.
    """

    path: Path
    history: HistoryRecord | None
    approximations: tuple[str, ...] = ()
