"""The charts of a report: inline SVG that follows the page's light or dark, each under its title, above what it says.

Here: which charts, from which frames. Not here: the charts themselves (core/charts), how they are drawn (files.py).
"""

from __future__ import annotations

from typing import Any

from core.charts import compare_curves, exposure, files, trade_off, who_pays
from core.charts.text import metric_name
from core.charts.trade_off_chance import Chance
from core.charts.trade_off_rule import Ruled
from core.evaluation.metrics import key_title
from core.report.facts import Facts
from core.report.html import Markup, clean, el
from core.report.request import Request


def figure(name: str, chart: Any, title: str, told: str) -> Markup:
    """A chart: its title, itself under the name of what it says, and that in words. name: begins its elements' ids."""
    svg = clean(files.svg(chart, ids=name, ground=None)).replace("<svg ", '<svg aria-hidden="true" ', 1)
    drawn = el("div", Markup(svg), role="img", aria_label=told)
    return el("figure", el("h3", title), drawn, el("figcaption", told), id=name)


def trade_off_figure(facts: Facts, asked: Request) -> Markup:
    """Every setting, with intervals, front, win-win region, turning points, the rule and the pins."""
    question = trade_off.Question(asked.bias, asked.accuracy, asked.split, asked.protocol)
    ruled = Ruled.of(facts.judged, facts.turns)
    chart = trade_off.trade_off(
        facts.points, question, facts.seeds, asked.pins, chance=Chance(facts.found, asked.baseline), ruled=ruled
    )
    title = f"{key_title(asked.accuracy)} against {key_title(asked.bias)}"
    return figure("trade-off", chart, title, trade_off.takeaway(facts.points, question))


def learning_figure(facts: Facts, asked: Request) -> Markup | None:
    """How A and B learned; None where neither did."""
    if facts.history["metric"].notna().sum() == 0:
        return None
    trained = set(facts.history["variant"])
    names = {v: f"{name}: {facts.label(v)}" for name, v in asked.pins.items() if v in trained}
    chart = compare_curves.curves(facts.history, names)
    return figure("learning", chart, "Learning curves", compare_curves.takeaway(facts.history, names))


def who_pays_figures(facts: Facts, asked: Request) -> list[Markup]:
    """What user groups and items by popularity get."""
    found = []
    if facts.groups is not None and facts.groups["relative"].notna().any():
        told = who_pays.accuracy_takeaway(facts.groups, asked.accuracy)
        chart = who_pays.accuracy(facts.groups, asked.accuracy, asked.pins)
        found.append(figure("groups", chart, f"{metric_name(asked.accuracy)} by user group", told))
        lift = who_pays.lift(facts.groups, asked.pins)
        found.append(figure("lift", lift, "Popularity lift by user group", who_pays.lift_takeaway(facts.groups)))
    if facts.deciles is not None:
        rows = facts.deciles.assign(baseline=facts.deciles["variant"] == asked.baseline)
        recall = who_pays.recall(rows, asked.k, asked.pins)
        found.append(figure("found", recall, "What is found, by popularity", who_pays.recall_takeaway(rows)))
        colours = who_pays.colours(rows, asked.pins)
        shown = exposure.exposure(rows, colours, asked.split)
        found.append(figure("exposure", shown, "Which items are shown", exposure.takeaway(rows, asked.split)))
    return found
