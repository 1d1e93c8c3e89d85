"""The frames that the layers of the trade-off chart are drawn from.

Here: ranges of the axes, baselines moved to the edge, segments of paths, labels that fit. Frames in, frames out.
Not here: marks and encodings (trade_off.py), how a label finds its place (labels.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.labels import Extent, Line, place_labels, text_width
from core.charts.text import better, number

MARGIN = 0.08  # of the range, around the outermost marks
NEAR = 0.35  # a baseline further off than this share of the range stands at the edge, with its value
BADGE = 24  # pixels from a chosen mark's middle up to the middle of its letter
BADGE_HALF = 10  # half the width and height of the letter's ground
MARK, RING = 7.0, 16.0  # half their width, in pixels
MANY = 60  # of more settings only the ends of paths are labelled: one would not know whose numbers the others are
FAINT = "80"  # half transparent, written behind a colour; an opacity of the mark would fade the legend too


def best(marks: pd.DataFrame, axis: str, key: str) -> Any:
    """The row with the best value on that axis, whose metric is `key`; of equals the first."""
    return marks.sort_values(axis, ascending=better(key) == "lower", kind="stable").iloc[0]


def in_order(points: pd.DataFrame) -> pd.DataFrame:
    """Each setting once: methods as the legend has them, in order of strength; baselines last."""
    place = palette.in_order(points["method"])
    marks = points[~points["also_on"]]
    marks = marks.assign(place=[place.index(method) for method in marks["method"]])
    return marks.sort_values(["baseline", "place", "strength", "label", "variant"])


def extent(trained: pd.DataFrame, baselines: pd.DataFrame, axis: str) -> Extent:
    """The range of an axis: what was trained, with a margin, and the baselines that are not far off.

    Without anything trained, the baselines. What was trained reaches as far as its seeds, and its interval if it has
    one (`_from`, `_to`).
    """
    core = trained if len(trained) else baselines
    ends = core[[f"{axis}{end}" for end in ("_low", "_high", "_from", "_to") if f"{axis}{end}" in core]]
    low, high = float(ends.min().min()), float(ends.max().max())
    span = (high - low) or abs(high) * 0.1 or 0.01
    near = [v for v in baselines[axis] if low - NEAR * span <= v <= high + NEAR * span]
    low, high = min([low, *near]), max([high, *near])
    margin = MARGIN * max(high - low, span)
    return Extent(low - margin, high + margin)


def coloured(rows: pd.DataFrame) -> pd.DataFrame:
    """With each method's colour and shape, a faint colour for what stands behind the marks, and whether its paths are
    dashed."""
    styles = [palette.style(method) for method in rows["method"]]
    return rows.assign(
        colour=[style.colour for style in styles],
        faint=[f"{style.colour}{FAINT}" for style in styles],
        shape=[style.shape for style in styles],
        dashed=np.array([style.dashed for style in styles], bool),  # of no rows too
    )


def at_the_edge(baselines: pd.DataFrame, x: Extent, y: Extent) -> pd.DataFrame:
    """The baselines, those outside of the ranges moved to the edge; `beyond` says where they really are."""
    beyond = [f"{_beyond(row.y, y, '↓', '↑')}{_beyond(row.x, x, '←', '→')}" for row in baselines.itertuples()]
    inside = {axis: baselines[axis].clip(e.inner_low, e.inner_high) for axis, e in (("x", x), ("y", y))}
    return baselines.assign(true_x=baselines["x"], true_y=baselines["y"], beyond=beyond, **inside)


def _beyond(value: Any, extent: Extent, below: str, above: str) -> str:
    if extent.low <= value <= extent.high:
        return ""
    return f" {below if value < extent.low else above} {number(value)}"


def told(marks: pd.DataFrame) -> pd.DataFrame:
    """With what a tooltip says of both axes: the mean, and the range over the seeds."""
    words = {}
    for axis in ("x", "y"):
        means = marks.get(f"true_{axis}", marks[axis])
        words[f"{axis}_text"] = [
            f"{number(mean)} [{number(low)}, {number(high)}]" if seeds > 1 else number(mean)
            for mean, low, high, seeds in zip(
                means, marks[f"{axis}_low"], marks[f"{axis}_high"], marks["seeds"], strict=True
            )
        ]
    return marks.assign(**words)


def in_pieces(trained: pd.DataFrame) -> pd.DataFrame:
    """By path and order, with `piece`: another one where settings between two of a path are not among the rows."""
    rows = trained.sort_values(["path", "order"])
    gaps = rows.groupby("path")["order"].diff().fillna(1).ne(1)
    return rows.assign(piece=rows["path"].astype(str) + " " + gaps.groupby(rows["path"]).cumsum().astype(str))


def segments(trained: pd.DataFrame) -> pd.DataFrame:
    """From each point of a path to the next one: x1, y1, x2, y2, the middle as x and y. None over what is left out."""
    rows = in_pieces(trained)
    after = rows.groupby("piece")[["x", "y"]].shift(-1)
    ends = rows.assign(x1=rows["x"], y1=rows["y"], x2=after["x"], y2=after["y"]).dropna(subset=["x2"])
    return ends.assign(x=(ends["x1"] + ends["x2"]) / 2, y=(ends["y1"] + ends["y2"]) / 2)


def ringed(marks: pd.DataFrame, chosen: Mapping[str, str]) -> pd.DataFrame:
    """The chosen ones, with their `letter`; a variant that is chosen twice carries both."""
    letters: dict[str, str] = {}
    for letter, variant in chosen.items():
        letters[variant] = f"{letters[variant]}, {letter}" if variant in letters else letter
    found = marks[marks["variant"].isin(list(letters))]
    return found.assign(letter=[letters[variant] for variant in found["variant"]])


def badges(ringed: pd.DataFrame, x: Extent, y: Extent, width: int, height: int) -> pd.DataFrame:
    """The chosen ones, with left, right, bottom and top of their letters' grounds in the data's units."""
    wide, tall = BADGE_HALF / width * (x.high - x.low), 1 / height * (y.high - y.low)
    return ringed.assign(
        left=ringed["x"] - wide,
        right=ringed["x"] + wide,
        bottom=ringed["y"] + (BADGE - BADGE_HALF) * tall,
        top=ringed["y"] + (BADGE + BADGE_HALF) * tall,
    )


def labels(
    marks: pd.DataFrame,
    baselines: pd.DataFrame,
    covered: list[Line],
    letters: list[Line],
    x: Extent,
    y: Extent,
    width: int,
    height: int,
    few: bool,
    ringed: Collection[str | None] = (),
    bars: list[Line] | None = None,
) -> pd.DataFrame:
    """The labels that fit: baselines first, then the ends of paths with their method's name, then other strengths.

    covered, letters, bars: `covered_lines`, `letter_lines`, `bar_lines`; few: no other strengths, as with many
    settings; ringed: variants with a ring, which needs more room.
    """
    last = marks["order"].eq(marks.groupby("path")["order"].transform("max"))
    texts = [_strength(row, end) for row, end in zip(marks.itertuples(), last, strict=True)]
    wanted = pd.concat(
        [
            baselines.assign(text=[f"{row.label}{row.beyond}" for row in baselines.itertuples()], priority=0),
            marks.assign(text=texts, priority=2 - last.astype("int64")),
        ]
    )
    wanted = wanted[wanted["priority"] < 2] if few or len(marks) > MANY else wanted
    wanted = wanted.assign(clear=[RING if variant in ringed else MARK for variant in wanted["variant"]])
    return place_labels(wanted, covered, x, y, width, height, letters, bars or [])


def _strength(row: Any, last: bool) -> str:
    """A strength with its symbol if that is short; at the end of a path with the method's name.

    A re-ranked setting says what it re-ranks: its method does not.
    """
    if pd.isna(row.strength):
        return str(row.method_label)
    if last:
        return str(row.label) if row.dashed else f"{row.method_label} {row.symbol} {row.strength:g}"
    return f"{row.symbol} {row.strength:g}" if len(row.symbol) == 1 else f"{row.strength:g}"


def covered_lines(trained: pd.DataFrame, dots: pd.DataFrame) -> list[Line]:
    """What a label must not cover, a baseline's may: paths and seeds."""
    drawn = (
        (segments(trained), ("x1", "y1", "x2", "y2")),
        (dots, ("x", "y", "x", "y")),
    )
    return [line for rows, ends in drawn for line in _lines(rows, ends)]


def bar_lines(marks: pd.DataFrame) -> list[Line]:
    """The intervals of marks that have them: what a label covers only where it must."""
    if "x_from" not in marks:
        return []
    across, along = (marks.dropna(subset=[f"{axis}_from"]) for axis in "xy")
    return [*_lines(across, ("x_from", "y", "x_to", "y")), *_lines(along, ("x", "y_from", "x", "y_to"))]


def letter_lines(above: pd.DataFrame) -> list[Line]:
    """What no label may cover: the letters of chosen marks (above: `badges`)."""
    return [line for end in ("left", "x", "right") for line in _lines(above, (end, "bottom", end, "top"))]


def text_lines(texts: pd.DataFrame, x: Extent, y: Extent, width: int, height: int) -> list[Line]:
    """What no label may cover, either: a line through each text that has its place (x, y, text, align, dx, dy)."""
    wide, tall = (x.high - x.low) / width, (y.high - y.low) / height  # of a pixel
    found = []
    for row in texts.to_dict("records"):
        start, at = row["x"] + row["dx"] * wide, row["y"] - row["dy"] * tall
        length = text_width(row["text"]) * wide
        found.append((start, at, start + length if row["align"] == "left" else start - length, at))
    return found


def _lines(rows: pd.DataFrame, ends: tuple[str, str, str, str]) -> list[Line]:
    return list(rows[list(ends)].itertuples(index=False, name=None))
