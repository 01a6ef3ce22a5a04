"""What a run occupies on a machine of a cluster."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from spacediff.scenario.tables.base import Table, matching

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_AMOUNT = rf"^([0-9]+(?:\.[0-9]+)?) ?({'|'.join(_UNITS)})$"

Amount = Annotated[str, matching(_AMOUNT, 'an amount of memory, such as "16GB"', examples=["16GB"])]


class Resources(Table):
    """What a run occupies on a machine of a cluster."""

    gpus: Annotated[float, Field(ge=0, le=64)] | None = None
    """GPUs of a run; 0.5 puts two runs on one. By default one, where there are any and a run may use it."""
    cpus: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Cores of a run; also the CPU threads of torch, with every executor. By default as many as torch takes."""
    memory: Amount | None = None
    """Memory of a machine that is reserved for a run; by default none."""

    @property
    def memory_bytes(self) -> int:
        """The memory in bytes; 0 for none."""
        found = re.fullmatch(_AMOUNT, self.memory or "")
        return int(float(found[1]) * _UNITS[found[2]]) if found else 0
