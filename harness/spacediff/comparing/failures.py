"""Failures: what keeps a clip from being compared, noted so that no clip costs the others their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spacediff.errors import NotMeasuredError, failure
from spacediff.record import Verdict


class Failures:
    """What stands in the way of each run that could not be compared.

    Attributes:
        found: Run name to the verdict that follows, and the reason.
    """

    def __init__(self) -> None:
        self.found: dict[str, tuple[Verdict, str]] = {}

    @contextmanager
    def noted(self, name: str, verdict: Verdict = Verdict.NOT_MEASURED) -> Iterator[None]:
        """Note what goes wrong in the block as a run's obstacle, and go on behind it.

        Args:
            name: The run.
            verdict: What follows from an expected failure; an unexpected one is always `not measured`.
        """
        try:
            yield
        except NotMeasuredError as error:
            self.found[name] = verdict, error.message
        except Exception as error:  # noqa: BLE001 - one clip's failure, whatever it is, must not cost the others
            self.found[name] = Verdict.NOT_MEASURED, f"comparing it failed: {failure(error)}"
