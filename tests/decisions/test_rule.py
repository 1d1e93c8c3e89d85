"""A rule: what it allows, and what is no rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decisions.rule import Rule
from core.errors import BadInput, Unknown

NDCG, ARP, APLT = "ndcg@10", "arp@10", "aplt@10"


def test_a_budget_is_a_share_of_the_baseline() -> None:
    rule = Rule("give_up", 2.5, NDCG, APLT)
    assert rule.bound(0.4) == pytest.approx(0.39)
    assert rule.keeps(0.39, 0.4) and rule.keeps(0.5, 0.4) and not rule.keeps(0.3899, 0.4)


def test_nothing_may_be_given_up_at_zero() -> None:
    rule = Rule("give_up", 0, NDCG, APLT)
    assert rule.keeps(0.4, 0.4) and not rule.keeps(0.39999, 0.4)


def test_what_is_reached_is_at_most_where_lower_is_better() -> None:
    assert Rule("reach", 100, NDCG, ARP).keeps(99.9, float("nan"))
    assert not Rule("reach", 100, NDCG, ARP).keeps(100.1, float("nan"))
    assert Rule("reach", 0.1, NDCG, APLT).keeps(0.1, float("nan"))


@pytest.mark.parametrize("rule", [Rule("give_up", 5, NDCG, APLT), Rule("reach", 0.1, NDCG, APLT)])
def test_what_has_no_value_does_not_keep(rule: Rule) -> None:
    assert not rule.keeps(float("nan"), 0.4)


def test_without_the_baselines_value_no_budget_is_kept() -> None:
    assert not Rule("give_up", 5, NDCG, APLT).keeps(0.5, float("nan"))


@given(st.floats(0, 100), st.floats(0.01, 1), st.floats(0, 1))
def test_a_larger_budget_allows_what_a_smaller_one_does(amount: float, base: float, value: float) -> None:
    small, large = Rule("give_up", amount / 2, NDCG, APLT), Rule("give_up", amount, NDCG, APLT)
    assert large.keeps(value, base) or not small.keeps(value, base)


def test_it_comes_back_from_json() -> None:
    rule = Rule("reach", 0.05, NDCG, APLT, sure=True)
    assert Rule.from_json(rule.to_json()) == rule


@pytest.mark.parametrize(
    ("kind", "amount", "accuracy"),
    [("give_up", -1, NDCG), ("give_up", 101, NDCG), ("reach", float("nan"), NDCG), ("hope", 1, NDCG),
     ("give_up", 1, "exposure_d1@10")],
)  # fmt: skip
def test_what_is_no_rule_is_told(kind: str, amount: float, accuracy: str) -> None:
    with pytest.raises(BadInput, match=r"rule: .+\. .+\."):
        Rule(kind, amount, accuracy, APLT)  # type: ignore[arg-type]
    with pytest.raises(Unknown):
        Rule("give_up", 1, "nothing", APLT)
