"""Write one line chart as a page that contains all it needs, with Altair: `benchmarks.inline_chart FILE.html`."""

from __future__ import annotations

import sys

import altair as alt

_VALUES = 49


def main() -> None:
    """Write the page."""
    rows = [{"frame": frame, "value": frame % 7} for frame in range(_VALUES)]
    alt.Chart(alt.InlineData(values=rows)).mark_line().encode(x="frame:Q", y="value:Q").save(sys.argv[1], inline=True)


if __name__ == "__main__":
    main()
