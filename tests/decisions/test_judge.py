"""Which settings keep to a rule, where paths turn, and which one is recommended: by hand."""

from typing import Any

import pandas as pd
import pytest

from core.decisions.judge import judge, turning_points
from core.decisions.rule import Rule

NAN = float("nan")
SMALL = Rule("give_up", 10, "ndcg@10", "aplt@10")


def points(*rows: tuple[str, str | None, float, float, float], lists: str = "", also_on: int | None = None) -> Any:
    """(variant, path, strength, x, y); a path of None is a baseline."""
    return pd.DataFrame(
        [
            {
                "variant": name,
                "label": name.upper(),
                "method": "lists" if name == lists else "m",
                "path": path or name,
                "strength": strength,
                "baseline": path is None,
                "also_on": at == also_on,
                "x": x,
                "y": y,
            }
            for at, (name, path, strength, x, y) in enumerate(rows)
        ]
    )


def found(of: pd.DataFrame, half: float = 0.01, base: float = 0.5, p: float = 0.01) -> pd.DataFrame:
    """Intervals of that half width on both axes, differences from `base` (0.05 on x), all with that p."""
    rows = of[~of["also_on"]]
    columns: dict[str, Any] = {"variant": rows["variant"]}
    for axis in "xy":
        columns |= {f"{axis}_from": rows[axis] - half, f"{axis}_to": rows[axis] + half}
    columns |= {"x_difference": rows["x"] - 0.05, "y_difference": rows["y"] - base, "x_p": p, "y_p": p}
    columns |= {"y_difference_low": rows["y"] - base - half, "y_difference_high": rows["y"] - base + half}
    return pd.DataFrame(columns)


PATH = points(("rns", None, NAN, 0.05, 0.5), ("a", "p", 0.0, 0.04, 0.55), ("b", "p", 0.1, 0.08, 0.50),
              ("c", "p", 0.2, 0.12, 0.46), ("d", "p", 0.3, 0.20, 0.40))  # fmt: skip


def test_the_best_that_keeps_to_the_budget_is_recommended() -> None:
    judged = judge(PATH, found(PATH), SMALL, "rns")
    assert list(judged.rows["keeps"]) == [True, True, True, True, False]
    assert judged.outside == {"d"} and judged.recommended == "c" and judged.turns.empty
    assert list(judged.rows["change"]) == pytest.approx([0, 10, 0, -8, -20])
    assert list(judged.rows["change_low"]) == pytest.approx([0, 8, -2, -10, -22])


def test_the_wanted_metric_has_its_verdict() -> None:
    """Better and worse by the metric's direction, told apart or not, and what is missing."""

    def wanted(of: pd.DataFrame, rule: Rule = SMALL, baseline: str | None = "rns") -> list[str | None]:
        return list(judge(PATH, of, rule, baseline).rows["wanted"])

    sure = found(PATH)
    assert wanted(sure) == [None, "worse", "better", "better", "better"]
    assert wanted(sure, Rule("give_up", 10, "ndcg@10", "gini@10")) == [None, "better", "worse", "worse", "worse"]
    reach = Rule("reach", 0.05, "ndcg@10", "aplt@10")
    assert wanted(sure, reach) == [None, "better", "worse", "worse", "worse"]
    assert wanted(found(PATH, p=0.06)) == [None, *["not distinguishable"] * 4]
    assert wanted(sure.assign(x_p=NAN)) == [None, *["not enough seeds"] * 4]
    assert wanted(sure.assign(x_p=NAN, x_from=NAN)) == [None, *["no interval"] * 4]
    assert wanted(sure, baseline=None) == [None] * 5
    assert list(judge(PATH, sure, SMALL, "rns").rows["wanted_p"]) == [0.01] * 5


def test_to_be_sure_the_whole_interval_must_keep_and_the_baseline_always_does() -> None:
    sure = Rule("give_up", 9, "ndcg@10", "aplt@10", sure=True)
    judged = judge(PATH, found(PATH), sure, "rns")
    assert judged.outside == {"c", "d"} and judged.recommended == "b"
    none = found(PATH).assign(y_difference_low=NAN, y_difference_high=NAN)
    unknown = judge(PATH, none, sure, "rns")  # nothing can be told of the others: that is no reason to keep it
    assert (unknown.possible, unknown.recommended, unknown.outside) == (False, None, frozenset())
    partly = judge(PATH, none.assign(y_difference_low=[NAN, -0.5, NAN, NAN, NAN][: len(none)]), sure, "rns")
    assert (partly.possible, partly.recommended) == (True, "rns")
    assert not judge(PATH, found(PATH), SMALL, "gone").possible


def test_reaching_takes_the_most_accurate_that_does() -> None:
    judged = judge(PATH, found(PATH), Rule("reach", 0.08, "ndcg@10", "aplt@10"), "rns")
    assert judged.outside == {"rns", "a"} and judged.recommended == "b"
    judged = judge(PATH, found(PATH), Rule("reach", 0.08, "ndcg@10", "aplt@10", sure=True), None)
    assert judged.recommended == "c"
    assert judge(PATH, found(PATH), Rule("reach", 0.9, "ndcg@10", "aplt@10"), None).recommended is None


def test_reaching_down_where_lower_is_better() -> None:
    judged = judge(PATH, found(PATH), Rule("reach", 0.05, "ndcg@10", "gini@10", sure=False), "rns")
    assert judged.outside == {"b", "c", "d"} and judged.recommended == "a"


TURNING = points(("rns", None, NAN, 0.05, 0.5), ("off", "p", 0.0, 0.04, 0.55), ("top", "p", 0.1, 0.10, 0.40),
                 ("past", "p", 0.2, 0.07, 0.50))  # fmt: skip


def test_nothing_beyond_the_turning_point_of_its_path_is_recommended() -> None:
    assert turning_points(TURNING, "aplt@10").to_dict("records") == [{"path": "p", "variant": "top", "strength": 0.1}]
    judged = judge(TURNING, found(TURNING), SMALL, "rns")
    assert list(judged.rows["beyond"]) == [False, False, False, True]
    assert "past" not in judged.outside and judged.recommended == "rns"


def test_a_path_falls_the_other_way_where_lower_is_better() -> None:
    mirrored = TURNING.assign(x=1 - TURNING["x"])
    assert list(turning_points(mirrored, "gini@10")["variant"]) == ["top"]
    assert turning_points(TURNING, "gini@10").empty  # it only rises above its start: nothing is gained to lose again


def test_an_off_end_shared_with_another_method_counts_for_the_path() -> None:
    shared = points(("off", "q", NAN, 0.04, 0.5), ("off", "p", 0.0, 0.04, 0.5), ("x", "p", 0.1, 0.10, 0.5),
                    ("y", "p", 0.2, 0.05, 0.5), also_on=1)  # fmt: skip
    assert list(turning_points(shared, "aplt@10")["strength"]) == [0.1]
    judged = judge(shared, found(shared), SMALL, "off")
    assert len(judged.rows) == 3 and judged.recommended == "x"


def test_added_lists_are_judged_but_never_recommended() -> None:
    with_lists = points(("rns", None, NAN, 0.05, 0.5), ("shop", None, NAN, 0.3, 0.6), lists="shop")
    judged = judge(with_lists, found(with_lists), SMALL, "rns")
    assert list(judged.rows["keeps"]) == [True, True] and judged.recommended == "rns"


def test_a_budget_needs_the_baselines_value() -> None:
    judged = judge(PATH, found(PATH), SMALL, "gone")
    assert judged.baseline is None and judged.recommended is None and not judged.rows["keeps"].any()


def test_of_equals_the_one_that_costs_least_then_the_weakest() -> None:
    equal = points(("rns", None, NAN, 0.05, 0.5), ("b", "p", 0.2, 0.1, 0.49), ("a", "p", 0.1, 0.1, 0.49),
                   ("c", "p", 0.3, 0.1, 0.48))  # fmt: skip
    assert judge(equal, found(equal), SMALL, "rns").recommended == "a"


def test_nothing_measured_is_nothing_judged() -> None:
    judged = judge(PATH[:0], found(PATH)[:0], SMALL, "rns")
    assert judged.rows.empty and judged.recommended is None and judged.turns.empty
