"""The trade-off chart: accuracy against popularity bias, one mark per method and strength.

Here: the chart over `queries.trade_off` and `queries.trade_off_seeds`, and its takeaway in words.
Not here: which metrics and variants (the page), colours and shapes (palette.py), the frames behind the layers
(trade_off_data.py).
Layers, from the ground up: win_win, win_win_name, interval_x, interval_y, seeds, reranked, paths, arrows, lit,
baselines, turns, advised, chosen, marks, badges, letters, labels, better; one that has nothing to show is left out.
What users and seeds leave of the points is drawn where `Chance` (trade_off_chance.py) is given, a rule's answer where
`Ruled` (trade_off_rule.py) is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import altair as alt
import pandas as pd

from core.charts import palette
from core.charts import trade_off_data as data
from core.charts.labels import Extent, Line
from core.charts.layers import layered, named
from core.charts.text import axis_title, better, capitalised, listed, metric_name, number, provenance
from core.charts.trade_off_rule import Ruled
from core.decisions.judge import turning_points
from core.evaluation.metrics import key_title

if TYPE_CHECKING:
    from core.charts.trade_off_chance import Chance

PICK = "pick"
"""The selection that a click makes: a list of {"variant": id}."""
BRUSH = "brush"
"""The selection that a drag makes: {"x": [low, high], "y": [low, high]}."""
NAME = "trade_off"

HEIGHT, SMALL_HEIGHT = 480, 260
_PLOT, _SMALL_PLOT = (560, 300), (360, 170)
"""What the axes enclose at least, in pixels, in a window of 1,024: to see which labels fit."""
_SYMBOL, _LETTER, _LONGEST_NAME = 34, 5.8, 320
"""Of a legend's entries, in pixels: the mark with the gaps around, a letter on average, and where a name is cut."""
_ROW, _ROWS = 20, 2
"""The height of a legend's row, and how many the chart's height has room for."""
_CORNERS = {("higher", "higher"): "↗", ("lower", "higher"): "↖", ("higher", "lower"): "↘", ("lower", "lower"): "↙"}


@dataclass(frozen=True, slots=True)
class Question:
    """What the chart is about: the same that `queries.trade_off` was asked."""

    x: str
    y: str
    split: str = "test"
    protocol: str = "validation"
    reading: str = "epoch"

    @property
    def note(self) -> str:
        """Where the numbers are from."""
        return capitalised(provenance(self.split, self.protocol, self.reading))


def trade_off(
    points: pd.DataFrame,
    question: Question,
    seeds: pd.DataFrame | None = None,
    chosen: Mapping[str, str] | None = None,
    paths: bool = True,
    small: bool = False,
    chance: Chance | None = None,
    ruled: Ruled | None = None,
    brush: bool = False,
) -> alt.LayerChart:
    """The chart, with the point selection `PICK` over "variant".

    points: `queries.trade_off`, at least one row; seeds: `queries.trade_off_seeds`, drawn as faint dots;
    chosen: which variants are ringed, by letter ({"A": id, "B": id}); paths: join each path in order of strength;
    small: for the Overview, without seeds, methods named at the ends of their paths instead of in a legend;
    chance: bars are intervals over users, the win-win region is shaded, who may be on the Pareto front is lit;
    ruled: what does not keep to the rule is grey, the recommended setting and turning points are marked; brush: a drag
    over the marks selects a range, `BRUSH`.
    """
    chosen, ruled = chosen or {}, ruled or Ruled()
    points = ruled.greyed(data.coloured(points))
    if chance:
        points = chance.with_intervals(points, [*chosen.values(), *([ruled.recommended] if ruled.recommended else [])])
    trained, baselines = points[~points["baseline"]], points[points["baseline"]]
    x, y = (data.extent(trained, baselines, axis) for axis in ("x", "y"))
    told = chance.told if chance else data.told
    marks = told(trained[~trained["also_on"]])
    edged = told(data.at_the_edge(baselines, x, y))
    ringed = data.ringed(pd.concat([marks, edged]), chosen)
    dots = seeds[seeds["variant"].isin(trained["variant"])] if seeds is not None and not small else points[:0]
    paths_drawn = trained if paths else trained[:0]
    view = _View(question, x, y, small, chance)
    ground, name = view.region(points)
    layers = [
        *ground,
        *view.intervals(marks),
        view.seeds(ruled.greyed(data.coloured(dots))),
        *view.paths(paths_drawn),
        view.lit(pd.concat([marks, edged])),
        view.baselines(edged),
        view.turns(ruled.turning(trained)),
        view.advised(ruled.advised(pd.concat([marks, edged]))),
        view.chosen(ringed),
        view.targets(marks),
        view.marks(marks),
        *view.letters(ringed),
        view.labels(marks, edged, ringed, data.covered_lines(paths_drawn, dots), name, ruled.recommended),
        view.better(),
    ]
    drawn = [layer for layer in layers if len(layer.data)]
    _pickable(drawn, brush)
    names = list(dict.fromkeys(marks["method_label"]))
    chart = layered(drawn, NAME, SMALL_HEIGHT if small else HEIGHT + _more(names), question.note)
    # with a scale of the marks' own, colour and shape share one legend: in a browser the layers' common ones have two
    return cast("alt.LayerChart", chart.resolve_scale(color="independent", shape="independent"))


def takeaway(points: pd.DataFrame, question: Question) -> str:
    """What the chart says, for its name: the best on each axis, and where the longest path leads."""
    marks = points[~points["also_on"] & ~points["baseline"]]
    if marks.empty:
        return f"No trained method yet, only {listed(list(points['label']))}. {question.note}."
    y, x = data.best(marks, "y", question.y), data.best(marks, "x", question.x)
    if len(marks) == 1:
        has = [f"{metric_name(k)} {number(y[axis])}" for axis, k in (("y", question.y), ("x", question.x))]
        return f"One trained setting, {y['label']}: {listed(has)}. {question.note}."
    return (
        f"Of {len(marks)} settings {y['label']} has the best {metric_name(question.y)}, {number(y['y'])}, "
        f"and {x['label']} the best {metric_name(question.x)}, {number(x['x'])}. "
        f"{_path_in_words(points, question)}{question.note}."
    )


def _path_in_words(points: pd.DataFrame, question: Question) -> str:
    """Where the trained path with most points leads, from its weakest to its strongest; empty without two points."""
    paths = points.groupby("path", sort=True)["method"].agg(["first", "size"])
    dashed = {method: palette.style(method).dashed for method in set(paths["first"])}
    path, _, most = max(paths.itertuples(), key=lambda path: (not dashed[path[1]], path[2]))
    if most < 2:
        return ""
    longest = points[points["path"] == path].sort_values("order")
    turns = turning_points(longest, question.x)["strength"]
    whole = longest if turns.empty else longest[longest["strength"].isna() | (longest["strength"] <= turns.iloc[0])]
    first, last = whole.iloc[[0, -1]].to_dict("records")
    moves = [
        f"{metric_name(key)} goes from {number(first[axis])} to {number(last[axis])}"
        for axis, key in (("y", question.y), ("x", question.x))
    ]
    strengths = f"{last['symbol']} {first['strength']:g} to {last['strength']:g}"
    ending = "" if turns.empty else "; beyond that it turns back"
    return f"Along {last['method_label']}, {strengths}, {listed(moves)}{ending}. "


def _pickable(layers: list[alt.Chart], brush: bool) -> None:
    """Gives the selections to the marks, or to the baselines where there are no marks yet."""
    name = "marks" if any(layer.name == "marks" for layer in layers) else "baselines"
    place = next(n for n, layer in enumerate(layers) if layer.name == name)
    layers[place] = layers[place].add_params(alt.selection_point(name=PICK, fields=["variant"]))
    if brush:
        box = alt.BrushConfig(fill=palette.NEUTRAL, fillOpacity=0.12, stroke=palette.NEUTRAL)
        drag = alt.selection_interval(name=BRUSH, encodings=["x", "y"], mark=box, zoom=False, translate=False)
        layers[place] = layers[place].add_params(drag)


@dataclass(frozen=True, slots=True)
class _View:
    """The layers, and what they share: the question, both ranges, how large the marks are, what is known of chance."""

    question: Question
    x: Extent
    y: Extent
    small: bool
    chance: Chance | None = None

    def _base(self, rows: pd.DataFrame) -> alt.Chart:
        return alt.Chart(rows).encode(x=self._on("x", "x"), y=self._on("y", "y"))

    def _on(self, axis: str, column: str) -> Any:
        """A column on an axis."""
        extent, key, channel = (self.x, self.question.x, alt.X) if axis == "x" else (self.y, self.question.y, alt.Y)
        return channel(
            f"{column}:Q",
            title=axis_title(key),
            scale=alt.Scale(domain=[extent.low, extent.high], zero=False, nice=False),
            axis=alt.Axis(format="~g", tickCount=5 if self.small else 6),
        )

    def region(self, points: pd.DataFrame) -> tuple[list[alt.Chart], list[Line]]:
        """Where both metrics are better than the baseline's, shaded, with its name; and what the name covers."""
        if not self.chance:
            return [], []
        found, names = self.chance.region(points, self.x, self.y, self.question.x, self.question.y)
        shade = alt.Chart(found).mark_rect(color=palette.NEUTRAL, opacity=0.1, tooltip=None)
        shaded = shade.encode(x=self._on("x", "x1"), x2=alt.X2("x2"), y=self._on("y", "y1"), y2=alt.Y2("y2"))
        return [named(shaded, "win_win"), named(self._placed(names), "win_win_name")], data.text_lines(
            names, self.x, self.y, *_PLOT
        )

    def intervals(self, marks: pd.DataFrame) -> list[alt.Chart]:
        """The interval over users of each mark, in both directions."""
        if not self.chance:
            return []
        across, along = (
            self._base(marks.dropna(subset=[f"{axis}_from"]))
            .mark_rule(strokeWidth=1.5, tooltip=None)
            .encode(color=_own("faint"))
            for axis in "xy"
        )
        return [
            named(across.encode(x=self._on("x", "x_from"), x2=alt.X2("x_to")), "interval_x"),
            named(along.encode(y=self._on("y", "y_from"), y2=alt.Y2("y_to")), "interval_y"),
        ]

    def lit(self, marks: pd.DataFrame) -> alt.Chart:
        """A glow behind what may be on the Pareto front."""
        lit = self.chance.lit(marks).drop_duplicates(["x", "y"]) if self.chance else marks[:0]
        glow = self._base(lit).mark_point(
            filled=True, shape="circle", size=520, opacity=0.22, strokeWidth=0, tooltip=None
        )
        return named(glow.encode(color=_own("colour")), "lit")

    def seeds(self, dots: pd.DataFrame) -> alt.Chart:
        """Single seeds, faint."""
        tips = [alt.Tooltip("label:N", title="Setting"), alt.Tooltip("seed:Q", title="Seed")]
        marks = self._base(dots).mark_point(filled=True, size=22, opacity=1)
        return named(marks.encode(color=_own("faint"), tooltip=tips), "seeds")

    def paths(self, trained: pd.DataFrame) -> list[alt.Chart]:
        """Lines in order of strength, dashed for what is re-ranked instead of trained, and where they lead. A line is
        cut where a filter leaves settings out."""
        trained = data.in_pieces(trained)
        dashed = trained["dashed"]
        return [
            named(self._lines(trained[dashed], strokeDash=[5, 4]), "reranked"),
            named(self._lines(trained[~dashed]), "paths"),
            self._arrows(data.segments(trained)),
        ]

    def _lines(self, rows: pd.DataFrame, **dashes: Any) -> alt.Chart:
        width = 1.5 if self.small else 2
        lines: Any = self._base(rows).mark_line(strokeWidth=width, tooltip=None, **dashes)
        return cast(
            "alt.Chart", lines.encode(detail=alt.Detail("piece:N"), order=alt.Order("order:Q"), color=_own("colour"))
        )

    def _arrows(self, segments: pd.DataFrame) -> alt.Chart:
        """A head in the middle of each line that is long enough; it turns with the line whatever the chart's size."""
        ends = {f"{a}{n}": f"scale('{NAME}_{a}', datum.{a}{n})" for a in "xy" for n in (1, 2)}
        turn = f"atan2({ends['y2']} - {ends['y1']}, {ends['x2']} - {ends['x1']}) * 180 / PI"
        long_enough = f"hypot({ends['x2']} - {ends['x1']}, {ends['y2']} - {ends['y1']}) > 26"
        size = alt.expr(f"{long_enough} ? {45 if self.small else 70} : 0")
        heads = self._base(segments).mark_point(
            shape=palette.ARROW_HEAD,
            filled=True,
            strokeWidth=0,
            opacity=1,
            tooltip=None,
            angle=alt.expr(turn),
            size=size,
        )
        return named(heads.encode(color=_own("colour")), "arrows")

    def baselines(self, edged: pd.DataFrame) -> alt.Chart:
        """Reference marks, grey."""
        marks = self._base(edged).mark_point(filled=True, size=130, color=palette.NEUTRAL, opacity=1, cursor="pointer")
        tips = [*self._tooltip(), alt.Tooltip("method_label:N", title="Reference")]
        return named(marks.encode(shape=alt.Shape("shape:N", scale=None), tooltip=tips), "baselines")

    def targets(self, marks: pd.DataFrame) -> alt.Chart:
        """Unseen discs behind shapes with a hole, which a click in the middle would fall through."""
        holed = marks[[palette.has_hole(method) for method in marks["method"]]]
        size = 60 if self.small else 110
        # a tooltip makes a layer take the pointer at all
        discs = self._base(holed).mark_point(
            filled=True, shape="circle", size=size, opacity=0, cursor="pointer", aria=False
        )
        return named(discs.encode(tooltip=self._tooltip()), "targets")

    def marks(self, marks: pd.DataFrame) -> alt.Chart:
        """The settings, in their methods' colours and shapes."""
        points = self._base(marks).mark_point(filled=True, size=60 if self.small else 110, opacity=1, cursor="pointer")
        names = dict(zip(marks["method"], marks["method_label"], strict=True))
        methods = palette.in_order(names)
        legend = None if self.small else _legend(list(names.values()))
        shown: dict[str, Any] = {"legend": legend, "title": "Method"}
        colour = palette.colour_scale(methods, [names[m] for m in methods])
        shape = palette.shape_scale(methods, [names[m] for m in methods])
        coloured = points.encode(
            color=alt.Color("method_label:N", scale=colour, condition=_where_outside(palette.OUTSIDE), **shown),
            shape=alt.Shape("method_label:N", scale=shape, **shown),
            stroke=alt.Stroke(value=None, condition=_where_outside(palette.OUTSIDE_EDGE)),
        )
        return named(coloured.encode(tooltip=self._tooltip()), "marks")

    def turns(self, turning: pd.DataFrame) -> alt.Chart:
        """Diamonds around where paths turn, in their methods' colours."""
        around = self._base(turning).mark_point(filled=False, shape="diamond", size=430, strokeWidth=2, opacity=1)
        tips = [alt.Tooltip("label:N", title="Setting"), alt.Tooltip("turns:N", title=" ")]
        return named(around.encode(color=_own("colour"), tooltip=tips), "turns")

    def advised(self, rows: pd.DataFrame) -> alt.Chart:
        """A dashed ring around what the rule recommends."""
        ring = self._base(rows).mark_point(
            filled=False, shape="circle", size=760, strokeWidth=2, strokeDash=[4, 3], opacity=1, tooltip=None
        )
        return named(ring.encode(stroke=alt.StrokeValue(palette.NEUTRAL)), "advised")

    def chosen(self, ringed: pd.DataFrame) -> alt.Chart:
        """Rings around the chosen ones, in the accents that A and B have everywhere."""
        rings = self._base(_accented(ringed)).mark_point(
            filled=False, size=380, strokeWidth=3, shape="circle", opacity=1, tooltip=None
        )
        return named(rings.encode(stroke=alt.Stroke("accent:N", scale=None)), "chosen")

    def letters(self, ringed: pd.DataFrame) -> list[alt.Chart]:
        """What the chosen ones are called, on a ground of their own: seeds and lines may lie behind."""
        base = self._base(_accented(ringed))
        ground = base.mark_point(
            filled=True, shape=palette.BADGE, size=60, opacity=1, strokeWidth=0, yOffset=-data.BADGE, tooltip=None
        )
        style: dict[str, Any] = {"fontSize": 12, "fontWeight": "bold", "color": palette.ON_ACCENT, "tooltip": None}
        text = base.mark_text(dy=-data.BADGE, baseline="middle", **style).encode(text=alt.Text("letter:N"))
        return [
            named(ground.encode(color=alt.Color("accent:N", scale=None)), "badges"),
            named(text, "letters"),
        ]

    def labels(
        self,
        marks: pd.DataFrame,
        edged: pd.DataFrame,
        ringed: pd.DataFrame,
        covered: list[Line],
        name: list[Line],
        advised: str | None,
    ) -> alt.Chart:
        """Strengths and names beside the marks, as far as they fit. covered: paths and seeds; name: the region's;
        advised: the variant that has a ring, too."""
        size = self.x, self.y, *(_SMALL_PLOT if self.small else _PLOT)
        letters = data.letter_lines(data.badges(ringed, *size)) + name
        variants, bars = {*ringed["variant"], advised}, data.bar_lines(marks)
        placed = data.labels(marks, edged, covered, letters, *size, self.small, variants, bars)
        return named(self._placed(placed), "labels")

    def _placed(self, texts: pd.DataFrame) -> alt.Chart:
        """Quiet texts, each on its side of its point."""
        where: dict[str, Any] = {
            "align": alt.expr("datum.align"),
            "dx": alt.expr("datum.dx"),
            "dy": alt.expr("datum.dy"),
        }
        text = self._base(texts).mark_text(fontSize=11, color=palette.QUIET, tooltip=None, baseline="middle", **where)
        return cast("alt.Chart", text.encode(text=alt.Text("text:N")))

    def better(self) -> alt.Chart:
        """Names the corner in which both metrics are better, outside of what the axes enclose: no mark is there."""
        x, y = better(self.question.x), better(self.question.y)
        right, top, arrow = x == "higher", y == "higher", _CORNERS[x, y]
        place: dict[str, Any] = {"align": "right", "dx": -6} if right else {"align": "left", "dx": 6}
        place |= {"baseline": "bottom", "dy": -5}
        words = pd.DataFrame({"words": [f"better {arrow}" if right else f"{arrow} better"]})
        corner = alt.Chart(words).mark_text(fontSize=12, fontWeight="bold", color=palette.QUIET, tooltip=None, **place)
        at = alt.XValue("width" if right else 0), alt.YValue(0 if top else "height")  # type: ignore[no-untyped-call]
        return named(corner.encode(x=at[0], y=at[1], text=alt.Text("words:N")), "better")

    def _tooltip(self) -> list[alt.Tooltip]:
        y, x = (key_title(key) for key in (self.question.y, self.question.x))
        fields = [("label:N", "Setting"), ("y_text:N", y), ("x_text:N", x), ("seeds:Q", "Seeds")]
        if self.chance:
            fields += [("against:N", "Against the baseline"), ("on_front:N", "On the Pareto front")]
        return [alt.Tooltip(field, title=title) for field, title in fields]


def _where_outside(colour: str) -> Any:
    """That colour for what does not keep to the rule."""
    return {"test": "datum.outside", "value": colour}


def _accented(ringed: pd.DataFrame) -> pd.DataFrame:
    return ringed.assign(accent=[palette.A if letter.startswith("A") else palette.B for letter in ringed["letter"]])


def _legend(names: list[str]) -> alt.Legend:
    """Below the chart, every name, in as many columns as the width has room for."""
    fitting = alt.expr(f"max(1, floor(width / {_column(names):.0f}))")
    return alt.Legend(
        title=None, orient="bottom", columns=fitting, symbolSize=90, symbolLimit=0, labelLimit=_LONGEST_NAME
    )


def _column(names: list[str]) -> float:
    return _SYMBOL + _LETTER * max(map(len, names), default=0)


def _more(names: list[str]) -> int:
    """Height for the legend's rows beyond the usual ones, or many methods would leave their marks no room."""
    rows = math.ceil(len(names) / max(1, _PLOT[0] // _column(names)))
    return _ROW * max(0, rows - _ROWS)


def _own(column: str) -> alt.Color:
    """Colours by value: a layer that shared the marks' scale, and refused a legend, would take theirs away."""
    return alt.Color(f"{column}:N", scale=None)
