"""The environment of a Space, in which a run happens: what is installed, what is not, and what is inferred."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.hub.requirement_lines import Refusal
from spacediff.record import FactKind
from spacediff.wording.vocabulary import says

_REASONS: dict[str, str] = {
    Refusal.OPTION: "an option of pip",
    Refusal.INDEX: "another index: only that of this machine is asked",
    Refusal.INCLUDE: "another file, which is not read",
    Refusal.EDITABLE: "a source, whose build would run its code",
    Refusal.VERSION_CONTROL: "a repository, whose build would run its code",
    Refusal.ADDRESS: "an address: only packages of the index are installed",
    Refusal.PATH: "a path: only packages of the index are installed",
    Refusal.VARIABLE: "a variable of the environment, which is not put in",
    Refusal.UNREADABLE: "no requirement that can be read",
    Refusal.TOO_LONG: "too long",
    Refusal.TOO_MANY: "too many",
    Refusal.INSTALLER: "it installs packages",
    Refusal.APP: "it serves the app, which is not run",
    Refusal.OF_TORCH: "it is built for the Space's torch",
    Refusal.NO_WHEEL: "no wheel for this machine, and a build would run its code",
    Refusal.MARKER: "its marker excludes this machine",
    Refusal.SYSTEM: "packages of the system",
}
_KEPT: dict[str, str] = {
    "too-old": "in which a run cannot be watched",
    "torch": "for which torch would have to be installed: name one by env.torch",
    "missing": "which is not on this machine",
}
"""Why the Python of a Space is not used."""
_SHORT = 7
"""Digits of a commit that are shown."""


def refusal_text(reason: str) -> str:
    """Say why a line of requirements is not installed; a reason of another version of spacediff is said as it is."""
    return _REASONS.get(reason, reason)


@says(FactKind.HOSTED_INSTALLED)
def _installed(*, space: str, commit: str, packages: Sequence[str], others: int) -> str:
    at = f" at {commit[:_SHORT]}" if commit else ""
    more = f" and {others} other package{'s' if others > 1 else ''}" if others else ""
    return f"As {space}{at} asks for them, from wheels alone: {', '.join(packages)}{more}."


@says(FactKind.HOSTED_LEFT_OUT)
def _left_out(*, space: str, lines: Sequence[str], reasons: Sequence[str], instead: Sequence[str], more: int) -> str:
    said = [
        f"{line} ({refusal_text(reason)}{f'; {other} in its place' if other else ''})"
        for line, reason, other in zip(lines, reasons, instead, strict=True)
    ]
    rest = f", and {more} more" if more else ""
    return f"Not installed of what {space} asks for: {', '.join(said)}{rest}."


@says(FactKind.HOSTED_CHOSEN)
def _chosen(*, space: str, packages: Sequence[str]) -> str:
    return f"Chosen by the resolver, since {space} names no version that could be installed: {', '.join(packages)}."


@says(FactKind.HOSTED_NEWEST)
def _newest(*, space: str, moment: str, lines: Sequence[str]) -> str:
    asked = ", ".join(lines)
    if not moment:
        return f"Not pinned by {space}, so the newest of today: {asked}. When the Space was built is unknown."
    day = moment.partition("T")[0]
    return (
        f"Not pinned by {space}, so the newest of {day}: {asked}. That is an inference from the Space's last change: "
        "it may have been built later."
    )


@says(FactKind.HOSTED_PYTHON)
def _python(*, space: str, there: str, here: str, kept: str) -> str:
    if not there:
        return f"Python {here} is used; which one {space} has is not said in its README."
    reason = _KEPT.get(kept, "")
    return f"Python {here} is used; {space} has {there}{f', {reason}' if reason else ''}."


@says(FactKind.HOSTED_TORCH)
def _torch(*, space: str, asked: str, installed: str, fits: bool, shared: bool, cuda: bool) -> str:
    wants = f"{space} asks for {asked}" if asked else f"{space} does not say which one it has"
    build = "a CUDA build" if cuda else "a build without CUDA"
    if shared:
        another = "" if fits else " Name one by env.torch to install it."
        return f"torch {installed} of this machine is used, {build}; {wants}.{another}"
    return f"torch {installed} is installed from the index, {build}; {wants}."


@says(FactKind.HOSTED_COMMIT)
def _commit(*, space: str, read: str, running: str) -> str:
    return f"The files of {space} at {read[:_SHORT]} were read, and {running[:_SHORT]} runs there."
