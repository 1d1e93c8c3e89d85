"""The Compare page: what it compares, that it says what the command says, and every way of having nothing to say."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from core.cli.main import main
from core.datasets.store import DatasetInfo
from core.evaluation.metrics import METRICS, key_title
from core.settings import Settings
from core.warehouse import queries
from core.warehouse.database import Warehouse
from pages.shared import words
from tests.pages import results
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset

CHARTS = {
    "learning_of_both", "accuracy_by_group", "lift_by_group", "exposure", "lorenz_of_both",
}  # fmt: skip
AUC = "AUC-NS β 0.05, dim 8, epochs 6"


def said(at) -> str:
    return text(at).replace("\\", "")


def names(at) -> set[str]:
    return {json.loads(chart.proto.spec).get("name") for chart in at.get("vega_lite_chart")}


def table(at, column: str) -> pd.DataFrame:
    return next(table.value for table in at.dataframe if column in table.value.columns)


@pytest.fixture
def three_seeds(settings: Settings) -> DatasetInfo:
    """The tiny data set with three seeds of every setting, so that there are verdicts."""
    info = tiny_dataset(settings)
    results.train(settings, info, replace(results.SHORT, seeds=(0, 1, 2)))
    return info


def test_the_page_and_the_command_give_the_same_figures(visit, three_seeds, settings, monkeypatch, capsys) -> None:
    at = visit("compare", a="rns", b=AUC, split="test")
    assert not at.error
    here = at.session_state["view"]
    shown = table(at, "Verdict").set_index("Metric")
    keys = {title: key for key in _keys() if (title := key_title(key)) in shown.index}
    monkeypatch.setenv("LONGTAIL_CACHE", str(settings.cache))
    assert main(["compare", here.a, here.b, "--split", "test", "--json", "--metric", *keys.values()]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document) == len(METRICS)
    for title, key in keys.items():
        row, own = document[key], shown.loc[title]
        assert own["Verdict"] == row["verdict"]
        assert own["Better"] == METRICS[key.partition("@")[0]].better
        for column, value in (
            ("A", row["first"]["mean"]), ("B", row["second"]["mean"]), ("B − A", row["difference"]), ("p", row["p"]),
        ):  # fmt: skip
            assert (None if pd.isna(own[column]) else own[column]) == pytest.approx(value), (key, column)
        interval = row["low"] and f"{words.number(row['low'])} to {words.number(row['high'])}"
        assert (None if pd.isna(own["95 % interval"]) else own["95 % interval"]) == interval


def _keys() -> list[str]:
    return [f"{name}@10" if row.at_k else name for name, row in METRICS.items()]


def test_everything_is_there(visit, three_seeds) -> None:
    at = visit("compare", a="rns", b=AUC, split="test")
    assert names(at) >= CHARTS
    assert "[A] **RNS" in said(at)
    assert "not pinned" not in said(at)
    assert "settings differ." in said(at)
    settings_table = table(at, "Default")
    assert set(settings_table["Setting"]) >= {"sampler", "beta"}
    assert (settings_table["A"] != settings_table["B"]).all()
    [copied, command] = [block.value for block in at.code]
    assert (
        copied.startswith("B ") and "A is RNS" in copied and "test split, chosen on validation, 3 seeds each" in copied
    )
    assert command.startswith("python -m core compare ")
    assert "against RNS, dim 8, epochs 6" in said(at)
    assert "hold after correction for all" in said(at)


def test_all_settings_and_the_other_choices_come_with_the_link(visit, three_seeds) -> None:
    at = visit(
        "compare", a="rns", b=AUC, all_settings="true", metric_kind="Accuracy", curve="Train loss", movers="25 rows"
    )
    assert not at.error
    settings_table = table(at, "Default")
    assert set(settings_table["Setting"]) >= {"encoder", "dim", "sampler", "beta"}
    assert settings_table.set_index("Setting").loc["dim", ["A", "B"]].tolist() == ["8", "8"]
    assert set(table(at, "Verdict")["Better"]) == {"higher"}
    assert "Losses of different methods are on scales of their own" in said(at)
    longest = max(len(t.value) for t in at.dataframe if "Popularity" in t.value.columns or "Percentile" in t.value)
    assert 10 < longest <= 25


def test_a_path_from_its_beginning_differs_in_one_setting(visit, tiny) -> None:
    at = visit("compare", a="dns", b=AUC)
    assert "One setting differs: beta (sampling prior strength; 0 is DNS) is 0 in A and 0.05 in B." in said(at)
    assert table(at, "Default")["Setting"].tolist() == ["beta"]


def test_without_pins_it_says_so_and_pins_what_is_shown(visit, tiny) -> None:
    at = visit("compare")
    assert "Nothing is pinned" in said(at)
    assert said(at).count("not pinned]]") == 2
    next(button for button in at.button if button.label == "Pin both").click().run()
    assert not at.exception
    here = at.session_state["view"]
    assert here.label(here.a).startswith("RNS")
    assert here.label(here.b).startswith("AUC-NS β 0.2")
    assert "not pinned" not in said(at)


def test_a_single_pin_stays_on_its_side(visit, tiny) -> None:
    at = visit("compare", b=AUC)
    assert "A is not pinned" in said(at)
    assert "[B] **AUC-NS β 0.05" in said(at)
    assert "[A] **RNS" in said(at)


@pytest.mark.parametrize("page", ["compare", "users"])
def test_a_pin_that_names_nothing_is_said_alike_on_both_pages(visit, tiny, page: str) -> None:
    at = visit(page, a="no such", b=AUC)
    assert (
        "Nothing finished here is called no such. A is not pinned: the baseline stands in, or another setting where "
        "that cannot." in said(at)
    )
    assert "Nothing finished here" not in said(visit(page, a="rns", b=AUC))


def test_swap_turns_every_sign(visit, tiny) -> None:
    at = visit("compare", a="rns", b=AUC, split="test")
    before = table(at, "Verdict").set_index("Metric")["B − A"]
    gained = table(at, "Percentile")
    next(button for button in at.button if button.label == "Swap").click().run()
    assert not at.exception
    assert "[A] **AUC-NS β 0.05" in said(at)
    after = table(at, "Verdict").set_index("Metric")["B − A"]
    pd.testing.assert_series_equal(after, -before, check_exact=False)
    assert table(at, "Percentile")["Title"].tolist() != gained["Title"].tolist()


def test_items_gain_and_lose_in_order_and_the_numbers_are_shares(visit, tiny) -> None:
    at = visit("compare", a="rns", b=AUC, split="test")
    gain, lose = (t.value for t in at.dataframe if "Percentile" in t.value.columns)
    assert gain["Change"].is_monotonic_decreasing and (gain["Change"] > 0).all()
    assert lose["Change"].is_monotonic_increasing and (lose["Change"] < 0).all()
    for moved in (gain, lose):
        assert ((moved["B"] - moved["A"]) * 100).tolist() == pytest.approx(moved["Change"].tolist())
        assert moved["Title"].str.startswith("Title ").all()
        assert moved["Percentile"].between(0, 100).all()


def test_too_few_seeds_are_an_answer(visit, tiny) -> None:
    at = visit("compare", a="rns", b=AUC, split="test")
    assert set(table(at, "Verdict")["Verdict"]) == {"not enough seeds", "no interval"}
    assert "Not enough seeds for a verdict, which needs 3 of each: A has 2 and B has 2" in said(at)
    assert "A verdict needs 3 seeds of each" in said(at)


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_baseline_on_either_side(visit, tiny, side) -> None:
    other = "b" if side == "a" else "a"
    at = visit("compare", split="test", **{side: "most_popular", other: "rns"})
    assert not at.error
    assert f"{side.upper()} (Most popular) is a reference" in said(at)
    assert f"{side.upper()}: Most popular: nothing is learned over epochs" in said(at)
    assert names(at) >= CHARTS
    assert "With one run of a setting" in said(at)


@pytest.mark.parametrize("side", ["a", "b"])
def test_added_lists_on_either_side(visit, shop, side) -> None:
    other = "b" if side == "a" else "a"
    at = visit("compare", split="test", **{side: "Shop", other: "rns"})
    assert not at.error
    assert "added, not trained here" in said(at)
    assert "(lists added from shop.csv) is a reference" in said(at)
    verdicts = table(at, "Verdict").set_index("Metric")["Verdict"]
    assert verdicts["AUC"] == f"{side.upper()} has no value"
    auc = visit("compare", split="test", y="AUC", **{side: "Shop", other: "rns"})
    assert "There is no AUC of both" in said(auc)
    assert not auc.error


@pytest.mark.parametrize("where", [{"split": "validation"}, {"split": "test", "k": "k = 20"}])
def test_added_lists_where_they_have_no_values(visit, shop, where) -> None:
    at = visit("compare", a="Shop", b="rns", **where)
    assert not at.error
    assert "**Shop** has no values here" in said(at)
    assert "lorenz_of_both" not in names(at)


def test_one_setting_against_itself(visit, tiny) -> None:
    at = visit("compare", a="rns", b="rns")
    assert "A and B are one setting, RNS" in said(at)
    assert not at.get("vega_lite_chart")


def test_one_setting_is_not_enough(visit, settings: Settings) -> None:
    results.train(settings, tiny_dataset(settings), replace(results.SHORT, grids=(), seeds=(0,)))
    assert "two trained settings" in said(visit("compare"))


def test_a_baseline_that_is_not_trained_leaves_another_to_compare_with(visit, tiny) -> None:
    at = visit("compare", baseline="lightgcn")
    assert "[B] **AUC-NS β 0.2" in said(at)
    assert "Swap" in {button.label for button in at.button}


def test_another_protocol_is_told(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    results.train(settings, info, replace(results.SHORT, protocol="paper", seeds=(0,)))
    at = visit("compare", protocol="paper", a="rns", b="dns")
    assert not at.error
    assert "chosen on test" in said(at)
    assert "optimistic" in at.code[0].value
    assert any("Data, train and validation, Gini" in chart.proto.spec for chart in at.get("vega_lite_chart"))


def test_a_damaged_file_is_named_and_the_rest_stands(visit, settings: Settings, tiny) -> None:
    w = Warehouse.open(settings, own=False)
    every = queries.variants(w, tiny.id).set_index("method")
    (settings.runs / every.loc["dns", "first_run"] / "top_k.parquet").write_bytes(b"PAR1 no")
    at = visit("compare", a="rns", b="dns", split="test")
    assert any("top_k.parquet" in str(error.value).replace("\\", "") for error in at.error)
    assert "learning_of_both" in names(at)
