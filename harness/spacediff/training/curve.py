"""The loss curves of a training as one picture: `python -m spacediff.training.curve --work DIR FILE.png`."""

from __future__ import annotations

import argparse
from pathlib import Path

from spacediff.training.arguments import folder, new_file
from spacediff.training.train import FULL, PIECES, SHORT, WHOLE

_FEW = 10  # points that are marked
_SCALE = 1.25  # pixels of the picture per unit of the chart


def main() -> None:
    """Draw each stage that has begun."""
    parser = argparse.ArgumentParser(prog="python -m spacediff.training.curve", description=main.__doc__)
    parser.add_argument("--work", type=folder, required=True, help="working folder of spacediff.training.train")
    parser.add_argument("picture", type=new_file, help="the PNG to write")
    options = parser.parse_args()
    if not any((options.work / f"{course.name}.csv").exists() for course in (PIECES, WHOLE, SHORT, FULL)):
        parser.error(f"there is no loss curve in {str(options.work)!r}")
    draw_curves(options.work, options.picture)


def draw_curves(work: Path, picture: Path) -> None:
    """Write a chart for each stage: loss over steps, each point the mean of fifty.

    Args:
        work: Holds `NAME.csv` of the stages.
        picture: Of the PNG.
    """
    import altair as alt
    import pandas as pd
    import vl_convert

    charts = []
    for course in (PIECES, WHOLE, SHORT, FULL):
        path = work / f"{course.name}.csv"
        if not path.exists():
            continue
        curve = pd.read_csv(path).drop_duplicates("step", keep="last")
        rows = [{"step": step, "loss": loss} for step, loss in zip(curve["step"], curve["loss"], strict=True)]
        charts.append(
            alt.Chart(alt.InlineData(values=rows), title=course.name, width=320, height=180)
            .mark_line(point=len(rows) < _FEW)
            .encode(
                x=alt.X("step:Q", title="step"),
                y=alt.Y("loss:Q", title="loss", scale=alt.Scale(type="log", nice=False)),
            )
        )
    chart = alt.concat(*charts, columns=2).configure(background="white")
    picture.write_bytes(vl_convert.vegalite_to_png(chart.to_dict(), scale=_SCALE))


if __name__ == "__main__":
    main()
