"""What draws the curves: Vega, as a script that the page carries, and the specifications of the charts.

The key insight: both are the same for every report, so they come with the package as files. Making them needs V8, which
takes seconds and ends its whole process where the address space is limited; reading them needs nothing. A development
tool makes them (`tests/support/chart_files.py`).
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from spacediff.shipped import shipped

LIBRARY = "vega.js.gz"
"""File of `reports/` with the library's script, compressed by gzip."""
SPECIFICATIONS = "charts.json"
"""File of `reports/` with the specifications by the kind of chart."""


@dataclass(frozen=True)
class Charting:
    """What the page needs to draw curves.

    Attributes:
        script: The library's script, as the page's policy has to allow it.
        packed: The same as the page carries it: compressed by gzip, in base64.
        specs: Specifications for Vega by the kind of chart: `frames`, `linear`, `logarithmic`.
    """

    script: str
    packed: str
    specs: dict[str, Any]


@cache
def charting() -> Charting:
    """Return what draws curves."""
    packed = (shipped("reports") / LIBRARY).read_bytes()
    return Charting(
        script=gzip.decompress(packed).decode(),
        packed=base64.b64encode(packed).decode(),
        specs=json.loads((shipped("reports") / SPECIFICATIONS).read_bytes()),
    )
