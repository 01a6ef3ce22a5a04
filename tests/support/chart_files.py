"""The files that draw the report's curves: `python -m support.chart_files [FOLDER]`, run in tests/, makes them again.

Vega is bundled and the specifications are compiled by vl-convert, which runs V8. A slow test fails when the files in
`reports/` are not what the tested versions of vl-convert and Altair give.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import vl_convert

from spacediff.reporting.charting import LIBRARY, SPECIFICATIONS
from spacediff.shipped import shipped
from support import chart_specs

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def main(folder: Path) -> None:
    """Write both files."""
    (folder / LIBRARY).write_bytes(gzip.compress(_library().encode(), mtime=0))
    (folder / SPECIFICATIONS).write_text(json.dumps(_specifications(), indent=1) + "\n", "utf-8")


def _library() -> str:
    """Return Vega with what it needs and its licence, as one script that leaves `vegaEmbed` behind."""
    notice = (shipped("reports") / "vega.license").read_text("utf-8")
    return f"/*!\n{notice}*/\n(() => {{\n{vl_convert.javascript_bundle(_SNIPPET)}\n}})();\n"


def _specifications() -> dict[str, object]:
    """Return the specifications for Vega by the kind of chart."""
    kinds = {
        "frames": chart_specs.frames(),
        "linear": chart_specs.steps("linear"),
        "logarithmic": chart_specs.steps("symlog"),
    }
    return {kind: vl_convert.vegalite_to_vega(spec) for kind, spec in kinds.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else shipped("reports"))
