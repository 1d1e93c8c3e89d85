"""Learning curves: how accuracy and loss went over the epochs, and which epoch the results are from.

Here: the chart over `queries.history`, and its takeaway. Not here: live progress of running jobs (the page).
"""

from __future__ import annotations

import math
from typing import Any, cast

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import listed, number

NAME = "learning"
METRIC_HEIGHT, LOSS_HEIGHT = 190, 120


def curves(history: pd.DataFrame) -> alt.VConcatChart:
    """Accuracy above, loss below, one line a seed in the method's colour, the chosen epoch marked.

    history: `queries.history` of runs of one or several variants, at least one row; several are told apart by dashes.
    """
    rows = history.assign(colour=[palette.style(method).colour for method in history["method"]])
    accuracy, loss = rows.dropna(subset=["metric"]), rows.dropna(subset=["loss"])
    asked = ((accuracy, "metric", metric_title(history), METRIC_HEIGHT), (loss, "loss", "Train loss", LOSS_HEIGHT))
    panels = [panel for panel in asked if len(panel[0])]
    charts = [_panel(*panel, last=n == len(panels) - 1) for n, panel in enumerate(panels)]
    return cast("alt.VConcatChart", alt.vconcat(*charts, spacing=8).resolve_scale(x="shared").properties(name=NAME))


def takeaway(history: pd.DataFrame) -> str:
    """The best accuracy and the chosen epochs of each variant."""
    return ". ".join(_told(str(label), rows) for label, rows in history.groupby("label", sort=False)) + "."


def _told(label: str, rows: pd.DataFrame) -> str:
    chosen = sorted(set(rows[rows["chosen"]]["epoch"]))
    best = rows.groupby("run")["metric"].max().mean()
    runs = len(set(rows["run"]))
    seeds = f"mean of {runs} seeds" if runs > 1 else "one seed"
    reached = (
        f"{label} reaches {metric_title(rows)} {number(best)}, {seeds}" if not math.isnan(best) else f"{label}, {seeds}"
    )
    epochs = f"; chosen epoch{'s' * (len(chosen) > 1)} {listed([f'{epoch:,}' for epoch in chosen])}" if chosen else ""
    return reached + epochs


def metric_title(history: pd.DataFrame) -> str:
    """What chooses the epoch: test under protocol "paper", else validation."""
    return f"NDCG@10 on {listed(sorted({'test' if p == 'paper' else 'validation' for p in history['protocol']}))}"


def _panel(rows: pd.DataFrame, column: str, title: str, height: int, last: bool) -> alt.LayerChart:
    base: Any = alt.Chart(rows).encode(
        x=alt.X(
            "epoch:Q",
            title="Epoch" if last else None,
            scale=alt.Scale(nice=False),
            axis=alt.Axis(tickMinStep=1, format="d"),
        ),
        y=alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format="~g", tickCount=4)),
        color=alt.Color("colour:N", scale=None),
        detail=alt.Detail("run:N"),
        tooltip=[
            alt.Tooltip("label:N", title="Setting"),
            alt.Tooltip("seed:Q", title="Seed"),
            alt.Tooltip("epoch:Q", title="Epoch"),
            alt.Tooltip(f"{column}:Q", title=title, format=".3~g"),
        ],
    )
    labels = list(dict.fromkeys(rows["label"]))
    legend = alt.Legend(title=None, orient="top", labelLimit=300) if len(labels) > 1 else None
    dashed = base.encode(strokeDash=alt.StrokeDash("label:N", sort=labels, legend=legend))
    lines = dashed.mark_line(strokeWidth=1.75, opacity=0.85)
    chosen = base.transform_filter(alt.datum.chosen).mark_point(filled=True, size=80, opacity=1)
    layers = [named(lines, f"{column}_lines"), named(chosen, f"{column}_chosen")]
    return layered(layers, f"{NAME}_{column}", height)
