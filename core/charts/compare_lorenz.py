"""Lorenz curves of the data, A and B in one chart: how unequally each spreads its attention over the catalogue.

Here: the chart over the curves of `core.warehouse.compare.shown`, and its takeaway. Not here: the curve of the data
alone (popularity.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import number, percent

NAME = "lorenz_of_both"
HEIGHT = 320
_COLOURS = (palette.NEUTRAL, palette.A, palette.B)
_DASHES = ([2, 2], [1, 0], [6, 3])  # the second channel


def lorenz(curves: pd.DataFrame, names: Mapping[str, str], note: str) -> alt.LayerChart:
    """curves: `compare.Shown.lorenz`; names: its series to what the legend says, data, A and B in this order; note:
    where the numbers are from."""
    rows = curves.assign(named=curves["series"].map(with_gini(curves, names)))
    order = list(with_gini(curves, names).values())
    legend = alt.Legend(orient="top", columns=1, labelLimit=400, symbolStrokeWidth=2.5)
    share, axis = alt.Scale(domain=[0, 1], nice=False), alt.Axis(format="%", tickCount=5)
    x = alt.X("item_share:Q", title="Share of the items, least shown first", scale=share, axis=axis)
    y_title = "Share of the slots (data: of interactions)"
    lines: Any = alt.Chart(rows).mark_line(strokeWidth=2.5)
    drawn = lines.encode(
        x=x,
        y=alt.Y("share:Q", title=y_title, scale=share, axis=axis),
        color=alt.Color("named:N", scale=alt.Scale(domain=order, range=list(_COLOURS)), title=None, legend=legend),
        strokeDash=alt.StrokeDash("named:N", scale=alt.Scale(domain=order, range=list(_DASHES)), legend=legend),
        tooltip=[
            alt.Tooltip("named:N", title="Of"),
            alt.Tooltip("item_share:Q", title="The least shown", format=".1%"),
            alt.Tooltip("share:Q", title="have", format=".1%"),
        ],
    )
    corners: Any = alt.Chart(pd.DataFrame({"item_share": [0.0, 1.0], "share": [0.0, 1.0]}))
    equal = corners.mark_line(strokeWidth=1, opacity=0.6, color=palette.NEUTRAL, tooltip=None)
    layers = [named(equal.encode(x=x, y=alt.Y("share:Q", title=y_title)), "equality"), named(drawn, "curves")]
    return layered(layers, NAME, HEIGHT, note)


def with_gini(curves: pd.DataFrame, names: Mapping[str, str]) -> dict[str, str]:
    """Series to its name and Gini."""
    of_series = curves.drop_duplicates("series").set_index("series")["gini"]
    return {series: f"{name}, Gini {number(of_series[series])}" for series, name in names.items()}


def takeaway(curves: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Gini of each, and what the most shown tenth of the items has."""
    told = []
    for series, name in names.items():
        curve = curves[curves["series"] == series]
        tenth = 1 - float(np.interp(0.9, curve["item_share"], curve["share"]))
        told.append(f"{name}: Gini {number(curve['gini'].iloc[0])}, the top tenth of the items has {percent(tenth)}")
    return f"{'; '.join(told)}."
