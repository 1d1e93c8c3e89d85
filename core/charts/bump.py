"""One user's list along a path: how items rise, fall, enter and leave as the debias strength grows (a bump chart).

Here: the chart over `paths.lists_along`, its takeaway and its tables. Not here: which runs lie on the path, and which
strength is chosen (the page).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts.layers import layered, named
from core.charts.text import percent

NAME = "along"
PICK = "pick"
"""The selection that a click makes: a list of {"at": the strength as it is written}."""
KINDS = ("hot item", "cold item")
_COLOUR = alt.Scale(domain=list(KINDS), range=[palette.HOT, palette.COLD])
_DASH = alt.Scale(domain=list(KINDS), range=[[1, 0], [5, 3]])
_SHAPE = alt.Scale(domain=list(KINDS), range=["circle", "diamond"])
_ROW = 25  # pixels a rank has
_LABELS = 0.3  # share of the width that the titles of the chosen list have
_PINS = 9  # pixels from the top: the middle of what stands above the ranks
_ACCENTS = {"A": palette.A, "B": palette.B}
_MARGIN, _STUB, _DROP = 0.4, 0.3, 0.42  # of a step; of a rank

Mark = tuple[int, str]
"""Rank and kind of an item at a strength."""


@dataclass(frozen=True, slots=True)
class Path:
    """What the chart is of: the settings of one method over its strength, and which of them is looked at."""

    name: str
    """Of the method."""
    symbol: str
    strengths: tuple[str, ...]
    """As they are written, ascending; at least two."""
    runs: tuple[str, ...]
    """One for each strength."""
    chosen: int
    """Position of the chosen strength."""
    k: int
    split: str
    pins: Mapping[str, int] = field(default_factory=dict)
    """Where on the path the settings that are compared are: "A" and "B" to a position."""

    def at(self, position: int) -> str:
        """A point of the path in words: "β 0.05"."""
        return f"{self.symbol} {self.strengths[position]}"


def placed(lists: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The lists as everything below takes them: by strength and rank, with what is said of each item.

    lists: `paths.lists_along` of the path's runs. Adds position (on the path), at (the strength as it is written), name
    (title and year, or the id), kind (one of KINDS), taken ("yes", "no"), x (where the chart has it).
    """
    rows = lists.assign(position=lists["run"].map({run: n for n, run in enumerate(path.runs)}))
    rows = rows[rows["position"].notna()].astype({"position": int, "rank": int})
    years = [f" ({year:.0f})" if known else "" for year, known in zip(rows["year"], rows["year"].notna(), strict=True)]
    names = rows["title"].where(rows["title"].notna(), rows["item_id"]).astype(str)
    place = _Places(path)
    return rows.assign(
        name=[f"{name}{year}" for name, year in zip(names, years, strict=True)],
        at=[path.strengths[n] for n in rows["position"]],
        x=[place.left(n) for n in rows["position"]],
        kind=[KINDS[0] if hot else KINDS[1] for hot in rows["hot"]],
        taken=["yes" if hit else "no" for hit in rows["hit"]],
        hit=rows["hit"].astype(bool),
    ).sort_values(["position", "rank"])


def bump(rows: pd.DataFrame, path: Path) -> alt.LayerChart:
    """Rank over strength, a line an item; the titles of the chosen list stand in it, where its lines are cut.

    rows: of `placed`, at least one. Hot items have solid lines and circles, cold ones dashed lines and diamonds; what
    the user took in the split is filled. Where an item enters or leaves the list, its line ends in a stub. The
    strengths that A and B have of their own carry their letters. Strengths are evenly spaced.
    """
    place, items = _Places(path), _items(rows)
    x = alt.X("x:Q", scale=alt.Scale(domain=place.extent, nice=False, zero=False), axis=_strengths(path, place))
    y = _ranks(path)
    # one legend for colour and shape, which say the same: that of the marks, whose scales are their own for it
    legend = alt.Legend(orient="top", title=None, symbolSize=70, symbolFillColor="transparent", symbolStrokeWidth=1.7)
    colour, quiet = (alt.Color("kind:N", scale=_COLOUR, legend=shown) for shown in (legend, None))
    dash = alt.StrokeDash("kind:N", scale=_DASH, legend=None)
    shape = alt.Shape("kind:N", scale=_SHAPE, legend=legend)
    lines: Any = alt.Chart(_pieces(items, path, place)).mark_line(strokeWidth=2, opacity=0.8, tooltip=None)
    stubs: Any = alt.Chart(_stubs(items, path, place)).mark_rule(strokeWidth=1.5, opacity=0.55, tooltip=None)
    columns = ["item_id", "name", "at", "x", "rank", "popularity", "percentile", "kind", "taken"]
    marks: Any = alt.Chart(
        rows[columns].assign(filled=1 * rows["hit"], size=[95 if hit else 70 for hit in rows["hit"]])
    )
    # no conditions and no shorthands: Altair takes a hundred times as long for them as for a column
    marks = marks.mark_point(opacity=1, strokeWidth=1.7).encode(
        x=x, y=y, color=colour, shape=shape, tooltip=_tips(path),
        fill=alt.Fill("kind:N", scale=_COLOUR, legend=None), size=alt.Size("size:Q", scale=None, legend=None),
        fillOpacity=alt.FillOpacity("filled:Q", scale=None, legend=None),
    )  # fmt: skip
    pick = alt.selection_point(name=PICK, fields=["at"], nearest=True, on="click")
    layers = [
        *_here(path, place, x),
        named(stubs.encode(x=x, y=y, x2=alt.X2("x2:Q"), y2=alt.Y2("rank2:Q"), color=quiet, strokeDash=dash), "stubs"),
        named(
            lines.encode(x=x, y=y, color=quiet, strokeDash=dash, detail=alt.Detail("piece:N"), order=alt.Order("x:Q")),
            "lines",
        ),
        named(_titles(rows, path).encode(x=x, y=y, text=alt.Text("label:N")), "titles"),
        named(marks.add_params(pick), "marks"),
        *_pins(path, place, x),
    ]
    note = f"Filled: the user took it in {path.split}. A line that ends in a stub: the item enters or leaves the list."
    chart = layered(layers, NAME, _ROW * (path.k + 1) + 130, note)
    return cast("alt.LayerChart", chart.resolve_scale(color="independent", shape="independent"))


def takeaway(rows: pd.DataFrame, path: Path) -> str:
    """What stays, where the list changes most, and what becomes of hits and popularity from one end to the other."""
    if rows.empty:
        return f"No list of this user is known along {path.name}."
    sets = _sets(rows, path)
    stays = set.intersection(*sets)
    first, last = 0, len(sets) - 1
    replaced = [len(after - before) for before, after in pairwise(sets)]
    most = max(range(len(replaced)), key=replaced.__getitem__)
    ends = [rows[rows["position"] == n] for n in (first, last)]
    hits = [int(frame["hit"].sum()) for frame in ends]
    popular = [float(frame["popularity"].mean()) for frame in ends]
    told = [
        f"From {path.at(first)} to {path.strengths[last]} of {path.name}, {len(stays)} of this user's "
        f"{len(sets[first])} items stay in the list at every strength",
        f"it changes most between {path.strengths[most]} and {path.strengths[most + 1]}, where "
        f"{replaced[most]} of {len(sets[most + 1])} items are new"
        if replaced[most]
        else "no item is replaced anywhere",
        f"hits go from {hits[0]} to {hits[1]}, and the mean item from one that {percent(popular[0])} of users took to "
        f"one that {percent(popular[1])} took",
    ]
    return "; ".join(told) + "."


def ranks(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The chart's numbers: an item a row, with its rank at each strength (missing where the list lacks it).

    Item, Kind ("hot", "cold"), Taken (in the split: "yes", ""), Popularity, and a column for each strength. Items in
    the order of the chosen list, then of where they appear first.
    """
    wide = rows.pivot_table(index="item_id", columns="position", values="rank").reindex(columns=range(len(path.runs)))
    facts = rows.drop_duplicates("item_id").set_index("item_id")
    first = wide.notna().idxmax(axis=1)
    chosen = wide[path.chosen].fillna(path.k + 1)
    order = pd.DataFrame({"chosen": chosen, "first": first}).sort_values(["chosen", "first"], kind="stable").index
    shown = pd.DataFrame(
        {
            "Item": facts.loc[order, "name"],
            "Kind": [kind.removesuffix(" item") for kind in facts.loc[order, "kind"]],
            "Taken": ["yes" if hit else "" for hit in facts.loc[order, "hit"]],
            "Popularity": facts.loc[order, "popularity"],
        }
    )
    for position in range(len(path.runs)):
        shown[path.at(position)] = wide.loc[order, position].astype("Int64")
    return shown.reset_index(drop=True)


def steps(rows: pd.DataFrame, path: Path, values: pd.Series, metric: str) -> pd.DataFrame:
    """The path's lists in numbers, a strength a row: strength, metric, Hits, Mean popularity, New (items that the list
    before lacks), Kept (items of the first list that are still there). values: of the metric, by run."""
    sets = _sets(rows, path)
    own = rows.groupby("position").agg(hits=("hit", "sum"), popularity=("popularity", "mean")).reindex(range(len(sets)))
    return pd.DataFrame(
        {
            f"Strength {path.symbol}": path.strengths,
            metric: [values.get(run, float("nan")) for run in path.runs],
            "Hits": own["hits"].astype("Int64").to_numpy(),
            "Mean popularity": own["popularity"].to_numpy(),
            "New": pd.array([None, *(len(b - a) for a, b in pairwise(sets))], dtype="Int64"),
            "Kept": [len(items & sets[0]) for items in sets],
        }
    )


class _Places:
    """Where strengths stand, in steps: those after the chosen one make room for its titles."""

    def __init__(self, path: Path):
        last = len(path.runs) - 1
        self.chosen = path.chosen
        self.room = _LABELS / (1 - _LABELS) * (last + 2 * _MARGIN)
        self.extent = [-_MARGIN, last + self.room + (_MARGIN if path.chosen < last else 0.0)]

    def left(self, position: int) -> float:
        """Where lines arrive at a strength."""
        return position + (self.room if position > self.chosen else 0.0)

    def right(self, position: int) -> float:
        """Where lines go on from it: behind the titles."""
        return position + (self.room if position >= self.chosen else 0.0)


def _ranks(path: Path) -> alt.Y:
    """Rank 1 on top, with room above it for the strength's name."""
    axis = alt.Axis(values=list(range(1, path.k + 1)), format="d", grid=False, domain=False, ticks=False)
    scale = alt.Scale(domain=[-0.1, path.k + 0.8], reverse=True, nice=False, zero=False)
    return alt.Y("rank:Q", scale=scale, title=f"Rank in the list of {path.k}", axis=axis)


def _tips(path: Path) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="Item"),
        alt.Tooltip("at:N", title=f"Strength {path.symbol}"),
        alt.Tooltip("rank:Q", title="Rank"),
        alt.Tooltip("popularity:Q", title="Taken by", format=".1%"),
        alt.Tooltip("percentile:Q", title="Popularity percentile", format=".1%"),
        alt.Tooltip("kind:N", title="Is a"),
        alt.Tooltip("taken:N", title=f"Taken in {path.split}"),
    ]


def _sets(rows: pd.DataFrame, path: Path) -> list[set[str]]:
    """The items of each strength's list."""
    found = rows.groupby("position")["item_id"].agg(set)
    return [found.get(n, set()) for n in range(len(path.runs))]


def _items(rows: pd.DataFrame) -> list[dict[int, Mark]]:
    """Each item: its marks by position, ascending. rows: by position."""
    items: dict[str, dict[int, Mark]] = {}
    for item, at, rank, kind in zip(rows["item_id"], rows["position"], rows["rank"], rows["kind"], strict=True):
        items.setdefault(item, {})[at] = (rank, kind)
    return list(items.values())


def _pieces(items: list[dict[int, Mark]], path: Path, place: _Places) -> pd.DataFrame:
    """The points of the lines: a new piece where an item comes back, and behind the chosen strength's titles."""
    points, piece = [], 0
    for item in items:
        for at, (rank, kind) in item.items():
            piece += at - 1 not in item
            points.append((piece, kind, place.left(at), rank))
            if at == path.chosen:
                piece += 1
                points.append((piece, kind, place.right(at), rank))
    return pd.DataFrame(points, columns=["piece", "kind", "x", "rank"])


def _stubs(items: list[dict[int, Mark]], path: Path, place: _Places) -> pd.DataFrame:
    """A short line to where an item comes from, or goes, when the list beside lacks it."""
    found: list[tuple[str, float, float, float, float]] = []
    last = len(path.runs) - 1
    for item in items:
        for at, (rank, kind) in item.items():
            if at > 0 and at - 1 not in item:
                found.append((kind, place.left(at) - _STUB, rank + _DROP, place.left(at), rank))
            if at < last and at + 1 not in item:
                found.append((kind, place.right(at), rank, place.right(at) + _STUB, rank + _DROP))
    return pd.DataFrame(found, columns=["kind", "x", "rank", "x2", "rank2"])


def _strengths(path: Path, place: _Places) -> alt.Axis:
    """The axis: each strength under its place."""
    at = [round(place.left(n), 6) for n in range(len(path.runs))]
    names = [
        f"abs(datum.value - {x}) < 1e-4 ? {json.dumps(name)} : " for x, name in zip(at, path.strengths, strict=True)
    ]
    title = f"Strength {path.symbol} of {path.name} (evenly spaced; a click chooses)"
    return alt.Axis(values=at, labelExpr="".join(names) + "''", grid=False, title=title, labelOverlap=False)


def _here(path: Path, place: _Places, x: alt.X) -> list[alt.Chart]:
    """The chosen strength: a rule, and a band behind its titles."""
    at = place.left(path.chosen)
    one: Any = alt.Chart(pd.DataFrame({"x": [at], "end": [at + place.room], "text": [path.at(path.chosen)]}))
    band = one.mark_rect(opacity=0.06, color=palette.NEUTRAL, tooltip=None).encode(x=x, x2=alt.X2("end:Q"))
    rule = one.mark_rule(strokeWidth=2, color=palette.NEUTRAL, tooltip=None).encode(x=x)
    word = one.mark_text(
        align="left", baseline="middle", dx=14 if path.chosen in path.pins.values() else 6, fontSize=11,
        fontWeight="bold", color=palette.QUIET, tooltip=None,
    )  # fmt: skip
    return [
        named(band, "band"),
        named(rule, "rule"),
        named(word.encode(x=x, y=alt.value(_PINS), text=alt.Text("text:N")), "strength"),
    ]


def _pins(path: Path, place: _Places, x: alt.X) -> list[alt.Chart]:
    """The letters of A and B over the strengths that they have of their own, in their accents."""
    if not path.pins:
        return []
    rows = [(place.left(at), letter, _ACCENTS[letter], path.at(at)) for letter, at in path.pins.items()]
    base: Any = alt.Chart(pd.DataFrame(rows, columns=["x", "letter", "accent", "at"]))
    y, tips = alt.value(_PINS), [alt.Tooltip("letter:N", title="Setting"), alt.Tooltip("at:N", title="Strength")]
    ground = base.mark_point(filled=True, shape=palette.BADGE, size=50, opacity=1, strokeWidth=0)
    text = base.mark_text(baseline="middle", fontSize=11, fontWeight="bold", color=palette.ON_ACCENT, tooltip=None)
    colour = alt.Color("accent:N", scale=None)
    return [
        named(ground.encode(x=x, y=y, color=colour, tooltip=tips), "pins"),
        named(text.encode(x=x, y=y, text=alt.Text("letter:N")), "pin_letters"),
    ]


def _titles(rows: pd.DataFrame, path: Path) -> Any:
    """The names of the items of the chosen list, hits in words, cut to the room that they have."""
    own = rows[rows["position"] == path.chosen]
    labels = [f"{'hit: ' if hit else ''}{name}" for hit, name in zip(own["hit"], own["name"], strict=True)]
    texts: Any = alt.Chart(own[["x", "rank"]].assign(label=labels))
    limit = alt.ExprRef(f"{_LABELS} * width - 20")
    return texts.mark_text(
        align="left", baseline="middle", dx=11, fontSize=11.5, color=palette.QUIET, limit=limit, tooltip=None
    )
