"""The charts of a comparison, and the sentence above it."""

import math

import pandas as pd
import pytest

from core.charts import compare_curves, compare_lorenz, palette
from core.charts.compare_answer import Side, answer
from tests.charts.frames import history
from tests.charts.specs import compiled, drawn, layers, rows

A, B = Side("RNS", "rns", 3), Side("AUC-NS β 0.05", "auc_ns", 3)
NAN = math.nan


def row(metric, kind, first, second, half, verdict, better="higher"):
    """A row of `compare.metrics`: an interval of that half width around the difference."""
    difference = second - first
    base = first if first > 0 else NAN
    ends = {"low": difference - half, "high": difference + half}
    return {
        "metric": metric, "kind": kind, "better": better, "first": first, "second": second, "difference": difference,
        **ends, "relative": difference / base, **{f"relative_{k}": v / base for k, v in ends.items()}, "p": 0.01,
        "p_all": 0.02, "verdict": verdict,
    }  # fmt: skip


def said(*found, sides=(A, B), protocol="validation", keys=None):
    keys = keys or [one["metric"] for one in found]
    return answer(pd.DataFrame(found), keys, sides, "MovieLens 100K", "test", protocol)


NDCG = row("ndcg@10", "accuracy", 0.4, 0.396, 0.002, "worse")
APLT = row("aplt@10", "popularity", 0.05, 0.08, 0.005, "better")


def test_the_answer_has_both_metrics_with_intervals_verdicts_and_where_it_is_from():
    told = said(NDCG, APLT)
    # 0.396 / 0.4 = 0.99, and 0.002 / 0.4 = 0.005; 0.08 / 0.05 = 1.6, and 0.005 / 0.05 = 0.1
    assert (
        told.lead == "B keeps 99.0 % of A's NDCG@10 [98.5, 99.5] and shows cold items 1.60 times as often [1.50, 1.70]."
    )
    assert told.rest == (
        "Worse in NDCG@10, better in cold share of the list (APLT@10): a trade-off. A is RNS, B is AUC-NS β 0.05. "
        "MovieLens 100K, test split, chosen on validation, 3 seeds each; in brackets 95 % intervals over users and "
        "seeds."
    )
    assert told.text == f"{told.lead} {told.rest}"


def test_a_gain_is_no_keeping_and_a_large_one_is_told_in_times():
    assert "B has 110 % of A's NDCG@10" in said(row("ndcg@10", "accuracy", 0.4, 0.44, 0.01, "better")).lead
    gained = said(row("coverage@10", "popularity", 0.1, 0.3, 0.02, "better")).lead
    assert gained == "B has 3.00 times A's catalogue coverage@10 [2.80, 3.20]."


def test_win_win_is_named():
    told = said(row("ndcg@10", "accuracy", 0.4, 0.44, 0.01, "better"), APLT)
    assert told.rest.startswith("Better in NDCG@10, better in cold share of the list (APLT@10): win-win.")


def test_what_has_no_share_is_told_as_a_difference():
    lift = said(row("lift@10", "popularity", 0.5, 0.2, 0.1, "better", "lower")).lead
    assert lift == "B moves popularity lift@10 from 0.500 to 0.200, by -0.300 [-0.400, -0.200]."
    nothing = said(row("ndcg@10", "accuracy", 0.0, 0.2, 0.1, "better")).lead
    assert nothing == "B moves NDCG@10 from 0 to 0.200, by +0.200 [+0.100, +0.300]."


def test_too_few_seeds_and_no_interval_are_answers():
    few = row("ndcg@10", "accuracy", 0.4, 0.396, NAN, "not enough seeds")
    told = said(few, sides=(Side("RNS", "rns", 1), Side("Most popular", "most_popular", 1)))
    assert told.lead == "B keeps 99.0 % of A's NDCG@10."
    assert told.rest.startswith("Not enough seeds for a verdict, which needs 3 of each: A has 1.")
    assert "brackets" not in told.rest
    none = row("pri", "popularity", 0.4, 0.396, NAN, "no interval", "lower")
    assert "Worse in NDCG@10, popularity-rank correlation (PRI) has no interval." in said(NDCG, none).rest
    assert ": a trade-off" not in said(NDCG, none).rest


def test_what_one_lacks_is_said():
    lacking = {**NDCG, "metric": "auc", "second": NAN, "difference": NAN, "relative": NAN}
    told = said(lacking, APLT)
    assert told.lead == "B shows cold items 1.60 times as often [1.50, 1.70]. There is no AUC of both."
    assert said(APLT, keys=["ndcg@10"]).lead == (
        "There is nothing to set beside each other. There is no NDCG@10 of both."
    )


def test_seeds_that_differ_and_the_optimistic_protocol_are_told():
    told = said(NDCG, APLT, sides=(A, Side("Most popular", "most_popular", 1)), protocol="paper").rest
    assert "3 seeds of A and 1 seed of B" in told
    assert "chosen on test: optimistic" in told


# ---------------------------------------------------------------- learning curves

NAMES = {"RNS": "A: RNS", "DNS": "B: DNS"}
BOTH = pd.concat([history("RNS"), history("DNS", "dns", seeds=(0, 1, 2))])


@pytest.mark.parametrize(("column", "title"), [("metric", "NDCG@10 on validation"), ("loss", "Train loss")])
def test_curves_of_both(column, title):
    chart = compare_curves.curves(BOTH, NAMES, column)
    assert list(layers(chart)) == ["seeds", "means", "chosen"]
    encoding = layers(chart)["seeds"]["encoding"]
    assert encoding["color"]["scale"] == {"domain": ["A: RNS", "B: DNS"], "range": [palette.A, palette.B]}
    assert encoding["strokeDash"]["scale"]["domain"] == ["A: RNS", "B: DNS"]  # not by colour alone
    assert encoding["y"]["title"] == title
    assert len(rows(chart, "seeds")) == 5 * 3
    assert "NaN" not in drawn(chart)
    compiled(chart)


def test_the_mean_goes_as_far_as_every_seed():
    shorter = BOTH[~((BOTH["run"] == "RNS1") & (BOTH["epoch"] == 15))]
    means = rows(compare_curves.curves(shorter, NAMES), "means")
    of_a = {one["epoch"]: one["metric"] for one in means if one["side"] == "A: RNS"}
    assert of_a == pytest.approx({5: (0.2 + 0.21) / 2, 10: (0.3 + 0.31) / 2})
    assert len([one for one in means if one["side"] == "B: DNS"]) == 3


def test_a_is_told_first_whichever_run_comes_first():
    assert compare_curves.takeaway(BOTH.iloc[::-1], NAMES) == (
        "A: RNS reaches NDCG@10 on validation 0.305, mean of 2 seeds; chosen epoch 10. B: DNS reaches NDCG@10 on "
        "validation 0.310, mean of 3 seeds; chosen epoch 10."
    )


def test_what_has_no_curve_is_not_in_the_legend_and_b_keeps_its_colour():
    chart = compare_curves.curves(BOTH[BOTH["variant"] == "DNS"], NAMES)
    assert layers(chart)["seeds"]["encoding"]["color"]["scale"] == {"domain": ["B: DNS"], "range": [palette.B]}
    assert compare_curves.takeaway(BOTH[BOTH["variant"] == "DNS"], NAMES) == (
        "B: DNS reaches NDCG@10 on validation 0.310, mean of 3 seeds; chosen epoch 10."
    )


# ---------------------------------------------------------------- Lorenz curves

LORENZ = pd.concat(
    [
        pd.DataFrame({"series": series, "item_share": [0.0, 0.5, 0.9, 1.0], "share": shares, "gini": gini})
        for series, shares, gini in (
            ("data", [0, 0.2, 0.7, 1], 0.4), ("first", [0, 0.1, 0.5, 1], 0.66), ("second", [0, 0.15, 0.6, 1], 0.525),
        )
    ]
)  # fmt: skip
SERIES = {"data": "Data, train", "first": "A: RNS", "second": "B: DNS"}


def test_lorenz_of_data_a_and_b():
    chart = compare_lorenz.lorenz(LORENZ, SERIES, "Test split")
    assert list(layers(chart)) == ["equality", "curves"]
    encoding = layers(chart)["curves"]["encoding"]
    named = ["Data, train, Gini 0.400", "A: RNS, Gini 0.660", "B: DNS, Gini 0.525"]
    assert encoding["color"]["scale"] == {"domain": named, "range": [palette.NEUTRAL, palette.A, palette.B]}
    assert len({str(dash) for dash in encoding["strokeDash"]["scale"]["range"]}) == 3
    assert "Test split" in drawn(chart)
    compiled(chart)
    assert compare_lorenz.takeaway(LORENZ, SERIES) == (
        "Data, train: Gini 0.400, the top tenth of the items has 30.0 %; A: RNS: Gini 0.660, the top tenth of the "
        "items has 50.0 %; B: DNS: Gini 0.525, the top tenth of the items has 40.0 %."
    )
