"""A rule, its answer and its sentence in words."""

import doctest
from dataclasses import replace

import pandas as pd
import pytest

from core.charts import decision
from core.decisions.judge import Judged
from core.decisions.rule import Rule
from core.decisions.store import Decision

BUDGET = Rule("give_up", 1, "ndcg@10", "aplt@10")
TURNS = pd.DataFrame(columns=["path", "variant", "strength"])
ROWS = pd.DataFrame(
    {
        "variant": ["r", "a", "b"],
        "label": ["RNS", "AUC-NS β 0.1", "AUC-NS β 0.2"],
        "keeps": [True, True, True],
        "beyond": [False, False, True],
        "change": [0.0, -0.4, 0.1],
        "wanted": [None, "better", "better"],
        "wanted_p": [float("nan"), 0.0123, 0.02],
        "gain": [0.0, 0.01, 0.02],
    }
)
FIGURES = [
    {"metric": "aplt@10", "value": 0.054, "baseline_value": 0.04, "difference": 0.014, "difference_low": 0.01,
     "difference_high": 0.018, "p": 0.0001},
    {"metric": "ndcg@10", "value": 0.438, "baseline_value": 0.44, "difference": -0.002, "difference_low": -0.004,
     "difference_high": 0.00132, "p": None},
]  # fmt: skip


def test_the_examples_hold() -> None:
    found = doctest.testmod(decision)
    assert found.attempted > 0
    assert found.failed == 0


def test_a_recommendation_counts_what_keeps_and_what_is_beyond() -> None:
    told = decision.advice(Judged(ROWS, "a", "r", TURNS), BUDGET)
    assert told.lead == "AUC-NS β 0.1"
    assert told.rest == (
        "Its cold share of the list (APLT@10) is better than that of RNS (Holm's p 0.012). 3 of 3 settings keep to the "
        "rule; 1 of them beyond the turning point of its path, not taken."
    )


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (
            "not distinguishable",
            "cannot be told from that of RNS (Holm's p 0.3): it is the best mean of those that keep to the rule, and",
        ),
        ("worse", "is worse than that of RNS (Holm's p 0.3)"),
        ("not enough seeds", "is open: that needs 3 seeds of both"),
        ("no interval", "is open: it has no interval"),
    ],
)
def test_a_recommendation_says_whether_its_gain_is_told_apart(verdict: str, said: str) -> None:
    """With "surely", too: that is about what must not be lost."""
    rows = ROWS.assign(wanted=[None, verdict, "better"], wanted_p=0.3)
    for sure in (False, True):
        told = decision.advice(Judged(rows, "a", "r", TURNS), replace(BUDGET, sure=sure))
        assert said in told.rest
    without = decision.advice(Judged(ROWS.assign(wanted=None), "a", None, TURNS), BUDGET)
    assert without.rest.startswith("3 of 3 settings")


def test_a_baseline_that_cannot_be_recommended_may_still_be_the_better_one() -> None:
    rows = ROWS.assign(wanted=[None, "not distinguishable", "better"], wanted_p=0.3, gain=[0.0, -0.001, 0.02])
    told = decision.advice(Judged(rows, "a", "r", TURNS), BUDGET)
    assert told.rest.startswith(
        "None that keeps to the rule has a better cold share of the list (APLT@10) than RNS; this one cannot be told "
        "from it (Holm's p 0.3)."
    )


def test_a_rule_that_cannot_be_judged_is_not_said_to_be_broken() -> None:
    for sure, baseline, said in (
        (True, "r", "No setting but RNS has the interval that it asks for"),
        (False, None, "told against the baseline, which has no finished run"),
    ):
        told = decision.advice(Judged(ROWS, None, baseline, TURNS, possible=False), replace(BUDGET, sure=sure))
        assert told.lead == "The rule cannot be judged yet"
        assert said in told.rest


def test_a_decision_has_the_figures_of_its_day_and_those_of_today_where_they_differ() -> None:
    rows = [{"split": "validation", **row} for row in FIGURES]
    kept = Decision("d", BUDGET, "a", "AUC-NS β 0.1", "r", "RNS", rows)
    then = decision.sentence("AUC-NS β 0.1", "RNS", BUDGET, FIGURES, "validation", "ML")
    assert decision.then_and_now(kept, "validation", "ML", then) == [then]
    assert decision.then_and_now(kept, "validation", "ML", None) == [then]
    assert decision.then_and_now(kept, "validation", "ML", "x.") == [f"On that day: {then}", "Now: x."]
    assert decision.then_and_now(kept, "test", "ML", "x.") == ["x."]
    assert decision.then_and_now(kept, "test", "ML", None) == []


def test_the_baseline_itself_is_not_set_against_itself() -> None:
    said = decision.sentence("RNS", "RNS", BUDGET, FIGURES[:1], "validation", "ML")
    assert said.startswith("RNS, the baseline, on ML, validation split: ")


def test_keeping_the_baseline_is_an_answer() -> None:
    told = decision.advice(Judged(ROWS, "r", "r", TURNS), BUDGET)
    assert told.lead == "Keep RNS" and "No other setting that keeps to the rule" in told.rest


@pytest.mark.parametrize(
    ("rule", "baseline", "said"),
    [
        (BUDGET, None, "has no finished run here"),
        (Rule("reach", 0.5, "ndcg@10", "aplt@10"), "r", "The nearest is AUC-NS β 0.2, at 0.100"),
        (Rule("reach", 0.5, "ndcg@10", "gini@10"), "r", "The nearest is AUC-NS β 0.1, at -0.400"),
        (Rule("give_up", 1, "ndcg@10", "aplt@10", sure=True), "r", "Train more seeds, or ask less than to give up 1 %"),
    ],
)
def test_where_nothing_keeps_the_way_out_is_told(rule: Rule, baseline: str | None, said: str) -> None:
    told = decision.advice(Judged(ROWS.assign(keeps=False), None, baseline, TURNS), rule)
    assert told.lead == "Nothing keeps to the rule" and said in told.rest


def test_the_sentence_stands_alone_and_begins_with_accuracy() -> None:
    said = decision.sentence("AUC-NS β 0.1", "RNS", BUDGET, FIGURES, "test", "MovieLens 100K")
    assert said == (
        "AUC-NS β 0.1 against RNS on MovieLens 100K, test split: NDCG@10 0.438 instead of 0.440, -0.455 % (95 % "
        "interval -0.909 to +0.300 %); Cold share of the list (APLT@10) 0.0540 instead of 0.0400, +35.0 % (95 % "
        "interval +25.0 to +45.0 %, Holm's p <0.001)."
    )


def test_what_has_no_interval_or_baseline_says_so() -> None:
    none = [FIGURES[0] | {"difference_low": None, "difference_high": None, "p": None}]
    assert "(no interval)" in decision.sentence("A", "RNS", BUDGET, none, "test")
    alone = [FIGURES[0] | {"baseline_value": None}]
    told = decision.sentence("A", "RNS", BUDGET, alone, "test")
    assert told == "A against RNS, test split: Cold share of the list (APLT@10) 0.0540."
    of_nothing = [FIGURES[0] | {"baseline_value": 0.0}]
    assert "+0.0140 (95 % interval +0.0100 to +0.0180, " in decision.sentence("A", "RNS", BUDGET, of_nothing, "test")
