"""What draws the curves: Vega, from a Python package, as a script that the page carries.

It takes 2 seconds and a megabyte to make, and is the same for every report, so it is made once per process.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from functools import cache
from typing import Any

from spacediff.shipped import shipped

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


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
def charting() -> Charting | None:
    """Return what draws curves; None where the packages that bring it cannot be loaded, so that tables have to do."""
    try:
        import vl_convert

        from spacediff.reporting import specs
    except ImportError:
        return None
    kinds = {"frames": specs.frames(), "linear": specs.steps("linear"), "logarithmic": specs.steps("symlog")}
    notice = (shipped("reports") / "vega.license").read_text("utf-8")
    script = f"/*!\n{notice}*/\n(() => {{\n{vl_convert.javascript_bundle(_SNIPPET)}\n}})();\n"
    return Charting(
        script=script,
        packed=base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode(),
        specs={kind: vl_convert.vegalite_to_vega(spec) for kind, spec in kinds.items()},
    )
