"""Who pays for less popularity bias: accuracy and popularity lift by user group, recall by popularity decile of items.

Here: charts over the frames of `core.warehouse.who_pays`, and their takeaways, which name the worst-off group.
Not here: exposure by decile (exposure.py), how groups are cut (core/evaluation/groups.py), the errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import better, listed, metric_name, number, percent
from core.evaluation.who_pays import worst_off
from core.uncertainty.verdict import BETTER, ENOUGH_SEEDS, FEW_SEEDS, SAME, WORSE

GROUP_ROW = 58
"""Pixels a user group has."""
HEIGHT = 260
DECILES = "Popularity decile of the items (10: most popular)"
LEGEND = alt.Legend(orient="top", columns=2, labelLimit=220)
"""Of settings, whose names may be long."""
ACCENTS: Mapping[str, str] = {"A": palette.A, "B": palette.B}

Pins = Mapping[str, str]
"""A and B to their variants, as far as they are pinned."""


def colours(frame: pd.DataFrame, pins: Pins) -> alt.Scale:
    """The baseline in grey, the pins in their accents. frame: variant, label, baseline."""
    accent = {variant: ACCENTS[name] for name, variant in pins.items()}
    settings = frame.drop_duplicates("variant")
    shown = [
        palette.NEUTRAL if base else accent.get(variant, palette.INDIGO)
        for variant, base in zip(settings["variant"], settings["baseline"], strict=True)
    ]
    return alt.Scale(domain=list(settings["label"]), range=shown)


# ---------------------------------------------------------------- user groups


def accuracy(frame: pd.DataFrame, metric: str, pins: Pins) -> alt.LayerChart:
    """What each group of users gains or loses against the baseline, with 95 % intervals. frame: `by_user_group`.

    A change that a verdict tells from none is a filled mark, any other a hollow one.
    """
    rows = _named_groups(frame[~frame["baseline"] & frame["relative"].notna()])
    scale, order = _without_baseline(frame, pins), list(_named_groups(frame)["group"].unique())
    sure = rows["verdict"].isin([BETTER, WORSE])
    base: Any = alt.Chart(rows.assign(sure=sure)).encode(**_row_of_group(rows, order, scale))
    direction = "right" if better(metric) == "higher" else "left"
    title = f"{metric_name(metric)} against {_baseline(frame)} ({direction} is better)"
    x = alt.X("relative:Q", title=title, axis=alt.Axis(format="+~%", tickCount=6))
    tips = [
        alt.Tooltip("label:N", title="Setting"),
        alt.Tooltip("group:N", title="Users"),
        alt.Tooltip("value:Q", title=metric_name(metric), format=".3~g"),
        alt.Tooltip("relative:Q", title="Change", format="+.1%"),
        alt.Tooltip("low:Q", title="From", format="+.1%"),
        alt.Tooltip("high:Q", title="To", format="+.1%"),
        alt.Tooltip("over:N", title="Interval over"),
        alt.Tooltip("p_holm:Q", title="p (Holm)", format=".2~g"),
        alt.Tooltip("verdict:N", title="Verdict"),
    ]
    ends = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2, tooltip=None)
    ends = ends.encode(x=alt.X("low:Q", title=title), x2=alt.X2("high:Q"))
    marks = [
        named(
            base.transform_filter(f"datum.sure === {str(filled).lower()}")
            .mark_point(filled=filled, size=80, opacity=1, strokeWidth=2)
            .encode(x=x, tooltip=tips),
            name,
        )
        for filled, name in ((True, "told_apart"), (False, "not_told_apart"))
        if (sure == filled).any()  # a layer without marks would be a picture without a name to a screen reader
    ]
    layers = [_zero(), named(ends, "intervals"), *marks]
    note = "" if sure.all() else "Hollow: not distinguishable after Holm's correction, or no verdict"
    return layered(layers, "accuracy_by_group", GROUP_ROW * len(order) + 120, note)


def lift(frame: pd.DataFrame, pins: Pins) -> alt.LayerChart:
    """How much more popular the items shown to each group are than those it took, with intervals over users."""
    rows = _named_groups(frame[frame["lift"].notna()])[["label", "group", "lift", "lift_low", "lift_high"]]
    order = list(_named_groups(frame)["group"].unique())
    base: Any = alt.Chart(rows).encode(**_row_of_group(rows, order, colours(frame, pins)))
    title = "Popularity lift (0: as popular as what the group took)"
    tips = [
        alt.Tooltip("label:N", title="Setting"),
        alt.Tooltip("group:N", title="Users"),
        alt.Tooltip("lift:Q", title="Lift", format="+.1%"),
        alt.Tooltip("lift_low:Q", title="From", format="+.1%"),
        alt.Tooltip("lift_high:Q", title="To", format="+.1%"),
    ]
    ends = base.transform_filter("isValid(datum.lift_low)").mark_rule(strokeWidth=2, tooltip=None)
    ends = ends.encode(x=alt.X("lift_low:Q", title=title), x2=alt.X2("lift_high:Q"))
    x = alt.X("lift:Q", title=title, axis=alt.Axis(format="+~%", tickCount=6))
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x=x, tooltip=tips)
    layers = [_zero(), named(ends, "intervals"), named(points, "lifts")]
    return layered(layers, "lift_by_group", GROUP_ROW * len(order) + 120)


def accuracy_takeaway(frame: pd.DataFrame, metric: str) -> str:
    """For each setting but the baseline: the worst-off group, what it loses, and what becomes of the others.

    Worst off is the group with the largest relative loss, of those whose change the verdict tells from none; of the
    others "not distinguishable" is said. With too few seeds for a verdict, which is told, all groups are asked.
    """
    others = frame[~frame["baseline"]].groupby("variant", sort=False)
    return " ".join(_of_setting(frame, rows, metric) for _, rows in others) or "Nothing to compare."


def lift_takeaway(frame: pd.DataFrame) -> str:
    """The lift of each group under each setting."""
    told = []
    for _, rows in frame[frame["lift"].notna()].groupby("variant", sort=False):
        groups = [f"{g} users {_signed(x)}" for g, x in zip(rows["user_group"], rows["lift"], strict=True)]
        told.append(f"{rows['label'].iloc[0]}: {listed(groups)}")
    if not told:
        return "No group has lists and profiles to compare."
    return f"Popularity of the items shown, against those taken before. {'; '.join(told)}."


def _of_setting(frame: pd.DataFrame, rows: pd.DataFrame, metric: str) -> str:
    """What becomes of each group under one setting. rows: of that setting, a group each."""
    name, base, label = metric_name(metric), _baseline(frame), rows["label"].iloc[0]
    groups = {row["user_group"]: row for _, row in rows[rows["relative"].notna()].iterrows()}
    if not groups:
        return f"{label}: no group of users has any {name} under {base}, so that there is no share of it to lose."
    same = [group for group, row in groups.items() if row["verdict"] == SAME]
    open_ = [group for group, row in groups.items() if row["verdict"] == FEW_SEEDS and not _off_zero(row)]
    quiet = {*same, *open_}
    worst = _worst(frame, {group: row for group, row in groups.items() if group not in quiet}, metric)
    told = [f"worst off are {worst} users, who {_change(groups[worst], name)}"] if worst else []
    for group in [group for group in groups if group not in {worst, *quiet}]:
        told.append(f"{group} users {_change(groups[group], '' if told else name)}")
    unsure = listed([f"{group} users ({_unsure(groups[group])})" for group in same])
    ending = ""
    if not told and unsure:
        told = [f"no change of {name} is distinguishable {_CORRECTED}: {unsure}"]
    elif unsure:
        ending = f" Not distinguishable {_CORRECTED}: {unsure}."
    if open_:
        left = listed([f"{group} users ({_unsure(groups[group])})" for group in open_])
        said = f"whether {name} changes is open, even over users alone: {left}"
        told, ending = (told, f"{ending} Open, even over users alone: {left}.") if told else ([said], ending)
    if any(row["verdict"] == FEW_SEEDS for row in groups.values()):
        ending += f" Too few seeds for a verdict: it needs {ENOUGH_SEEDS} of each setting."
    return f"{label} against {base}: {'; '.join(told)}.{ending}"


_CORRECTED = "after Holm's correction (the intervals are of each group by itself)"


def _worst(frame: pd.DataFrame, groups: Mapping[str, pd.Series], metric: str) -> str | None:
    """The group with the largest relative loss of these; None where none of them loses."""
    of_base = frame[frame["baseline"]].set_index("user_group")["value"]
    values = np.array([float(row["value"]) for row in groups.values()])
    against = np.array([float(of_base[group]) for group in groups])
    found = worst_off(values, against, list(groups), "higher" if better(metric) == "higher" else "lower")
    return found.group if found else None


def _off_zero(row: pd.Series) -> bool:
    """Does the interval of the change leave 0 out?"""
    return bool(row["low"] > 0 or row["high"] < 0)


def _change(row: pd.Series, name: str = "") -> str:
    """A group's change after "users": "lose 12.0 % of NDCG@10 (8.00 to 16.0 %)"."""
    change, low, high = (float(row[column]) for column in ("relative", "low", "high"))
    verb = "lose" if change < 0 else "gain"
    said = f"{verb} {percent(abs(change))}" + (f" of {name}" if name else "")
    if np.isnan(low):
        return f"{said}, without an interval"
    if row["verdict"] == FEW_SEEDS:
        return f"{said} ({_between(low, high)} over users alone)"
    near, far = sorted((abs(low), abs(high)))
    return f"{said} ({number(100 * near)} to {percent(far)})"


def _unsure(row: pd.Series) -> str:
    return f"{_signed(float(row['relative']))}, {_between(float(row['low']), float(row['high']))}"


def _between(low: float, high: float) -> str:
    return f"{_signed(low)[:-2]} to {_signed(high)}"


def _signed(share: float) -> str:
    """With its sign: "+12.0 %"."""
    return ("-" if share < 0 else "+") + percent(abs(share))


def _baseline(frame: pd.DataFrame) -> str:
    return str(frame.loc[frame["baseline"], "label"].iloc[0])


def _named_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """With `group`, what an axis calls the group: its name, and how many users it has."""
    named_ = [f"{group} ({n:,} users)" for group, n in zip(frame["user_group"], frame["users"], strict=True)]
    return frame.assign(group=named_)


def _without_baseline(frame: pd.DataFrame, pins: Pins) -> alt.Scale:
    return colours(frame[~frame["baseline"]], pins)


def _row_of_group(rows: pd.DataFrame, order: list[str], scale: alt.Scale) -> dict[str, Any]:
    """A group's settings below each other, in the order of the frame."""
    settings = list(dict.fromkeys(rows["label"]))
    # the names of the groups leave it half of the width
    legend = alt.Legend(orient="top", columns=1, labelLimit=300)
    return {
        "y": alt.Y(
            "group:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelLimit=160, labelOverlap=False),
            scale=alt.Scale(domain=order),
        ),
        "yOffset": alt.YOffset("label:N", sort=settings),
        "color": alt.Color("label:N", scale=scale, sort=settings, title=None, legend=legend),
    }


def _zero() -> alt.Chart:
    at: Any = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=palette.NEUTRAL, strokeDash=[4, 3], tooltip=None)
    return named(at.encode(x=alt.X("zero:Q")), "zero")


# ---------------------------------------------------------------- deciles of items


def recall(frame: pd.DataFrame, k: int, pins: Pins) -> alt.LayerChart:
    """Which share of the held-out items of each decile the lists of k hold, by setting. frame: `by_decile`."""
    rows = frame[frame["recall"].notna()]
    settings = list(dict.fromkeys(frame["label"]))
    title = f"Found in the lists of {k} (square-root scale)"  # on a linear one the tail cannot be seen
    bars: Any = alt.Chart(rows).mark_bar()
    shown = bars.encode(
        x=alt.X("decile:O", title=DECILES, axis=alt.Axis(labelAngle=0), scale=alt.Scale(domain=list(range(1, 11)))),
        y=alt.Y("recall:Q", title=title, scale=alt.Scale(type="sqrt"), axis=alt.Axis(format="~%", tickCount=6)),
        xOffset=alt.XOffset("label:N", sort=settings),
        color=alt.Color("label:N", scale=colours(frame, pins), sort=settings, title=None, legend=LEGEND),
        tooltip=[
            alt.Tooltip("label:N", title="Setting"),
            alt.Tooltip("decile:O", title="Decile"),
            alt.Tooltip("recall:Q", title="Found", format=".2%"),
            alt.Tooltip("hits:Q", title="Hits, mean of seeds", format=",.1f"),
            alt.Tooltip("held_out:Q", title="Held out", format=","),
            alt.Tooltip("items:Q", title="Items", format=","),
        ],
    )
    return layered([named(shown, "found")], "recall_by_decile", HEIGHT)


def recall_takeaway(frame: pd.DataFrame) -> str:
    """Of what users took from the less popular half and from the most popular tenth, how much each setting finds."""
    told = []
    for label, rows in frame.groupby("label", sort=False):
        found = [_found(rows[rows["decile"] <= 5]), _found(rows[rows["decile"] == 10])]
        told.append(
            f"{label} finds {found[0]} from the less popular half of the items and {found[1]} from the top tenth"
        )
    return f"Of what users took, {'; '.join(told)}."


def _found(rows: pd.DataFrame) -> str:
    held_out = rows["held_out"].sum()
    return percent(rows["hits"].sum() / held_out) if held_out else "nothing, as nothing is held out,"
