"""Bias and variance of settings over their replicates: what the loss is made of, and what each term changes.

Here: charts over the frame of `core.jobs.decomposing.decomposition`, and their takeaways. Not here: the terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import number

HEIGHT = 250
ROW = 34
"""Pixels a setting has in the chart of differences."""
TERMS: Mapping[str, str] = {"noise": "Noise", "bias": "Bias", "variance": "Variance"}
"""In the order of the stack, from the ground up."""
WITH_NOISE = "Bias + noise"
COLOURS: Mapping[str, str] = {
    "Noise": palette.NEUTRAL,
    "Bias": palette.BLUE,
    WITH_NOISE: palette.BLUE,
    "Variance": palette.ORANGE,
}
AXIS = alt.Axis(format=".3~g", tickCount=5)
"""Digits are said: left to itself, Vega writes the ticks 0.1 and 0.12 alike."""
LOSSES = {"brier": "Brier loss", "logistic": "Logistic loss"}
GROUPS = {"all": "all held-out items", "cold": "cold items", "hot": "hot items"}


def group_name(group: str) -> str:
    """What a sentence calls a group of items.

    >>> group_name("cold"), group_name("decile 3")
    ('cold items', 'items of popularity decile 3')
    """
    return GROUPS.get(group, f"items of popularity {group}")


def knows_noise(frame: pd.DataFrame) -> bool:
    """Is the truth known, so that noise is a term of its own?"""
    return bool(frame["noise"].notna().all())


def parts(frame: pd.DataFrame, group: str, loss: str) -> alt.LayerChart:
    """What the loss of each setting is made of in one group: a stack of its terms, and the interval of the whole.

    frame: `decomposition`, at least one row of the group.
    """
    rows = frame[frame["group"] == group]
    order = list(dict.fromkeys(rows["label"]))
    stack = _long(rows)
    names = list(dict.fromkeys(stack["term"]))
    x = alt.X("label:N", sort=order, title=None, axis=alt.Axis(labelAngle=-35, labelLimit=160, labelOverlap=False))
    scale = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    bars: Any = alt.Chart(stack).mark_bar()
    shown = bars.encode(
        x=x,
        y=alt.Y("value:Q", title=LOSSES[loss], stack="zero", axis=AXIS),
        color=alt.Color("term:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
        order=alt.Order("place:Q"),
        tooltip=[
            alt.Tooltip("label:N", title="Setting"),
            alt.Tooltip("term:N", title="Term"),
            alt.Tooltip("value:Q", title="Value", format=".3~g"),
            alt.Tooltip("share:Q", title="Of the loss", format=".1%"),
        ],
    )
    ends: Any = alt.Chart(rows)
    whole = ends.mark_rule(strokeWidth=2, color=palette.NEUTRAL).encode(x=x, y="loss_low:Q", y2="loss_high:Q")
    return layered([named(shown, "terms"), named(whole, "interval")], "parts", HEIGHT)


def _long(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each setting and term: label, term, place (in the stack), value, share (of the loss)."""
    apart = knows_noise(rows)
    found = []
    for place, (column, name) in enumerate(TERMS.items()):
        if column == "noise" and not apart:
            continue
        term = WITH_NOISE if column == "bias" and not apart else name
        values = rows[["label"]].assign(term=term, place=place, value=rows[column], share=rows[column] / rows["loss"])
        found.append(values)
    return pd.concat(found, ignore_index=True)


def differences(frame: pd.DataFrame, group: str) -> alt.LayerChart:
    """What each term changes from the first setting to each other one, with 95 % intervals, in one group."""
    rows = frame[(frame["group"] == group) & frame["d_loss"].notna()]
    order = list(dict.fromkeys(rows["label"]))
    bias = "Bias" if knows_noise(frame) else WITH_NOISE
    terms = {"loss": "Loss", "bias": bias, "variance": "Variance"}
    changes = pd.concat(
        [
            pd.DataFrame(
                {
                    "label": rows["label"],
                    "term": name,
                    "change": rows[f"d_{column}"],
                    "low": rows[f"d_{column}_low"],
                    "high": rows[f"d_{column}_high"],
                }
            )
            for column, name in terms.items()
        ]
    )
    scale = alt.Scale(domain=list(terms.values()), range=[palette.VERMILION, palette.BLUE, palette.ORANGE])
    base: Any = alt.Chart(changes).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=200)),
        yOffset=alt.YOffset("term:N", sort=list(terms.values())),
        color=alt.Color("term:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=2)),
        tooltip=[
            alt.Tooltip("label:N", title="Setting"),
            alt.Tooltip("term:N", title="Term"),
            alt.Tooltip("change:Q", title="Change", format="+.3~g"),
            alt.Tooltip("low:Q", title="From", format="+.3~g"),
            alt.Tooltip("high:Q", title="To", format="+.3~g"),
        ],
    )
    x = alt.X("low:Q", title="Change (left is better)", axis=AXIS)
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x="change:Q")
    zero: Any = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=palette.NEUTRAL, strokeDash=[4, 3])
    layers = [named(zero.encode(x=alt.X("zero:Q")), "zero"), named(bars, "intervals"), named(points, "changes")]
    return layered(layers, "differences", max(90, ROW * len(order) + 60))


def takeaway(frame: pd.DataFrame, group: str) -> str:
    """From the first setting to the one with the least loss in that group: what each term changes, and the verdict."""
    rows = frame[frame["group"] == group]
    first, others = rows.iloc[0], rows[rows["d_loss"].notna()] if "d_loss" in rows else rows.iloc[:0]
    if others.empty:
        share = number(100 * first["variance"] / first["loss"])
        return f"{first['label']}: variance is {share} % of the loss on {group_name(group)}."
    best = others.sort_values("loss").iloc[0]
    bias = "bias" if knows_noise(frame) else "bias and noise"
    said = f"{_changed(bias, best, 'bias', plural=bias != 'bias')}, {_changed('variance', best, 'variance')}"
    of = f", the best of {len(others)} others" if len(others) > 1 else ""
    return (
        f"On {group_name(group)}, from {first['label']} to {best['label']}{of}: {said}, "
        f"{_changed('the loss', best, 'loss')}. {_meaning(best)}"
    )


def _changed(what: str, row: pd.Series, term: str, plural: bool = False) -> str:
    change, low, high = row[f"d_{term}"], row[f"d_{term}_low"], row[f"d_{term}_high"]
    verb = ("fall" if change < 0 else "rise") + ("" if plural else "s")
    between = f"{signed(low)} to {signed(high)}"
    return f"{what} {verb} by {number(abs(change))} ({between})"


def signed(value: float) -> str:
    """With its sign."""
    return ("-" if value < 0 else "+") + number(abs(value))


def _meaning(row: pd.Series) -> str:
    """What intervals allow to be said of the loss, and who pays."""
    if row["d_loss_high"] < 0:
        if row["d_bias_high"] < 0 and row["d_variance_low"] > 0:
            return "A win: less bias is worth more than the variance it costs."
        return "A win: the loss falls beyond what chance explains."
    if row["d_loss_low"] > 0:
        if row["d_variance_low"] > 0 and row["d_bias_high"] < 0:
            return "Variance eats up what bias gains."
        return "Worse: the loss rises beyond what chance explains."
    return "Not distinguishable: the interval of the loss holds 0."
