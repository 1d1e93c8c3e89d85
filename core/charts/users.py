"""One user: how popular the items of the profile are, and of the lists that are shown.

Here: the chart over `queries.user_history` and `queries.user_list`, and its takeaway. Not here: the lists themselves,
which are tables (the page).
"""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import percent

NAME = "taste"
PROFILE = "Took before"
_ROW = 54  # pixels


def popularity(history: pd.DataFrame, lists: Mapping[str, pd.DataFrame]) -> alt.LayerChart:
    """A dot for each item by the share of users who took it, a bar at each row's mean.

    history: `queries.user_history`; lists: `queries.user_list` by name, the first in the accent of A, the second of B.
    """
    rows, names = _rows(history, lists), [PROFILE, *lists]
    scale = alt.Scale(
        domain=names, range=[palette.NEUTRAL, palette.A, palette.B, palette.INDIGO, palette.GREEN][: len(names)]
    )
    y = alt.Y("row:N", sort=names, title=None, axis=alt.Axis(labelLimit=180, grid=False))
    x = alt.X(
        "popularity:Q", title="Share of users who took the item (square-root scale)",
        scale=alt.Scale(type="sqrt", nice=True), axis=alt.Axis(format="~%", tickCount=6),
    )  # fmt: skip
    colour = alt.Color("row:N", scale=scale, legend=None)
    dots = alt.Chart(rows).mark_point(filled=True, size=55, opacity=0.55)
    tips = [alt.Tooltip("name:N", title="Item"), alt.Tooltip("popularity:Q", title="Taken by", format=".1%")]
    means = alt.Chart(rows.groupby("row", sort=False, as_index=False)["popularity"].mean())
    bars = means.mark_tick(thickness=4, size=_ROW * 0.6, opacity=1)
    tip = [alt.Tooltip("row:N", title="Mean of"), alt.Tooltip("popularity:Q", title="Taken by", format=".1%")]
    layers = [
        named(dots.encode(x=x, y=y, color=colour, tooltip=tips), "items"),
        named(bars.encode(x=x, y=y, color=colour, tooltip=tip), "means"),
    ]
    return layered(layers, NAME, _ROW * len(names) + 50)


def takeaway(history: pd.DataFrame, lists: Mapping[str, pd.DataFrame]) -> str:
    """How popular the mean item of the profile and of each list is."""
    means = _rows(history, lists).groupby("row", sort=False)["popularity"].mean()
    told = [f"{name}'s by {percent(means[name])}" for name in lists if name in means]
    if PROFILE in means:
        told.insert(0, f"The mean item of this user's profile was taken by {percent(means[PROFILE])} of all users")
    return ", ".join(told) + "." if told else "Nothing to compare for this user."


def _rows(history: pd.DataFrame, lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = {PROFILE: history, **lists}
    rows = [
        (row, title if known else item, popularity)
        for row, frame in parts.items()
        for title, known, item, popularity in zip(
            frame["title"], frame["title"].notna(), frame["item_id"], frame["popularity"], strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["row", "name", "popularity"])


def table(history: pd.DataFrame, lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The chart's numbers, an item a row: Of (the profile or a list), Item, Share of users."""
    rows = _rows(history, lists)
    return rows.rename(columns={"row": "Of", "name": "Item", "popularity": "Share of users"}).reset_index(drop=True)
