"""What the releases of a package make of one scenario: at which of them its output changes."""

from __future__ import annotations

from spacediff.record.base import Record
from spacediff.record.cause import MovedRecord
from spacediff.record.trace import Stage


class ReleaseRecord(Record):
    """One release, on one prompt, compared with the release before it that gave a clip.

    Attributes:
        prompt: Name of the prompt.
        version: The release.
        run: Name of its run in the audit.
        measured: Whether it gave a clip.
        reason: Why it did not; empty where it did.
        before: The release that it is compared with; empty for the first that gave a clip, and without a clip.
        changed: Whether the frames differ; None where nothing is compared.
        stage: Where the two generations first diverge; None where nothing is compared.
        step: The first step that differs, from 1; None where it is not a step.
        steps: How many steps were seen.
        moved: Packages whose versions differ between the two, besides the one that is asked for.
    """

    prompt: str
    version: str
    run: str
    measured: bool
    reason: str = ""
    before: str = ""
    changed: bool | None = None
    stage: Stage | None = None
    step: int | None = None
    steps: int = 0
    moved: list[MovedRecord] = []


class VersionsRecord(Record):
    """The releases of a package in a range, and what changed at each.

    Attributes:
        package: The package.
        title: Title of the scenario.
        finished: Whether every release was run.
        releases: One for each prompt and release, the oldest first.
    """

    package: str
    title: str
    finished: bool
    releases: list[ReleaseRecord]

    @property
    def changes(self) -> list[ReleaseRecord]:
        """The releases at which the output changes."""
        return [each for each in self.releases if each.changed]

    @property
    def failed(self) -> list[ReleaseRecord]:
        """The releases that gave no clip."""
        return [each for each in self.releases if not each.measured]
