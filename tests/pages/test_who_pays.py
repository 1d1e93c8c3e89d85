"""The card on who pays: what it compares, what it says while there is nothing to compare, its tables."""

import json
from dataclasses import replace

import pytest

from core.datasets.store import DatasetInfo
from core.warehouse import queries
from core.warehouse.database import Warehouse
from tests.pages import results
from tests.pages.test_every_page import text

CHARTS = ("accuracy_by_group", "lift_by_group", "recall_by_decile", "exposure")


def charts(at) -> dict[str, dict]:
    """The card's charts by name."""
    specs = [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]
    return {spec["name"]: spec for spec in specs if spec.get("name") in CHARTS}


def table(at, column: str):
    return next(table.value for table in at.dataframe if column in table.value.columns)


def test_without_a_pin_it_says_to_pin_one(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off")
    assert "Pin a setting: click its mark" in text(at)
    assert not charts(at)


def test_two_pins_against_the_baseline(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", a="dns", b="auc_ns", split="test")
    assert not at.error
    assert set(charts(at)) == set(CHARTS)
    here = at.session_state["view"]
    labels = {here.label(variant) for variant in (here.baseline, here.a, here.b)}
    users = table(at, "User group")
    assert set(users["Setting"]) == labels
    assert len(users) == 9
    assert users["Users"].tolist() == [12, 36, 12] * 3  # a fifth of 60 on either side
    assert users["Change"].isna().tolist() == [True] * 3 + [False] * 6
    items = table(at, "Decile")
    assert len(items) == 30
    assert items.groupby("Setting")["Share shown"].sum().tolist() == pytest.approx([100] * 3)
    assert "Too few seeds for a verdict: it needs 3 of each setting" in text(at).replace("\\", "")


def test_with_enough_seeds_there_is_a_verdict(visit, settings, tiny: DatasetInfo) -> None:
    results.train(settings, tiny, replace(results.SHORT, seeds=(0, 1, 2)))
    at = visit("trade_off", a="auc_ns", split="test")
    users = table(at, "User group")
    assert set(users["Verdict"].dropna()) <= {"better", "worse", "not distinguishable"}
    assert set(users["Over"].dropna()) == {"users and seeds"}
    assert "over users alone)" not in text(at).replace("\\", "")
    assert "Too few seeds" not in text(at)


def test_numbers_are_of_the_chosen_split_metric_and_cutoff(visit, settings, tiny: DatasetInfo) -> None:
    at = visit("trade_off", a="auc_ns", split="validation", y="Recall", k="k = 5")
    assert not at.error
    users = table(at, "User group")
    assert "Recall@5" in users.columns
    variant = at.session_state["view"].a
    w = Warehouse.open(settings, own=False)
    stored = queries.variant_metrics(w, tiny.id, "validation", "validation", ["recall@5", "lift_niche@5"])
    stored = stored[stored["variant"] == variant].set_index("metric")["mean"]
    own = users[users["Setting"] == at.session_state["view"].label(variant)]
    mean = (own["Recall@5"] * own["Users"]).sum() / own["Users"].sum()
    assert mean == pytest.approx(stored["recall@5"], rel=1e-6)
    assert own["Lift"].iloc[0] / 100 == pytest.approx(stored["lift_niche@5"], rel=1e-6)
    assert "held out in validation" in text(at).replace("\\", "")


def test_the_baseline_itself_is_not_compared(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", a="rns")
    assert "is the baseline itself" in text(at)
    assert set(charts(at)) == {"recall_by_decile", "exposure"}  # what items get needs no comparison
    both = visit("trade_off", a="rns", b="auc_ns")
    assert "is the baseline itself" not in text(both)
    assert len(table(both, "User group")) == 6


def test_a_baseline_that_is_not_trained(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", a="auc_ns", baseline="lightgcn")
    assert not at.error
    assert "The baseline has no finished run here" in text(at)
    assert set(charts(at)) == {"recall_by_decile", "exposure"}


def test_a_damaged_file_is_named_and_the_page_goes_on(visit, settings, tiny: DatasetInfo) -> None:
    w = Warehouse.open(settings, own=False)
    every = queries.variants(w, tiny.id).set_index("method")
    (settings.runs / every.loc["dns", "first_run"] / "top_k.parquet").write_bytes(b"PAR1 no")
    at = visit("trade_off", a="dns")
    assert any("top_k.parquet" in str(error.value).replace("\\", "") for error in at.error)
    assert any("Setting" in t.value.columns or "label" in t.value.columns for t in at.dataframe)
