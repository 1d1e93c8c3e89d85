"""What the trade-off chart shows of chance, and the answer above it."""

import math

import pandas as pd
import pytest

from core.charts import palette, trade_off_chance
from core.charts import trade_off as chart
from core.charts.trade_off_answer import answer
from core.charts.trade_off_chance import Chance
from tests.charts.frames import POINTS, SEEDS, chances, every_method
from tests.charts.specs import drawn, layers, rows

ASKED = chart.Question("aplt@10", "ndcg@10")
FOUND = chances()
SHOWN = {"win_win", "win_win_name", "interval_x", "interval_y", "lit"}


def shown(found=FOUND, points=POINTS, question=ASKED, baseline="rns", chosen=None, **which):
    return chart.trade_off(points, question, SEEDS, chosen, chance=Chance(found, baseline, **which))


def test_layers_of_chance_lie_under_the_marks():
    names = list(layers(shown()))
    assert names[:5] == ["win_win", "win_win_name", "interval_x", "interval_y", "seeds"]
    assert names.index("lit") < names.index("baselines") < names.index("marks")
    assert "NaN" not in drawn(shown())


def test_without_it_there_are_only_seeds():
    assert not SHOWN & set(layers(chart.trade_off(POINTS, ASKED, SEEDS)))


@pytest.mark.parametrize(
    ("which", "gone"),
    [("intervals", {"interval_x", "interval_y"}), ("front", {"lit"}), ("win_win", {"win_win", "win_win_name"})],
)
def test_each_can_be_left_out(which, gone):
    assert SHOWN - set(layers(shown(**{which: False}))) == gone


def test_bars_are_the_intervals_over_users_and_not_the_seeds():
    by_variant = {row["variant"]: row for row in rows(shown(), "interval_y")}
    assert set(by_variant) == {"auc1", "auc2", "dns", "rns"}
    assert (by_variant["rns"]["y_from"], by_variant["rns"]["y_to"]) == pytest.approx((0.402, 0.418))
    encoding = layers(shown())["interval_y"]["encoding"]
    assert (encoding["y"]["field"], encoding["y2"]["field"]) == ("y_from", "y_to")


def test_bars_and_seeds_lie_within_the_axes():
    wide = chances(auc2={"y_from": 0.2, "y_to": 0.6})
    low, high = layers(shown(wide))["marks"]["encoding"]["y"]["scale"]["domain"]
    assert low < 0.2
    assert high > 0.6
    low, high = layers(shown(wide, intervals=False))["marks"]["encoding"]["y"]["scale"]["domain"]
    assert low > 0.2  # what is not drawn takes no room


def test_an_axis_without_intervals_has_no_bars():
    lacking = FOUND.assign(x_from=math.nan, x_to=math.nan, x_p=math.nan, verdict="no interval", front=math.nan)
    full = shown(lacking, question=chart.Question("pri", "ndcg@10"))
    assert "interval_x" not in layers(full)
    assert len(rows(full, "interval_y")) == 4
    assert "lit" not in layers(full)
    mark = next(row for row in rows(full, "marks") if row["variant"] == "auc1")
    assert (mark["x_text"], mark["on_front"], mark["against"]) == ("0.0600, no interval", "no interval", "no interval")


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [
        ("aplt@10", "ndcg@10", {"auc1"}),  # auc2 shows more of the cold, but is less accurate
        ("gini@10", "ndcg@10", {"dns"}),
        ("aplt@10", "gini@10", {"auc2"}),
    ],
)
def test_the_region_begins_at_the_baseline_and_holds_what_is_better_on_both(x, y, inside):
    full = shown(question=chart.Question(x, y))
    (region,) = rows(full, "win_win")
    corner = {"x": 0.05, "y": 0.41}
    assert corner["x"] in (region["x1"], region["x2"])
    assert corner["y"] in (region["y1"], region["y2"])
    held = {
        row["variant"]
        for row in rows(full, "marks")
        if region["x1"] < row["x"] < region["x2"] and region["y1"] < row["y"] < region["y2"]
    }
    assert held == inside


def test_the_region_ends_where_the_axes_end():
    full = shown()
    (region,) = rows(full, "win_win")
    ends = [layers(full)["marks"]["encoding"][axis]["scale"]["domain"][1] for axis in "xy"]
    assert [region["x2"], region["y2"]] == ends


@pytest.mark.parametrize("baseline", [None, "not there", "pop"])
def test_no_region_where_it_would_say_nothing(baseline):
    """Most popular is far below and left of everything: the whole chart would be shaded."""
    assert "win_win" not in layers(shown(baseline=baseline))


def test_who_may_be_on_the_front_is_lit():
    some = chances(
        dns={"front": trade_off_chance.LIT}, auc1={"front": 0.049}, pop={"front": math.nan}, rns={"front": 0}
    )
    lit = {row["variant"]: row for row in rows(shown(some), "lit")}
    assert set(lit) == {"dns", "auc2"}
    assert lit["dns"]["colour"] == palette.GREEN


def test_a_tooltip_tells_interval_verdict_and_front():
    (mark,) = [row for row in rows(shown(), "marks") if row["variant"] == "auc1"]
    assert mark["y_text"] == "0.430 [0.422, 0.438]"
    assert mark["against"] == "win-win (p <0.001, 0.012)"  # accuracy first
    assert mark["on_front"] == "50.0 %"
    (rns,) = [row for row in rows(shown(), "marks") if row["variant"] == "rns"]
    assert rns["against"] == "baseline"
    (few,) = [r for r in rows(shown(chances(auc1={"verdict": "not enough seeds"})), "marks") if r["variant"] == "auc1"]
    assert few["against"] == "not enough seeds"
    titles = [tip["title"] for tip in layers(shown())["marks"]["encoding"]["tooltip"]]
    assert titles[-2:] == ["Against the baseline", "On the Pareto front"]


def test_a_baseline_at_the_edge_tells_its_true_value():
    (edge,) = rows(shown(), "baselines")
    assert edge["y_text"] == "0.190 [0.182, 0.198]"


def test_of_many_settings_only_those_that_matter_have_bars():
    many = every_method(("mf", "lightgcn"))
    marks = many[~many["also_on"]]
    assert len(marks) > trade_off_chance.MANY
    base, lit, pinned = marks.loc[~marks["baseline"], "variant"].iloc[[0, 5, 9]]
    found = chances(many).assign(front=0.0)
    found.loc[found["variant"] == lit, "front"] = 0.9
    full = shown(found, many, baseline=base, chosen={"A": pinned})
    assert {row["variant"] for row in rows(full, "interval_y")} == {base, lit, pinned}
    assert {row["variant"] for row in rows(full, "lit")} == {lit}


# ---------------------------------------------------------------- the answer


def test_the_answer_counts_names_and_says_how_sure():
    found = chances(dns={"verdict": "trade-off"}, pop={"verdict": "worse"}, auc2={"front": 0.87}, auc1={"front": 0.25})
    told = answer(POINTS, found, ASKED, "rns")
    assert told.lead == "2 of 4 settings are win-win against RNS"
    assert "The others: 1 trade-off and 1 worse." in told.rest
    assert (
        "The best NDCG@10 of these has AUC-NS β 0.1: 0.430, +0.0200 [+0.0100, +0.0300], Holm's p <0.001;" in told.rest
    )
    assert "+0.0100 [+0.00400, +0.0160], Holm's p 0.012." in told.rest
    assert told.rest.endswith("It is on the Pareto front in 25.0 % of resamples.")
    assert told.train == ""


def test_where_nobody_wins_the_best_is_named_with_what_it_is():
    found = chances(
        **{v: {"verdict": "trade-off"} for v in ("dns", "auc1", "auc2")}, pop={"verdict": "not distinguishable"}
    )
    told = answer(POINTS, found, ASKED, "rns")
    assert told.lead == "None of 4 settings is win-win against RNS"
    assert "not corrected). 3 trade-offs and 1 not distinguishable. The best" in told.rest
    assert "The best NDCG@10 has DNS (AUC-NS β 0) (a trade-off)" in told.rest


def test_lower_is_better_where_it_is():
    told = answer(POINTS, FOUND, chart.Question("aplt@10", "gini@10"), "rns")
    assert "has Most popular" in told.rest


def test_one_setting_is_told_as_one():
    two = POINTS[POINTS["variant"].isin(["rns", "pop"])]
    assert answer(two, chances(two), ASKED, "rns").lead == "The one setting compared with RNS is win-win"
    alone = POINTS[POINTS["variant"] == "rns"]
    assert "nothing else to compare" in answer(alone, chances(alone), ASKED, "rns").rest


FEW = {"verdict": "not enough seeds"}


def test_too_few_seeds_say_whose_and_what_to_do():
    one = answer(
        POINTS.assign(seeds=POINTS["seeds"].where(POINTS["variant"] != "auc1", 2)), chances(auc1=FEW), ASKED, "rns"
    )
    assert one.lead == "3 of 3 settings are win-win against RNS"
    assert one.train.startswith("AUC-NS β 0.1 has 2 seeds: a verdict needs 3")
    several = answer(POINTS, chances(auc1=FEW, auc2=FEW), ASKED, "rns")
    assert several.train.startswith("2 settings have fewer seeds than 3")
    assert several.train.endswith("Train 3 seeds of each.")


def test_a_baseline_with_too_few_seeds_leaves_no_verdict():
    found = chances(**dict.fromkeys(("pop", "dns", "auc1", "auc2"), FEW))
    told = answer(POINTS.assign(seeds=1), found, ASKED, "rns")
    assert told.lead == "Not enough seeds to say what beats RNS"
    assert told.train.startswith("The baseline RNS has 1 seed: a verdict needs 3")
    fixed = answer(POINTS.assign(seeds=1), found.assign(verdict="not enough seeds"), ASKED, "pop")
    assert fixed.train.startswith("4 settings have fewer seeds")  # most popular is the same with every seed


def test_no_baseline_and_no_interval_are_said():
    assert "Choose another one" in answer(POINTS, FOUND, ASKED, None).rest
    lacking = FOUND.assign(x_from=math.nan)
    told = answer(POINTS, lacking, chart.Question("pri", "ndcg@10"), "rns")
    assert told.lead.startswith("No verdicts: ")
    assert told.lead.endswith(" has no interval")
    assert "spread" in told.rest


def test_the_answer_never_says_nan():
    partly = chances(auc1={"verdict": "no interval", "x_difference_low": math.nan, "x_p": math.nan, "front": math.nan})
    others = pd.Series(["auc1", "rns"])
    points = POINTS[POINTS["variant"].isin(others)]
    told = answer(points, partly, ASKED, "rns")
    assert "nan" not in f"{told}"
    assert "+0.0100 without an interval" in told.rest


def test_what_was_not_resampled_is_said():
    found = chances()
    assert "nearest the Pareto front" not in answer(POINTS, found, ASKED, "rns").rest
    some = found[found["variant"] != "dns"]
    told = answer(POINTS, some, ASKED, "rns")
    assert told.rest.endswith(
        f"Of {len(found)} settings {len(some)} are resampled, those nearest the Pareto front with the baseline, the "
        "pins and what the rule recommends: the others have no interval and no verdict here. p is corrected for all."
    )
    assert "dns" not in {row["variant"] for row in rows(shown(some), "interval_y")}
