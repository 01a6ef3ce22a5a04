"""Plan the runs of a scenario's baseline under several releases of a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from packaging.version import InvalidVersion, Version

from spacediff.environments.releases import Release
from spacediff.environments.wanted import TABLE
from spacediff.errors import InvalidArgument
from spacediff.plan import Plan
from spacediff.record import Role
from spacediff.run import Run
from spacediff.settings import Origin, Settings

MOST = 60
"""Releases that are run at most."""


def limits(first: str, last: str | None) -> tuple[Version, Version | None]:
    """Return the two ends of a range of releases.

    Args:
        first: The oldest version.
        last: The newest one; None for the newest that there is.

    Raises:
        InvalidArgument: One is no version, or the first is newer than the last.
    """
    try:
        low, high = Version(first), Version(last) if last else None
    except InvalidVersion as error:
        raise InvalidArgument(f"{error}: it is no version", hint="a version looks like 0.36 or 0.36.0") from error
    if high is not None and low > high:
        raise InvalidArgument(
            f"the range is reversed: {first} is newer than {last}",
            hint=f"name the older one first: from {last} to {first}",
        )
    return low, high


def in_range(releases: Sequence[Release], package: str, first: str, last: str | None = None) -> list[str]:
    """Return the versions from one release to another, both included.

    Args:
        releases: All releases of the package, the oldest first.
        package: The package.
        first: The oldest version.
        last: The newest one; None for the newest that there is.

    Raises:
        InvalidArgument: A limit is no version, or there is no release between the two, or there are too many.
    """
    low, high = limits(first, last)
    found = [each.version for each in releases if low <= Version(each.version) and not _is_above(each.version, high)]
    if not found:
        newest = releases[-1].version if releases else "none"
        asked = f"from {first} to {last or 'the newest'}"
        raise InvalidArgument(f"{package} has no release {asked}; the newest is {newest}")
    if len(found) > MOST:
        raise InvalidArgument(f"{package} has {len(found)} releases from {first} on; at most {MOST} are run")
    return found


def run_names(package: str, versions: Sequence[str]) -> dict[str, str]:
    """Return the names of the runs and the release of each."""
    return {f"{package}-{version}": version for version in versions}


def plan_releases(usual: Plan, package: str, names: Mapping[str, str]) -> Plan:
    """Return the plan that runs a baseline under each of several releases, the first of which is the reference.

    Args:
        usual: The plan of the scenario.
        package: The package.
        names: Names of the runs, each with its release, the oldest first.

    Raises:
        InvalidArgument: The baseline is a script, which has an environment of its own.
    """
    baselines = [run for run in usual.runs if run.role is Role.BASELINE]
    if any(run.source != "diffusers" for run in baselines):
        raise InvalidArgument(
            "releases are compared for a baseline of settings, and this one is a script",
            hint="`spacediff record` runs a script with the interpreter of another environment",
        )
    runs = [_under(run, package, name, version) for run in baselines for name, version in names.items()]
    first = next(iter(names))
    return replace(
        usual,
        title=f"{usual.title}: releases of {package}",
        question=f"At which releases of {package} does the output change?",
        runs=tuple(replace(run, role=Role.BASELINE) if run.name == first else run for run in runs),
        reference=first,
        gate=None,
        semantics=None,
        explain=None,
        grouped=False,
        deterministic_control=False,
    )


def _under(run: Run, package: str, name: str, version: str) -> Run:
    change = Settings.of({TABLE: {package: version}}, Origin.DECLARED, "the range of releases")
    settings = run.settings.changed_by(change)
    return replace(run, name=name, role=Role.VARIANT, settings=settings, changes=change, against="", is_target=False)


def _is_above(version: str, limit: Version | None) -> bool:
    return limit is not None and Version(version) > limit
