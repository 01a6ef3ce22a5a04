"""Which requirements have a wheel that this machine can install: without one, a build would run their code."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from spacediff.environments.pythons import Interpreter
from spacediff.environments.releases import IndexFile, files_of, moment
from spacediff.progress import Progress


def without_wheels(lines: Iterable[str], newest: str, python: Interpreter, progress: Progress) -> tuple[str, ...]:
    """Return the requirements for which the index has no wheel for this machine.

    Args:
        lines: Requirements, each a package of an index.
        python: The interpreter that would import them.
        newest: Wheels that were uploaded later do not count, RFC 3339 in UTC; empty for no limit.
        progress: Receives which package is looked at.

    Raises:
        EnvironmentUnavailable: The index does not answer.
    """
    tags = _tags(python)
    version = {"python_full_version": python.version, "python_version": python.minor}
    missing = []
    for line in lines:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate(version):
            continue
        progress.on_status(f"looking for a wheel of {wanted.name}")
        files = files_of(wanted.name, must_exist=False)
        if not any(_fits(file, wanted, newest, tags) for file in files):
            missing.append(line)
    return tuple(missing)


def _tags(python: Interpreter) -> frozenset[Tag]:
    """Return the kinds of wheels that an interpreter can import."""
    if python.shares_torch:  # of the same minor version, it has those of this one
        return frozenset(sys_tags())
    version = tuple(int(each) for each in python.minor.split("."))
    name = f"cp{''.join(map(str, version))}"
    return frozenset([*cpython_tags(version), *compatible_tags(version, name)])


def _fits(file: IndexFile, wanted: Requirement, newest: str, tags: frozenset[Tag]) -> bool:
    if file.yanked:
        return False
    try:
        _, version, _, built_for = parse_wheel_filename(file.name)
    except InvalidWheelFilename:
        return False
    uploaded = moment(file.uploaded)
    in_time = not newest or not uploaded or uploaded < newest
    return in_time and not tags.isdisjoint(built_for) and wanted.specifier.contains(version, prereleases=True)
