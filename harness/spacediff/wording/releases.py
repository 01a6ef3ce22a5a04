"""Releases of a package, and what changes at each, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record.cause import MovedRecord
from spacediff.record.trace import Stage
from spacediff.record.versions import ReleaseRecord, VersionsRecord


def release_text(release: ReleaseRecord) -> str:
    """Say what a release gives, compared with the one before it that gave a clip."""
    if not release.measured:
        return f"no clip: {release.reason}"
    if release.changed is None:
        return "the first that gives a clip"
    if release.changed:
        return f"another clip than {release.before}, from {_place(release)} on"
    if release.stage in {Stage.NOWHERE, None}:
        return f"the clip of {release.before}, bit for bit"
    return f"the frames of {release.before}; the numbers differ from {_place(release)} on"


def moved_text(moved: Sequence[MovedRecord]) -> str:
    """Name packages that moved with a release, with both versions."""
    return ", ".join(f"{each.name} {each.start or 'unknown'} to {each.target or 'unknown'}" for each in moved)


def versions_text(versions: VersionsRecord) -> str:
    """Say at which releases the output changes, and which gave no clip."""
    package = versions.package
    changes = list(dict.fromkeys(each.version for each in versions.changes))
    compared = [each for each in versions.releases if each.changed is not None]
    failed = list(dict.fromkeys(each.version for each in versions.failed))
    if not compared:
        said = f"No two releases of {package} were compared."
    elif changes:
        said = f"The output changes at {package} {', '.join(changes)}."
    else:
        said = f"The output is the same with every release of {package} that gave a clip."
    missing = f" No clip with {', '.join(failed)}." if failed else ""
    return said + missing + ("" if versions.finished else " Not every release was run.")


def _place(release: ReleaseRecord) -> str:
    if release.stage is Stage.STEP:
        return f"step {release.step} of {release.steps}"
    return "a place that was not seen" if release.stage is Stage.UNOBSERVED else f"the {release.stage}"
