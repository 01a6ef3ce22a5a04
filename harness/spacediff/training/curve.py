"""Draw the loss curves of a training: `python -m spacediff.training.curve --work DIR FILE.png`."""

from __future__ import annotations

import argparse
from pathlib import Path

from spacediff.training.arguments import folder, new_file
from spacediff.training.train import FULL, PIECES, SHORT, WHOLE

_FEW = 10  # curves with fewer points show each of them
_SCALE = 1.25  # pixels of the picture per unit of the chart


def main() -> None:
    """Draw the loss curves of all stages that have begun."""
    parser = argparse.ArgumentParser(prog="python -m spacediff.training.curve", description=main.__doc__)
    parser.add_argument("--work", type=folder, required=True, help="working folder of spacediff.training.train")
    parser.add_argument("picture", type=new_file, help="the PNG to write")
    options = parser.parse_args()
    if not any((options.work / f"{schedule.name}.csv").exists() for schedule in (PIECES, WHOLE, SHORT, FULL)):
        parser.error(f"there is no loss curve in {str(options.work)!r}")
    draw_curves(options.work, options.picture)


def draw_curves(work: Path, picture: Path) -> None:
    """Write a chart for each stage: loss over steps, each point the mean of fifty steps.

    Args:
        work: The folder with `NAME.csv` of each stage.
        picture: The PNG to write.
    """
    import altair as alt
    import pandas as pd
    import vl_convert

    charts = []
    for schedule in (PIECES, WHOLE, SHORT, FULL):
        path = work / f"{schedule.name}.csv"
        if not path.exists():
            continue
        curve = pd.read_csv(path).drop_duplicates("step", keep="last")
        rows = [{"step": step, "loss": loss} for step, loss in zip(curve["step"], curve["loss"], strict=True)]
        charts.append(
            alt.Chart(alt.InlineData(values=rows), title=schedule.name, width=320, height=180)
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
