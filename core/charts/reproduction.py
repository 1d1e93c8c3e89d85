"""Our figures beside the published ones: one line a method, a mark for each of the three.

Here: the chart over `comparison.side_by_side`, and its takeaway. Not here: verdicts on whole rows (core/reproduction).
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import axis_title, metric_name
from core.evaluation.metrics import METRICS, parse_key
from core.reproduction.plan import PARTS, SETTINGS

NAME = "reproduction"
PUBLISHED = "published"
COLOURS = {PUBLISHED: palette.NEUTRAL, **dict(zip(SETTINGS.values(), (palette.A, palette.B), strict=True))}
SHAPES = {PUBLISHED: "diamond", **dict(zip(SETTINGS.values(), ("circle", "square"), strict=True))}
STATE_COLOURS = {"reached": palette.GREEN, "near": palette.GREEN, "below": palette.VERMILION, "apart": palette.ORANGE}
"""What a table puts behind a difference, thinly; which state it is stands beside it in words or sign."""
ROW, AROUND = 26, 110  # pixels of a method, and of legend and axis


def beside(table: pd.DataFrame, metric: str) -> alt.LayerChart:
    """Published figure, ours at the authors' settings and ours tuned, with the spread over seeds as lines.

    table: `comparison.side_by_side` of one part and that metric, at least one row. A published figure that looks like a
    misprint is not drawn, nor what is not trained yet.
    """
    marks = _marks(table)
    y = alt.Y(
        "method:N", sort=list(table["method"]), title=None, axis=alt.Axis(grid=True, ticks=False, labelOverlap=False)
    )
    x = alt.X("value:Q", title=axis_title(metric), scale=alt.Scale(zero=False, nice=True))
    series = list(COLOURS)
    legend = alt.Legend(title=None, orient="top", labelLimit=300)
    tips = [
        alt.Tooltip("method:N", title="Method"),
        alt.Tooltip("whose:N", title="Figure"),
        alt.Tooltip("value:Q", title=metric_name(metric), format=".4f"),
        alt.Tooltip("sd:Q", title="Standard deviation over seeds", format=".4f"),
    ]
    base: Any = alt.Chart(marks).encode(y=y)
    spread = base.transform_filter("isValid(datum.sd)").mark_rule(strokeWidth=2, tooltip=None, aria=False)
    points = base.mark_point(filled=True, size=90, opacity=1, stroke=None)
    colour = alt.Color("whose:N", scale=alt.Scale(domain=series, range=[COLOURS[s] for s in series]), legend=legend)
    shape = alt.Shape("whose:N", scale=alt.Scale(domain=series, range=[SHAPES[s] for s in series]), legend=legend)
    layers = [
        named(spread.encode(x=alt.X("low:Q", title=axis_title(metric)), x2=alt.X2("high:Q"), color=colour), "spread"),
        named(points.encode(x=x, color=colour, shape=shape, tooltip=tips), "figures"),
    ]
    return layered(layers, NAME, ROW * len(table) + AROUND)


def takeaway(table: pd.DataFrame, metric: str) -> str:
    """How many rows are as published, at either setting. table: as for `beside`, of a part with published figures."""
    tolerance = PARTS[str(table["part"].iloc[0])].tolerance
    accuracy = METRICS[parse_key(metric)[0]].kind == "accuracy"
    wanted = "reached" if accuracy else "near"
    judged = table[~table["sic"]]
    told = []
    for settings, words in SETTINGS.items():
        there = judged[judged[f"{settings}_seeds"] > 0]
        count = int((there[f"{settings}_state"] == wanted).sum())
        told.append(f"{count} of {len(there)} rows at {words}" if len(there) else f"no row yet at {words}")
    close = f"within {tolerance:g} of the published {metric_name(metric)}" + (", or above" if accuracy else "")
    return f"{close[:1].upper()}{close[1:]}: {' and '.join(told)}."


def _marks(table: pd.DataFrame) -> pd.DataFrame:
    """One row a mark: method, whose, value, sd, low, high."""
    rows = []
    for row in table.to_dict("records"):
        if not row["sic"]:
            rows.append((row["method"], PUBLISHED, row["published"], float("nan")))
        rows += [(row["method"], words, row[s], row[f"{s}_sd"]) for s, words in SETTINGS.items()]
    marks = pd.DataFrame(rows, columns=["method", "whose", "value", "sd"]).dropna(subset=["value"])
    return marks.assign(low=marks["value"] - marks["sd"], high=marks["value"] + marks["sd"])
