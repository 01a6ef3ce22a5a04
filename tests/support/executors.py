"""An executor that generates nothing, for what happens around the runs of an audit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Self

from spacediff.progress import ProgressListener
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.store.store import Store


class IdleExecutor:
    """An executor that nobody may ask for runs.

    Args:
        environment: What it says of this machine.
    """

    at_once = 1
    generates_here = True

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({"device": "cpu"})) -> None:
        self._environment = environment

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def prepare(self, runs: Iterable[Run], store: Store) -> None:
        pass

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        raise NotImplementedError
