"""Exposure: which share of the recommendation slots each popularity decile gets, against what users really took.

Here: the chart over `queries.exposure` or `who_pays.by_decile`, and its takeaway. Not here: popularity of
the data alone (popularity.py).
"""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import percent

NAME = "exposure"
SERIES = (palette.A, palette.B, palette.INDIGO, palette.GREEN, palette.PURPLE)
"""Colours of the settings, in the order given: A, B, and further ones."""
_TITLE = "Share of the slots (square-root scale)"  # on a linear one the long tail's bars cannot be seen


def exposure(shares: pd.DataFrame, colours: alt.Scale | None = None, split: str = "test") -> alt.LayerChart:
    """Bars for each setting by decile, the decile's share of train as a tick, its share of what is held out as a dot.

    shares: `queries.exposure` or `who_pays.by_decile`; colours: of the labels, SERIES by default; split: whose held-out
    interactions test_share is of.
    """
    labels = list(dict.fromkeys(shares["label"]))
    colours = colours or alt.Scale(domain=labels, range=[SERIES[n % len(SERIES)] for n in range(len(labels))])
    x = alt.X("decile:O", title="Popularity decile of the items (10: most popular)", axis=alt.Axis(labelAngle=0))
    tips = [
        alt.Tooltip("label:N", title="Setting"),
        alt.Tooltip("decile:O", title="Decile"),
        alt.Tooltip("share:Q", title="Share of the slots", format=".1%"),
        alt.Tooltip("train_share:Q", title="Share of train", format=".1%"),
        alt.Tooltip("test_share:Q", title=f"Share of {split}", format=".1%"),
    ]
    bars = (
        alt.Chart(shares)
        .mark_bar(opacity=0.65)  # grey facts are seen on them, grey bars too
        .encode(
            x=x,
            y=alt.Y("share:Q", title=_TITLE, scale=alt.Scale(type="sqrt"), axis=alt.Axis(format="~%", tickCount=6)),
            xOffset=alt.XOffset("label:N", sort=labels),
            color=alt.Color(
                "label:N",
                scale=colours,
                sort=labels,
                title=None,
                legend=alt.Legend(orient="top", columns=2, labelLimit=220),
            ),
            tooltip=tips,
        )
    )
    facts = shares.drop_duplicates("decile")
    ticks = alt.Chart(facts).mark_tick(thickness=2.5, color=palette.NEUTRAL, bandSize=36, tooltip=None)
    dots = alt.Chart(facts).mark_point(color=palette.NEUTRAL, size=45, strokeWidth=2, opacity=1, tooltip=None)
    layers = [
        named(bars, "slots"),
        named(ticks.encode(x=x, y=alt.Y("train_share:Q", title=_TITLE)), "train"),
        named(dots.encode(x=x, y=alt.Y("test_share:Q", title=_TITLE)), "test"),
    ]
    note = f"Grey tick: the decile's share of the train interactions; circle: of the {split} interactions"
    return layered(layers, NAME, 300, note)


def takeaway(shares: pd.DataFrame, split: str = "test") -> str:
    """What the most popular tenth and the less popular half are given by each setting, and what users gave them."""
    told = [f"{label} gives {_ends(rows, 'share')} of its slots" for label, rows in shares.groupby("label", sort=False)]
    facts = shares.drop_duplicates("decile")
    given = f"{_ends(facts, 'train_share')} of their train interactions"
    return f"{'; '.join(told)}; users gave {given}, and {_ends(facts, 'test_share')} of those held out in {split}."


def _ends(rows: pd.DataFrame, column: str) -> str:
    top, half = rows[rows["decile"] == 10][column].sum(), rows[rows["decile"] <= 5][column].sum()
    return f"the most popular tenth {percent(top)} and the less popular half {percent(half)}"
