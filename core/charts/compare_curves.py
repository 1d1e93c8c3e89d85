"""Learning curves of A and B in one chart: every seed faint, their mean bold, the epochs that the results are from.

Here: the chart over `queries.history`, and its takeaway. Not here: one setting's curves (learning.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.charts import learning, palette
from core.charts.layers import layered, named

NAME = "learning_of_both"
HEIGHT = 330
TITLES = {"metric": "NDCG@10", "loss": "Train loss"}
"""What can be drawn: columns of `queries.history`."""
_NOTE = "Faint: the seeds; bold: their mean, as far as all went; dot: the chosen epoch"


def curves(history: pd.DataFrame, names: Mapping[str, str], column: str = "metric") -> alt.LayerChart:
    """history: `queries.history` of the runs of one or both; names: variant to what the legend says, A's first;
    column: a key of TITLES, of which some row has a value."""
    rows = history.dropna(subset=[column]).assign(side=history["variant"].map(names))
    colours = dict(zip(names.values(), (palette.A, palette.B), strict=False))
    sides = {side: colour for side, colour in colours.items() if side in set(rows["side"])}
    title = learning.metric_title(history) if column == "metric" else TITLES[column]
    base: Any = alt.Chart(rows).encode(**_encoding(column, title, sides))
    seeds = base.mark_line(strokeWidth=1.25, opacity=0.45).encode(detail="run:N", tooltip=_tips(column, title))
    means: Any = alt.Chart(_means(rows, column)).encode(**_encoding(column, title, sides))
    chosen = base.transform_filter(alt.datum.chosen).mark_point(filled=True, size=75, opacity=1)
    layers = [
        named(seeds, "seeds"),
        named(means.mark_line(strokeWidth=2.5, tooltip=None), "means"),
        named(chosen.encode(tooltip=_tips(column, title)), "chosen"),
    ]
    return layered(layers, NAME, HEIGHT, _NOTE)


def takeaway(history: pd.DataFrame, names: Mapping[str, str]) -> str:
    """The best accuracy and the chosen epochs of each."""
    in_order = pd.concat([history[history["variant"] == variant] for variant in names])
    return learning.takeaway(in_order.assign(label=in_order["variant"].map(names)))


def _means(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """The mean over seeds at each epoch that all seeds of the setting went to: else it would jump where one stops."""
    of_epoch = rows.groupby(["variant", "side", "epoch"], sort=False)[column].agg(["mean", "size"]).reset_index()
    seeds = rows.groupby("variant")["run"].nunique()
    return of_epoch[of_epoch["size"] == of_epoch["variant"].map(seeds)].rename(columns={"mean": column})


def _encoding(column: str, title: str, sides: Mapping[str, str]) -> dict[str, Any]:
    dashes = [[1, 0] if colour == palette.A else [6, 3] for colour in sides.values()]
    legend = alt.Legend(
        orient="top", columns=1, labelLimit=400, symbolOpacity=1, symbolStrokeWidth=2.5, symbolType="stroke"
    )
    return {
        "x": alt.X("epoch:Q", title="Epoch", scale=alt.Scale(nice=False), axis=alt.Axis(tickMinStep=1, format="d")),
        "y": alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format="~g", tickCount=5)),
        "color": alt.Color(
            "side:N", scale=alt.Scale(domain=list(sides), range=list(sides.values())), title=None, legend=legend
        ),
        "strokeDash": alt.StrokeDash(
            "side:N", scale=alt.Scale(domain=list(sides), range=dashes), title=None, legend=legend
        ),
    }


def _tips(column: str, title: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("side:N", title="Setting"),
        alt.Tooltip("seed:Q", title="Seed"),
        alt.Tooltip("epoch:Q", title="Epoch"),
        alt.Tooltip(f"{column}:Q", title=title, format=".3~g"),
    ]
