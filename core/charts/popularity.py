"""How popularity is spread over a data set: the long tail, the Lorenz curve, deciles, users' profiles.

Here: charts over `queries.item_popularity`, `lorenz`, `decile_shares` and `profile_histograms`, each with its takeaway.
Not here: what models show (exposure.py, users.py), which items are hot (core/datasets/popularity.py).
"""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import number, percent

TRAIN, TEST = palette.SKY, palette.INDIGO
HEIGHT = 320
MEASURES = {
    "length": ("Items in the profile", "users by length of their profile"),
    "mean_popularity": (
        "Mean popularity of the profile's items (share of users)",
        "users by popularity of their taste",
    ),
}
"""Axis title and name of each profile histogram."""


# ---------------------------------------------------------------- long tail


def long_tail(items: pd.DataFrame) -> alt.LayerChart:
    """Interactions of each item over its rank, both axes logarithmic, cut into hot and cold by a line.

    items: `queries.item_popularity`. Items that nobody took in train have no place on a logarithmic axis.
    """
    curve = _corners(items[items["count"] > 0].sort_values("rank"))
    group = alt.Scale(domain=["hot", "cold"], range=[palette.HOT, palette.COLD])
    base = alt.Chart(curve).encode(
        x=alt.X("rank:Q", title="Rank of the item (logarithmic)", **_powers(len(items))),
        y=alt.Y("count:Q", title="Users who took it (logarithmic)", **_powers(curve["count"].max())),
    )
    area = base.mark_area(opacity=0.35, interpolate="step-after", line={"strokeWidth": 2}, tooltip=None)
    coloured = area.encode(y2=alt.datum(1), color=alt.Color("group:N", scale=group, title=None, legend=None))
    tips = [
        alt.Tooltip("title:N", title="Item"),
        alt.Tooltip("rank:Q", title="Rank"),
        alt.Tooltip("count:Q", title="Users"),
    ]
    over = base.mark_point(size=60, opacity=0, filled=True).encode(tooltip=tips)
    return layered([named(coloured, "curve"), named(over, "items"), *_cut(items)], "long_tail", HEIGHT)


def long_tail_takeaway(items: pd.DataFrame) -> str:
    """How much the hot items get."""
    hot, total = items[items["hot"]], items["count"].sum()
    never = int((items["count"] == 0).sum())
    rest = f" {never:,} items have none in train." if never else ""
    return (
        f"The {len(hot):,} hot items, {percent(len(hot) / len(items))} of {len(items):,}, "
        f"get {percent(hot['count'].sum() / total)} of the train interactions.{rest}"
    )


def _powers(largest: float) -> dict[str, Any]:
    """A logarithmic axis from 1 on, with lines at the powers of ten."""
    values = [10**n for n in range(len(str(int(largest))))]
    scale = alt.Scale(type="log", domain=[1, max(largest, 10)], nice=False)
    return {"scale": scale, "axis": alt.Axis(values=values, format="~s")}


def _corners(items: pd.DataFrame) -> pd.DataFrame:
    """First and last item of each count: the same curve as all items, with as many rows as there are counts."""
    steps = pd.concat([items.groupby(["count", "hot"]).head(1), items.groupby(["count", "hot"]).tail(1)])
    titles = steps["title"].where(steps["title"].notna(), steps["item_id"])
    shown = steps.assign(title=titles, group=np.where(steps["hot"], "hot", "cold"))
    return shown[["rank", "count", "title", "group"]].drop_duplicates().sort_values("rank")


def _cut(items: pd.DataFrame) -> list[alt.Chart]:
    """The line between hot and cold, with both named."""
    hot = int(items["hot"].sum())
    if not 0 < hot < len(items):
        return []
    rule = alt.Chart(pd.DataFrame({"rank": [hot + 0.5]})).mark_rule(
        strokeDash=[4, 4], strokeWidth=1.5, color=palette.NEUTRAL, tooltip=None
    )
    left = _side(hot, f"{hot:,} hot", align="right", dx=-8)
    right = _side(hot, f"{len(items) - hot:,} cold", align="left", dx=8)
    return [named(rule.encode(x=alt.X("rank:Q")), "cut"), named(left, "hot_side"), named(right, "cold_side")]


def _side(hot: int, words: str, **place: Any) -> Any:
    style = {"dy": 12, "baseline": "top", "fontSize": 12, "fontWeight": "bold", "tooltip": None}
    text: Any = alt.Chart(pd.DataFrame({"rank": [hot + 0.5], "text": [words]}))
    return text.mark_text(color=palette.QUIET, **style, **place).encode(x="rank:Q", y=alt.value(0), text="text:N")


# ---------------------------------------------------------------- Lorenz


def lorenz(curve: pd.DataFrame, gini: float) -> alt.LayerChart:
    """The Lorenz curve below the line of equality; twice the area between them is Gini. curve: `queries.lorenz`."""
    share = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(format="%", tickCount=5)
    base = alt.Chart(curve.assign(equal=curve["item_share"])).encode(
        x=alt.X("item_share:Q", title="Share of items, least popular first", scale=share, axis=axis)
    )
    between = base.mark_area(opacity=0.2, color=palette.SKY, tooltip=None)
    area = between.encode(
        y=alt.Y("equal:Q", scale=share, axis=axis, title="Share of interactions"), y2=alt.Y2("interaction_share")
    )
    equal = base.mark_line(strokeDash=[4, 4], strokeWidth=1.5, color=palette.NEUTRAL, tooltip=None).encode(y="equal:Q")
    tips = [
        alt.Tooltip("item_share:Q", title="Least popular items", format=".1%"),
        alt.Tooltip("interaction_share:Q", title="have of the interactions", format=".1%"),
    ]
    line = base.mark_line(strokeWidth=2.5, color=palette.SKY).encode(y="interaction_share:Q", tooltip=tips)
    words = pd.DataFrame({"x": [0.04], "y": [0.94], "text": [f"Gini {number(gini)}"]})
    text = alt.Chart(words).mark_text(align="left", fontSize=14, fontWeight="bold", color=palette.QUIET, tooltip=None)
    layers = [named(area, "between"), named(equal, "equality"), named(line, "curve")]
    return layered(
        [*layers, named(text.encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("text:N")), "gini")], "lorenz", HEIGHT
    )


def lorenz_takeaway(curve: pd.DataFrame, gini: float) -> str:
    """What the least and the most popular items have."""
    at = {share: float(np.interp(share, curve["item_share"], curve["interaction_share"])) for share in (0.5, 0.8)}
    return (
        f"Gini {number(gini)}: the less popular half of the items has {percent(at[0.5])} of the train interactions, "
        f"the most popular fifth {percent(1 - at[0.8])}."
    )


# ---------------------------------------------------------------- deciles


def decile_shares(shares: pd.DataFrame) -> alt.LayerChart:
    """What each popularity decile has of the interactions, in train and in test, beside its tenth of the catalogue."""
    names = {"train_share": "train", "test_share": "test"}
    long = shares.melt(["decile", "catalogue_share", "items"], list(names), "split", "share")
    long = long.assign(split=long["split"].map(names))
    colours = alt.Scale(domain=["train", "test"], range=[TRAIN, TEST])
    tips = [
        alt.Tooltip("decile:O", title="Decile"),
        alt.Tooltip("items:Q", title="Items"),
        alt.Tooltip("split:N", title="Split"),
        alt.Tooltip("share:Q", title="Share", format=".1%"),
    ]
    base = alt.Chart(long).encode(
        x=alt.X("decile:O", title="Popularity decile of the items (10: most popular)", axis=alt.Axis(labelAngle=0))
    )
    bars = base.mark_bar().encode(
        y=alt.Y("share:Q", title="Share of interactions", axis=alt.Axis(format="%")),
        xOffset=alt.XOffset("split:N", sort=["train", "test"]),
        color=alt.Color("split:N", scale=colours, title=None, sort=["train", "test"], legend=alt.Legend(orient="top")),
        tooltip=tips,
    )
    tenth = alt.Chart(shares).mark_rule(strokeDash=[4, 4], strokeWidth=1.5, color=palette.NEUTRAL, tooltip=None)
    line = tenth.encode(y=alt.Y("mean(catalogue_share):Q", title="Share of interactions"))
    return layered([named(bars, "shares"), named(line, "catalogue")], "decile_shares", HEIGHT)


def decile_shares_takeaway(shares: pd.DataFrame) -> str:
    """The tenth with most, and the lower half."""
    top, half = shares[shares["decile"] == 10], shares[shares["decile"] <= 5]
    return (
        f"The most popular tenth of the items has {percent(top['train_share'].sum())} of the train and "
        f"{percent(top['test_share'].sum())} of the test interactions; the less popular half has "
        f"{percent(half['train_share'].sum())} and {percent(half['test_share'].sum())}."
    )


# ---------------------------------------------------------------- users' profiles


def profile_histogram(histograms: pd.DataFrame, measure: str) -> alt.LayerChart:
    """How many users have profiles of which length, or of which mean popularity.

    histograms: `queries.profile_histograms`; measure: a key of MEASURES.
    """
    rows = histograms[(histograms["measure"] == measure) & (histograms["users"] > 0)]
    logarithmic = measure == "length"
    scale = alt.Scale(type="log", nice=False) if logarithmic else alt.Scale(zero=False, nice=False)
    axis = alt.Axis(format="~s" if logarithmic else "~%", tickCount=6)
    words = [_bin(row, logarithmic) for row in rows.itertuples()]
    bars = alt.Chart(rows.assign(range=words)).mark_bar(color=palette.SKY, binSpacing=1, orient="vertical")
    shown = bars.encode(
        x=alt.X(
            "low:Q", title=MEASURES[measure][0] + (" (logarithmic)" if logarithmic else ""), scale=scale, axis=axis
        ),
        x2=alt.X2("high:Q"),
        y=alt.Y("users:Q", title="Users"),
        y2=alt.datum(0),
        tooltip=[alt.Tooltip("range:N", title="From, to below"), alt.Tooltip("users:Q", title="Users")],
    )
    return layered([named(shown, "users")], f"profile_{measure}", 220)


def _bin(row: Any, whole: bool) -> str:
    return f"{row.low:,.0f} to {row.high:,.0f}" if whole else f"{percent(row.low)} to {percent(row.high)}"


def profile_takeaway(profiles: pd.DataFrame, measure: str) -> str:
    """The middle user and the outer tenths. profiles: `queries.user_profiles`."""
    low, middle, high = (float(v) for v in np.nanquantile(profiles[measure], [0.1, 0.5, 0.9]))
    if measure == "length":
        return (
            f"Half of the users have {middle:,.0f} items or more in train; "
            f"a tenth has up to {low:,.0f}, a tenth {high:,.0f} or more."
        )
    return (
        f"The middle user's items were taken by {percent(middle)} of all users; "
        f"a tenth of the users is below {percent(low)}, a tenth above {percent(high)}."
    )
