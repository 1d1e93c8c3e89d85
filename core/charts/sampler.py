"""AUC-NS explained: prior, posterior and gain, what every sampler draws, and where the path over beta turns.

Here: charts over the frames of core/jobs/explain.py, each with its takeaway. Not here: the rule (core/models).
"""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import listed, number, percent
from core.evaluation.turning import MOST, SAME, Turn, first_reaching
from core.models.choices import SAMPLERS

PICK = "pick"
"""The selection that a click on a path makes: a list of {"beta": value}."""
CHOSEN = palette.style("auc_ns").colour
HEIGHT = 300
MARK = palette.INDIGO
"""Of the candidates that were drawn."""
LEVELS = {"hot": palette.HOT, "middle": palette.NEUTRAL, "cold": palette.COLD}
GAINS = ("#8A949C", palette.ORANGE, palette.VERMILION)
"""From the smallest gain to the largest: readable on a light and on a dark ground."""
_QUIET: dict[str, Any] = {"color": palette.NEUTRAL, "tooltip": None}
_WORD: dict[str, Any] = {"color": palette.QUIET, "tooltip": None}
_LEAST_BETA, _MOST_BETA = 1e-4, 10.0
_LOW = 0.05  # of the candidates: those below have the lowest colour
_LABEL_GAP = 0.06  # of the axis: nearer, and two labels would touch
_TAKEN_BY = "Share of users who took the item"
_CLEAR = 0.5  # a rank correlation


# ---------------------------------------------------------------- prior


def prior(curves: pd.DataFrame, beta: float) -> alt.LayerChart:
    """P = pi^beta over popularity, a line for each beta, the chosen one bold. curves: `explain.priors`."""
    # nobody's item has no place on a logarithmic axis; its prior is 0, or 1 at beta 0
    rows = curves[curves["popularity"] > 0].assign(chosen=curves["beta"] == beta)
    base: Any = alt.Chart(rows).encode(
        x=alt.X("popularity:Q", title=f"{_TAKEN_BY} (logarithmic)", scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(format="~%", tickCount=5)),
        y=alt.Y("prior:Q", title="Prior P of a true negative", scale=alt.Scale(domain=[0, 1])),
        detail=alt.Detail("beta:N"),
        tooltip=[
            alt.Tooltip("beta:Q", title="β", format="~g"),
            alt.Tooltip("popularity:Q", title="Taken by", format=".2~%"),
            alt.Tooltip("prior:Q", title="P", format=".3~g"),
        ],
    )  # fmt: skip
    others = base.transform_filter(~alt.datum.chosen).mark_line(color=palette.NEUTRAL, strokeWidth=1.25, opacity=0.7)
    bold = base.transform_filter(alt.datum.chosen).mark_line(color=CHOSEN, strokeWidth=3.5)
    ends = _left_ends(rows)
    texts = [
        named(_end_label(ends[~ends["chosen"]], color=palette.QUIET), "labels"),
        named(_end_label(ends[ends["chosen"]], color=palette.QUIET, fontWeight="bold"), "chosen_label"),
    ]
    return layered([named(others, "others"), named(bold, "chosen"), *texts], "prior", HEIGHT)


def _left_ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Where each line begins, those left out whose label would touch another's; the chosen line's stays."""
    ends = rows.sort_values("popularity").groupby("beta", as_index=False).first()
    kept: list[int] = []
    for place in ends.sort_values("chosen", ascending=False, kind="stable").index:
        if all(abs(ends["prior"][place] - ends["prior"][other]) >= _LABEL_GAP for other in kept):
            kept.append(place)
    return ends.loc[sorted(kept)].assign(text=[f"β {beta:g}" for beta in ends.loc[sorted(kept), "beta"]])


def _end_label(ends: pd.DataFrame, **style: Any) -> Any:
    text: Any = alt.Chart(ends)
    above = {"align": "left", "baseline": "bottom", "dx": 3, "dy": -2, "fontSize": 11, "tooltip": None}
    return text.mark_text(**above, **style).encode(x="popularity:Q", y="prior:Q", text="text:N")


def prior_takeaway(curves: pd.DataFrame, beta: float) -> str:
    """What the chosen beta gives the most and the least popular item."""
    own = curves[curves["beta"] == beta].sort_values("popularity")
    if beta == 0:
        return "At β 0 every item has prior 1: popularity says nothing, and AUC-NS is DNS."
    least = own[own["popularity"] > 0].iloc[0]
    never = " An item that nobody took has prior 0, whatever β above 0." if own["popularity"].min() == 0 else ""
    return (
        f"At β {beta:g} the most popular item is a true negative with prior {number(own['prior'].iloc[-1])}, the least "
        f"popular one that anybody took with {number(least['prior'])}.{never}"
    )


# ---------------------------------------------------------------- posterior


def posterior(curves: pd.DataFrame, items: pd.DataFrame | None = None) -> alt.LayerChart:
    """w over F for a hot, a middle and a cold item, and where one pair's candidates lie.

    curves: `explain.posteriors`; items: those of `explain.choice`.
    """
    named_levels = curves.assign(name=_level_names(curves))
    names = list(dict.fromkeys(named_levels["name"]))
    lines: Any = alt.Chart(named_levels).mark_line(strokeWidth=2.5)
    x = alt.X("F:Q", title="F: share of the user's scores up to the item's", scale=alt.Scale(domain=[0, 1]),
              axis=alt.Axis(tickCount=5))  # fmt: skip
    y = alt.Y("posterior:Q", title="Posterior w of a true negative", scale=alt.Scale(domain=[0, 1]))
    shown = lines.encode(
        x=x,
        y=y,
        color=alt.Color("name:N", sort=names, title=None, legend=alt.Legend(orient="top", labelLimit=260, columns=2),
                        scale=alt.Scale(domain=names, range=list(LEVELS.values()))),
        strokeDash=alt.StrokeDash("name:N", sort=names, title=None, legend=None,
                                  scale=alt.Scale(domain=names, range=[[1, 0], [8, 3], [3, 3]])),
        tooltip=[
            alt.Tooltip("name:N", title="Item"),
            alt.Tooltip("F:Q", format=".2f"),
            alt.Tooltip("prior:Q", title="P", format=".3~g"),
            alt.Tooltip("posterior:Q", title="w", format=".3~g"),
        ],
    )  # fmt: skip
    if items is None:
        return layered([named(shown, "levels")], "posterior", HEIGHT)
    drawn, tips = items[items["times"] > 0], _candidate_tips()
    dots: Any = alt.Chart(drawn[~drawn["taken"]]).mark_point(size=80, strokeWidth=2, opacity=1, color=MARK)
    taken: Any = alt.Chart(drawn[drawn["taken"]]).mark_point(size=110, filled=True, opacity=1, color=MARK)
    layers = [
        named(shown, "levels"),
        named(dots.encode(x=x, y=y, tooltip=tips), "drawn"),
        named(taken.encode(x=x, y=y, tooltip=tips), "taken"),
    ]
    return layered(layers, "posterior", HEIGHT)


def _level_names(curves: pd.DataFrame) -> pd.Series:
    shares = curves["popularity"].map(percent)
    return curves["level"] + " (" + shares + " of users)"


def posterior_takeaway(curves: pd.DataFrame) -> str:
    """How far F and popularity move w at the chosen settings."""
    if (curves["posterior"] == 1).all():
        return "Every posterior is 1: at β 0 neither score nor popularity makes a candidate doubtful."
    told = [f"{_fall(curves, level)} for the {level} item" for level in ("hot", "cold")]
    return f"From the lowest to the highest score w falls {' and '.join(told)}."


def _fall(curves: pd.DataFrame, level: str) -> str:
    w = list(curves[curves["level"] == level].sort_values("F")["posterior"])
    return f"from {number(w[0])} to {number(w[-1])}"


# ---------------------------------------------------------------- gain


def gains(items: pd.DataFrame) -> alt.LayerChart:
    """Candidates by popularity and score, coloured by gain; the drawn ones ringed, the taken one in bold; the largest
    gain of all a diamond. items: those of `explain.choice`."""
    x = alt.X("popularity:Q", title=f"{_TAKEN_BY} (square-root scale)", scale=alt.Scale(type="sqrt"),
              axis=alt.Axis(format="~%", tickCount=6))  # fmt: skip
    y = alt.Y("score:Q", title="Score for this user", scale=alt.Scale(zero=False))
    # a few items, such as those that nobody took, may gain far less than all others: they get the colour of the lowest
    domain = [float(items["gain"].quantile(_LOW)), float(items["gain"].median()), float(items["gain"].max())]
    colour = alt.Color(
        "gain:Q",
        scale=alt.Scale(domain=domain, range=list(GAINS), clamp=True, interpolate="rgb"),
        legend=alt.Legend(title="Gain", format=".3~g", gradientLength=180, gradientOpacity=1),
    )
    tips = _candidate_tips()
    columns = ["title", "popularity", "score", "F", "prior", "posterior", "gain"]
    cloud: Any = alt.Chart(items[columns]).mark_point(filled=True, size=26, opacity=0.65)
    drawn, taken, best = items[items["times"] > 0], items[items["taken"]], items[items["best"]]
    rings: Any = alt.Chart(drawn[columns]).mark_point(size=170, strokeWidth=2, opacity=1, color=MARK)
    ring: Any = alt.Chart(taken[columns]).mark_point(size=330, strokeWidth=4, opacity=1, color=MARK)
    diamond: Any = alt.Chart(best[columns]).mark_point(
        shape="diamond", size=300, strokeWidth=3, opacity=1, color=palette.GREEN
    )
    layers = [
        named(cloud.encode(x=x, y=y, color=colour, tooltip=tips), "candidates"),
        named(rings.encode(x=x, y=y, tooltip=tips), "drawn"),
        named(diamond.encode(x=x, y=y, tooltip=tips), "best"),
        named(ring.encode(x=x, y=y, tooltip=tips), "taken"),
    ]
    note = f"Rings: the candidates drawn; bold: {taken['title'].iloc[0]}, taken; diamond: {best['title'].iloc[0]}"
    return layered(layers, "gains", 400, note)


def _candidate_tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("title:N", title="Item"),
        alt.Tooltip("popularity:Q", title="Taken by", format=".2~%"),
        alt.Tooltip("score:Q", title="Score", format=".3~g"),
        alt.Tooltip("F:Q", format=".3f"),
        alt.Tooltip("prior:Q", title="Prior P", format=".3~g"),
        alt.Tooltip("posterior:Q", title="Posterior w", format=".3~g"),
        alt.Tooltip("gain:Q", title="Gain", format=".3~g"),
    ]


def gains_takeaway(items: pd.DataFrame, of: int) -> str:
    """Which candidates there were, which one was taken, and which would have been worth most of all."""
    drawn = items[items["times"] > 0]
    taken, best = drawn[drawn["taken"]].iloc[0], items[items["best"]].iloc[0]
    hardest = drawn.sort_values("score").iloc[-1]
    dns = "DNS takes the same" if hardest["score"] == taken["score"] else f"DNS would take {_item(hardest)}"
    return (
        f"Of {int(drawn['times'].sum())} candidates AUC-NS takes {_item(taken)}, with gain {number(taken['gain'])}; "
        f"{dns}. Of all {of:,} candidates {_item(best)} has the largest gain, {number(best['gain'])}."
    )


def _item(row: pd.Series) -> str:
    return f"{row['title']} (taken by {percent(row['popularity'])} of users)"


# ---------------------------------------------------------------- profiles


def profiles(shares: pd.DataFrame, facts: pd.DataFrame) -> alt.LayerChart:
    """Each sampler's negatives by popularity decile, the shares of the catalogue and of train behind them.

    shares, facts: those of `explain.profiles`.
    """
    names = shares.drop_duplicates("label")
    methods, labels = list(names["sampler"]), list(names["label"])
    axis = alt.Axis(format="~%", tickCount=6)
    x = alt.X("decile:O", title="Popularity decile of the items (10: most popular)", axis=alt.Axis(labelAngle=0))
    y = alt.Y("share:Q", title="Share of the negatives (square-root scale)", scale=alt.Scale(type="sqrt"), axis=axis)
    tips = [
        alt.Tooltip("label:N", title="Sampler"),
        alt.Tooltip("decile:O", title="Decile"),
        alt.Tooltip("share:Q", title="Share of its negatives", format=".1%"),
    ]
    behind = facts.melt("decile", ["train", "catalogue"], "of", "share")
    told = behind.assign(label=behind["of"].map({"train": "interactions of train", "catalogue": "items"}))
    ground: Any = alt.Chart(told[told["of"] == "train"]).mark_bar(color=palette.NEUTRAL, opacity=0.25)
    tenth: Any = alt.Chart(told[told["of"] == "catalogue"]).mark_tick(
        thickness=2, bandSize=40, color=palette.NEUTRAL, tooltip=None
    )
    legend = alt.Legend(orient="top", title=None, columns=3, labelLimit=200)
    colour = alt.Color("label:N", scale=palette.colour_scale(methods, labels), sort=labels, legend=legend)
    shape = alt.Shape("label:N", scale=palette.shape_scale(methods, labels), sort=labels, legend=legend)
    lines: Any = alt.Chart(shares)
    drawn = lines.mark_line(strokeWidth=1.75, opacity=0.8, tooltip=None).encode(
        x=x, y=y, color=alt.Color("label:N", scale=palette.colour_scale(methods, labels), sort=labels, legend=None)
    )
    marks = lines.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour, shape=shape, tooltip=tips)
    ground_tips = [
        alt.Tooltip("decile:O", title="Decile"),
        alt.Tooltip("share:Q", title="Share of train", format=".1%"),
    ]
    layers = [
        named(ground.encode(x=x, y=y, tooltip=ground_tips), "train"),
        named(tenth.encode(x=x, y=y), "catalogue"),
        named(drawn, "lines"),
        named(marks, "samplers"),
    ]
    note = "Grey bars: the decile's share of the train interactions; grey ticks: of the items"
    chart: Any = layered(layers, "profiles", 360, note).resolve_scale(color="independent", shape="independent")
    return chart  # type: ignore[no-any-return]


def profiles_takeaway(shares: pd.DataFrame, facts: pd.DataFrame) -> str:
    """What each sampler draws from the most popular tenth of the items, the most first, and AUC-NS and DNS from the
    less popular half."""
    top = shares[shares["decile"] == 10].sort_values("share", ascending=False, kind="stable")
    half = shares[shares["decile"] <= 5].groupby("sampler")["share"].sum()
    told = [
        f"{percent(share)} of {SAMPLERS[sampler].label}'s"
        for sampler, share in zip(top["sampler"], top["share"], strict=True)
    ]
    train = float(facts.loc[facts["decile"] == 10, "train"].iloc[0])
    return (
        f"The most popular tenth of the items has {percent(train)} of the train interactions, and it gives "
        f"{listed(told)} negatives. The less popular half gives {percent(half['auc_ns'])} of AUC-NS's, "
        f"{percent(half['dns'])} of DNS's."
    )


# ---------------------------------------------------------------- against the truth


def false_negatives(rows: pd.DataFrame) -> alt.LayerChart:
    """The share of each sampler's negatives that its user likes. rows: `explain.false_negatives`."""
    bars: Any = alt.Chart(rows).mark_bar()
    x = alt.X("share:Q", title="Negatives that the user likes", axis=alt.Axis(format="~%", tickCount=5))
    shown = bars.encode(
        x=x,
        y=alt.Y("label:N", sort=list(rows["label"]), title=None, axis=alt.Axis(labelLimit=160)),
        color=alt.Color("label:N", scale=palette.colour_scale(list(rows["sampler"]), list(rows["label"])), legend=None),
        tooltip=[alt.Tooltip("label:N", title="Sampler"), alt.Tooltip("share:Q", title="False", format=".1%")],
    )
    return layered([named(shown, "samplers")], "false_negatives", 34 * len(rows) + 30)


def false_negatives_takeaway(rows: pd.DataFrame) -> str:
    """Who draws the most and the fewest false negatives, and AUC-NS beside DNS."""
    ordered = rows.sort_values("share", kind="stable")
    best, worst = ordered.iloc[0], ordered.iloc[-1]
    share = dict(zip(rows["sampler"], rows["share"], strict=True))
    return (
        f"Of AUC-NS's negatives {percent(share['auc_ns'])} are false, of DNS's {percent(share['dns'])} and of random "
        f"ones {percent(share['rns'])}; {best['label']} draws the fewest ({percent(best['share'])}), {worst['label']} "
        f"the most ({percent(worst['share'])})."
    )


def posterior_check(rows: pd.DataFrame) -> alt.LayerChart:
    """AUC-NS's posterior over the truth, and the line where both agree. rows: `explain.posterior_check`."""
    x = alt.X(
        "posterior:Q",
        title="Posterior w of a true negative",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(tickCount=5),
    )
    y = alt.Y("truth:Q", title="True probability of a true negative", scale=alt.Scale(domain=[0, 1]))
    line: Any = alt.Chart(pd.DataFrame({"posterior": [0.0, 1.0], "truth": [0.0, 1.0]}))
    diagonal = line.mark_line(strokeDash=[4, 4], **_QUIET).encode(x=x, y=y)
    points: Any = alt.Chart(rows)
    tips = [
        alt.Tooltip("posterior:Q", title="Posterior", format=".3~g"),
        alt.Tooltip("truth:Q", title="Truth", format=".3~g"),
        alt.Tooltip("candidates:Q", title="Candidates", format=","),
    ]
    marks = points.mark_line(color=CHOSEN, point={"filled": True, "size": 60, "color": CHOSEN}).encode(
        x=x, y=y, tooltip=tips
    )
    return layered([named(diagonal, "agreement"), named(marks, "bins")], "posterior_check", HEIGHT)


def posterior_check_takeaway(rows: pd.DataFrame) -> str:
    """How far the posterior is from the truth on average, and whether it puts candidates in the right order."""
    gap = float((rows["posterior"] - rows["truth"]).abs().mean())
    level = rows["posterior"].max() == rows["posterior"].min()
    order = 0.0 if level else float(rows["posterior"].corr(rows["truth"], method="spearman"))
    told = "in" if order > _CLEAR else "against" if order < -_CLEAR else "in no clear relation to"
    return (
        f"The posterior is off by {number(gap)} on average, and its bins stand {told} the order of the truth (rank "
        f"correlation {order:.2f}). It need not be calibrated: the rule asks it only which candidate to prefer."
    )


# ---------------------------------------------------------------- the turning point


def path_popularity(points: pd.DataFrame, turn: Turn | None, beta: float) -> alt.LayerChart:
    """How popular the negatives that AUC-NS takes are, over beta; a click picks one. points: `beta_path`'s."""
    y = alt.Y("popularity:Q", title="Users who took the mean negative", scale=alt.Scale(zero=False),
              axis=alt.Axis(format="~%", tickCount=5))  # fmt: skip
    return _path(points, turn, beta, y, "path_popularity")


def path_agreement(points: pd.DataFrame, turn: Turn | None, beta: float) -> alt.LayerChart:
    """The share of choices that are those of DNS, over beta; a click picks a beta."""
    y = alt.Y("agreement:Q", title="Choices that agree with DNS", scale=alt.Scale(zero=False),
              axis=alt.Axis(format="~%", tickCount=5))  # fmt: skip
    return _path(points, turn, beta, y, "path_agreement")


def _path(points: pd.DataFrame, turn: Turn | None, beta: float, y: alt.Y, name: str) -> alt.LayerChart:
    powers = [_LEAST_BETA * 10**n for n in range(6)]
    x = alt.X("beta:Q", title="β (logarithmic)", axis=alt.Axis(values=powers, format="~g", grid=False),
              scale=alt.Scale(type="log", domain=[_LEAST_BETA, _MOST_BETA], nice=False))  # fmt: skip
    tips = [
        alt.Tooltip("beta:Q", title="β", format="~g"),
        alt.Tooltip("popularity:Q", title="Mean negative taken by", format=".2%"),
        alt.Tooltip("hot:Q", title="Hot negatives", format=".1%"),
        alt.Tooltip("agreement:Q", title="Agree with DNS", format=".1%"),
    ]
    along = points[points["beta"] >= _LEAST_BETA]
    start = points[points["beta"] == 0]
    own = along[along["beta"] == beta]
    base: Any = alt.Chart(along)
    level: Any = alt.Chart(start).mark_rule(strokeDash=[4, 4], strokeWidth=1.5, **_QUIET).encode(y=y)
    line = base.mark_line(strokeWidth=2.5, color=CHOSEN, tooltip=None).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=28, opacity=1, color=CHOSEN).encode(x=x, y=y, tooltip=tips)
    here: Any = alt.Chart(own).mark_point(size=220, strokeWidth=3, filled=False, color=palette.A)
    picked = dots.add_params(alt.selection_point(name=PICK, fields=["beta"], nearest=True, on="click"))
    layers = [
        *_turns(turn, x),
        named(level, "dns"),
        named(line, "line"),
        named(picked, "points"),
        named(here.encode(x=x, y=y, tooltip=tips), "chosen"),
    ]
    return layered(layers, name, 260)


def _turns(turn: Turn | None, x: alt.X) -> list[alt.Chart]:
    """The turning point, and the values of beta that leave nothing of it."""
    if turn is None:
        return []
    at: Any = alt.Chart(pd.DataFrame({"beta": [turn.at], "text": [f"turns at β {turn.at:g}"]}))
    rule = at.mark_rule(strokeWidth=1.5, **_QUIET).encode(x=x)
    word = at.mark_text(align="right", baseline="bottom", dx=4, dy=-5, fontSize=11, fontWeight="bold", **_WORD)
    layers = [named(rule, "turn"), named(word.encode(x=x, y=alt.YValue(0), text=alt.Text("text:N")), "turn_word")]  # type: ignore[no-untyped-call]
    if turn.back_at is None:
        return layers
    ends = {"beta": [turn.back_at], "end": [_MOST_BETA], "middle": [math.sqrt(turn.back_at * _MOST_BETA)]}
    back: Any = alt.Chart(pd.DataFrame({**ends, "text": ["= DNS"]}))
    area = back.mark_rect(opacity=0.14, color=palette.NEUTRAL, tooltip=None).encode(x=x, x2="end:Q")
    same = back.mark_text(baseline="bottom", dy=-5, fontSize=11, fontWeight="bold", **_WORD)
    return [
        named(area, "dns_again"),
        *layers,
        named(same.encode(x=alt.X("middle:Q"), y=alt.YValue(0), text=alt.Text("text:N")), "dns_again_word"),  # type: ignore[no-untyped-call]
    ]


def path_takeaway(points: pd.DataFrame, turn: Turn | None, beta: float) -> str:
    """Up to where more strength does more, from where on less, from where on nothing, and where the chosen one lies."""
    if turn is None:
        return "On this model no β makes the negatives more popular than those of DNS: the prior has nothing to move."
    rise = (
        f"More β draws more popular negatives up to β {turn.at:g}, where {percent(turn.effect)} of users took the mean "
        f"one; at β 0, which is DNS, {percent(turn.start)} did. {100 * MOST:.0f} % of that rise is there at "
        f"β {number(turn.most_at)}."
    )
    return f"{rise} {_beyond(turn)} {_chosen_in_words(points, turn, beta)}"


def _beyond(turn: Turn) -> str:
    """What strengths beyond the turning point do."""
    little = (1 - MOST) * (turn.effect - turn.start)
    less = "Beyond the turning point more strength does less"
    if turn.start - turn.least > little:
        less += (
            f", and then the opposite: at β {turn.least_at:g} the negatives are less popular than those of DNS, "
            f"{percent(turn.least)}"
        )
    if turn.again is not None and turn.again - turn.start > little:  # else it only comes back
        less += f", until a second rise that ends at β {turn.again_at:g}, {percent(turn.again)}"
    if turn.back_at is None:
        return f"{less}."
    return f"{less}; from β {turn.back_at:g} on at least {100 * SAME:.0f} % of the choices are those of DNS again."


def _chosen_in_words(points: pd.DataFrame, turn: Turn, beta: float) -> str:
    own = points[points["beta"] == beta].iloc[0]
    here = (
        f"At the chosen β {beta:g} it is {percent(own['popularity'])}, and {percent(own['agreement'])} agree with DNS"
    )
    if beta <= turn.at:
        return f"{here}."
    if own["agreement"] >= SAME:
        return f"{here}: nothing is left of the strength."
    if own["popularity"] <= turn.start:
        return f"{here}: beyond the turning point, and less popular than what DNS draws."
    if own["popularity"] > turn.effect:
        return f"{here}: beyond the turning point, where the path rises once more."
    rising = points[points["beta"] <= turn.at]
    same = first_reaching(rising["beta"].to_numpy(), rising["popularity"].to_numpy(), float(own["popularity"]))
    return f"{here}: beyond the turning point, where β {number(same)} draws negatives as popular."
