"""What a Space installs, and what that would come to here: looked up, and nothing installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacediff.errors import InvalidArgument
from spacediff.results import PackageVersion, SpaceEnvironment

if TYPE_CHECKING:
    from spacediff.progress import Progress


def space_environment(
    space: str, *, torch: str | None = None, python: str | None = None, progress: Progress | None = None
) -> SpaceEnvironment:
    """List what a run with `env = "space"` would install, and in what that is not what the Space has.

    The Hub and the index are asked. Nothing is installed, built or run.

    Args:
        space: `ORG/NAME`, or the address of the Space's page.
        torch: A version of torch to install; by default the one that is here is used.
        python: A version of Python; by default the Space's where `torch` is given and it is on this machine, else
            the one that runs this.
        progress: Receives what is looked up; by default nobody.

    Raises:
        InvalidArgument: It is no Space of the Hub, or no version.
        EnvironmentUnavailable: What the Space installs is unknown, or does not fit together here, or there is no such
            Python.
        NotMeasuredError: The Hub does not give the Space; the class says why.
    """
    from packaging.version import InvalidVersion, Version

    from spacediff.environments.hosted import hosted_environment
    from spacediff.environments.hosted_facts import differing_facts
    from spacediff.environments.locking import lock_of
    from spacediff.environments.pythons import python_named
    from spacediff.environments.shared import TORCH, installed_here
    from spacediff.environments.wanted import of_space
    from spacediff.hub.ids import is_repository_id, no_space, space_of
    from spacediff.progress import SilentListener

    if not is_repository_id(named := space_of(space)):
        raise no_space(space)
    try:
        pins = ((TORCH, str(Version(torch))),) if torch else ()
        version = str(Version(python)) if python else ""
    except InvalidVersion as error:
        raise InvalidArgument(f"{error}: it is no version", hint="a version looks like 2.4.0") from error
    wanted = of_space(hosted_environment(named), pins, python_named(version) if version else None)
    lock, here = lock_of(wanted, progress or SilentListener()), installed_here()
    packages = (PackageVersion(name, version, here.get(name, "")) for name, version in sorted(lock.packages.items()))
    return SpaceEnvironment(named, tuple(packages), tuple(differing_facts(wanted, lock)))
