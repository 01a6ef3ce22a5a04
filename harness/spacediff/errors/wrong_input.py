"""Wrong input: options, files and folders that a command cannot work with. It ends with exit code 2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spacediff.errors.base import SpacediffError


class InvalidArgument(SpacediffError):
    """Options or arguments that do not go together."""

    code = "invalid-argument"


class UnknownName(SpacediffError):
    """A variant or a run that the scenario or the audit does not have."""

    code = "unknown-name"


class MissingPackage(SpacediffError):
    """A metric or an executor that was asked for needs a package that is not installed."""

    code = "missing-package"


class SourceNotReadable(SpacediffError):
    """A script, folder or Space in which no pipeline call can be read."""

    code = "source-not-readable"


class CallNotFound(SourceNotReadable):
    """A line at which a source calls no pipeline."""

    code = "call-not-found"


class BlockNotChosen(SourceNotReadable):
    """A Markdown file with several scripts of which none was chosen, or no script in the chosen block."""

    code = "block-not-chosen"


class FileExists(SpacediffError):
    """A file that would be overwritten."""

    code = "file-exists"


class FileNotAccessible(SpacediffError):
    """A file that cannot be read or written."""

    code = "file-not-accessible"


class FolderInUse(SpacediffError):
    """An audit folder into which another audit is writing."""

    code = "folder-in-use"


class FolderOfAnotherAudit(SpacediffError):
    """An audit folder that holds the audit of another scenario or of other files."""

    code = "folder-of-another-audit"


class ReferenceNotKept(SpacediffError):
    """An audit folder without the reference that is to be taken from it: none was fetched by the same request."""

    code = "reference-not-kept"


class RecordError(SpacediffError):
    """A record that cannot be read: broken, or written by another version of spacediff."""

    code = "record-not-readable"


class NotAnAuditFolder(RecordError):
    """A folder without an `audit.json` that can be opened."""

    code = "not-an-audit-folder"


class NotAcceptable(SpacediffError):
    """An audit that cannot become the accepted state of a scenario."""

    code = "not-acceptable"


class NothingToShow(SpacediffError):
    """A report for which the audit folder lacks the clips."""

    code = "nothing-to-show"


@dataclass(frozen=True)
class Mistake:
    """One mistake in a scenario file.

    Attributes:
        line: 1-based line in the file; 0 if it is unknown.
        key: Dotted key, such as `variants.dpm.scheduler.class`.
        found: What the file contains there, shortened.
        expected: What is expected there.
        nearest: The nearest known name, or empty.
    """

    line: int
    key: str
    found: str
    expected: str
    nearest: str = ""

    def __str__(self) -> str:
        nearest = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        where = f"line {self.line}: " if self.line else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where}{key}found {self.found}; expected {self.expected}{nearest}"


class ScenarioError(SpacediffError):
    """A scenario file with mistakes; the error lists all of them.

    Attributes:
        path: The scenario file.
        mistakes: The mistakes, in the order of their lines.
    """

    code = "scenario-invalid"

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes, key=lambda m: (m.line, m.key)))
        places = "\n".join(f"  {path}:{m.line or 1}: {str(m).removeprefix(f'line {m.line}: ')}" for m in self.mistakes)
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(
            f"{path.name}: {count}\n{places}", hint="`spacediff schema` prints the keys that a scenario can have"
        )

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[Path, tuple[Mistake, ...]]]:
        return type(self), (self.path, self.mistakes)


class ScenarioApproximate(SpacediffError):
    """A scenario that leaves out what its script does, which nobody has accepted.

    Attributes:
        path: The scenario file.
        approximations: What it leaves out, one sentence each.
    """

    code = "scenario-approximate"

    def __init__(self, path: Path, approximations: Iterable[str]) -> None:
        self.path = path
        self.approximations = tuple(approximations)
        count = "1 thing" if len(self.approximations) == 1 else f"{len(self.approximations)} things"
        lines = "\n".join(f"  {each}" for each in self.approximations)
        super().__init__(
            f"{path.name} is not the script: it leaves out {count}\n{lines}",
            hint="say it in the scenario and remove its entry from [[approximations]], or accept that the scenario is "
            "an approximation",
        )

    def __reduce__(self) -> tuple[type[ScenarioApproximate], tuple[Path, tuple[str, ...]]]:
        return type(self), (self.path, self.approximations)
