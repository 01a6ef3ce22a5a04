"""Programs of the user: a command that a scenario names gives no clip."""

from __future__ import annotations

from spacediff.errors.base import NotMeasuredError


class ProgramUnusable(NotMeasuredError):
    """A program that gives no clip; base class of the errors of programs."""

    code = "program-unusable"


class ProgramNotStarted(ProgramUnusable):
    """A program that is not there, or that the system does not start."""

    code = "program-not-started"


class ProgramFailed(ProgramUnusable):
    """A program that ended with an exit code other than 0, or by a signal."""

    code = "program-failed"


class ProgramTimedOut(ProgramUnusable):
    """A program that did not end before its deadline."""

    code = "program-timed-out"


class ProgramWithoutClip(ProgramUnusable):
    """A program that ended well and wrote no clip, or none that can be decoded."""

    code = "program-without-clip"
