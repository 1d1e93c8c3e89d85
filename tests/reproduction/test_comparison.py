"""Our figures beside the published ones: means, spread, difference, both readings, verdicts, what hot is counted on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.datasets import store
from core.datasets.store import DatasetInfo
from core.evaluation import groups, popularity
from core.reproduction import comparison, plan
from core.reproduction.comparison import COUNTED_ON_ALL, figures, hot_by_count, side_by_side, state, verdicts
from core.reproduction.published import MEASURES, ML_100K
from core.settings import Settings
from core.warehouse.database import Warehouse
from tests.reproduction.worlds import close, popular_lists, write_plan

WHOLE = plan.make_plan(("mf", "lightgcn"))


@pytest.fixture
def warehouse(settings: Settings):
    opened = []

    def open_() -> Warehouse:
        opened.append(Warehouse.open(settings, own=False))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def one(found, **where):
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_without_a_run_every_row_is_there_and_missing(info: DatasetInfo, warehouse) -> None:
    found = figures(warehouse())
    tables = found[found["part"].isin(["mf", "lightgcn"])]
    assert len(tables) == 20 * 2 * 2 * 8  # rows, settings, readings, metrics
    assert set(tables["state"]) == {"missing", "sic"}
    assert set(found["seeds"]) == {0}
    assert found["mean"].isna().all()
    assert set(verdicts(found)["verdict"]) == {"missing", "sic"}


def test_means_spread_and_difference_over_the_seeds(info: DatasetInfo, settings: Settings, warehouse) -> None:
    write_plan(settings, info, WHOLE, close)
    found = figures(warehouse(), ("mf", "lightgcn"))
    row = one(found, part="mf", method="AUC-NS", settings="authors", reading="per-metric", metric="ndcg@10")
    assert row["published"] == 0.4295
    assert row["mean"] == pytest.approx((0.4295 + 0.4305 + 0.4315) / 3)
    assert row["seed_sd"] == pytest.approx(math.sqrt((0.001**2 + 0.001**2) / 2))
    assert row["difference"] == pytest.approx(0.001)
    assert (row["seeds"], row["state"]) == (3, "reached")
    honest = one(found, part="mf", method="AUC-NS", settings="authors", reading="epoch", metric="ndcg@10")
    assert honest["difference"] == pytest.approx(0.001 - 0.005)


def test_bias_of_the_honest_epoch_is_counted_on_train_and_test(
    info: DatasetInfo, settings: Settings, warehouse
) -> None:
    """Against a count by hand, user by user, from the lists that the run kept."""
    write_plan(settings, info, WHOLE)
    found = figures(warehouse(), ("mf", "lightgcn"))
    dataset = store.read_dataset(info.folder)
    everything = dataset.fitted("paper").merged(dataset.test)
    hot = groups.hot_items(everything.popularity())
    number = {item: n for n, item in enumerate(dataset.item_ids)}
    by_hand = {key: [] for key in COUNTED_ON_ALL}
    for user_id, items in popular_lists(info).items():
        wanted = set(dataset.test.row(int(np.flatnonzero(dataset.user_ids == user_id)[0])).tolist())
        shown = {number[item] for item in items}
        for name, group in (("h", {n for n in range(dataset.n_items) if hot[n]}),
                            ("c", {n for n in range(dataset.n_items) if not hot[n]})):  # fmt: skip
            over, under = shown & group - wanted, (wanted & group) - shown
            by_hand[f"o{name}r@10"].append(len(over) / max(len(shown & group), 1))
            by_hand[f"u{name}r@10"].append(len(under) / max(len(wanted & group), 1))
    for key, values in by_hand.items():
        row = one(found, part="lightgcn", method="DNS", settings="tuned", reading="epoch", metric=key)
        assert row["mean"] == pytest.approx(np.mean(values))
        assert (row["counted_on"], row["seeds"], row["seed_sd"]) == ("all", 3, 0.0)
        other = one(found, part="lightgcn", method="DNS", settings="tuned", reading="per-metric", metric=key)
        assert (other["counted_on"], other["mean"]) == ("train", pytest.approx(0.6))


def test_how_much_the_way_of_counting_matters(info: DatasetInfo, settings: Settings, warehouse) -> None:
    """The runs stored .5 for each: the largest distance of the new counts from that."""
    write_plan(settings, info, plan.make_plan(("mf",)))
    w = warehouse()
    found = figures(w, ("mf",))
    told = hot_by_count(w, ("mf",)).set_index("metric")["difference"]
    assert list(told.index) == list(COUNTED_ON_ALL)
    for key in COUNTED_ON_ALL:
        counted = found[(found["metric"] == key) & (found["reading"] == "epoch")]["mean"]
        assert told[key] == pytest.approx((counted - 0.5).abs().max())


@pytest.mark.parametrize(
    ("metric", "difference", "sic", "tolerance", "expected"),
    [
        ("ndcg@10", -0.0149, False, 0.015, "reached"),
        ("ndcg@10", -0.0151, False, 0.015, "below"),
        ("ndcg@10", -0.0151, False, 0.02, "reached"),
        ("ndcg@10", 0.3, False, 0.015, "reached"),
        ("ohr@10", 0.0149, False, 0.015, "near"),
        ("ohr@10", 0.0151, False, 0.015, "apart"),
        ("ohr@10", -0.0151, False, 0.015, "apart"),
        ("ndcg@10", 0.2, True, 0.015, "sic"),
        ("ndcg@10", math.nan, False, 0.015, "missing"),
        ("ndcg@10", math.nan, False, None, ""),
    ],
)
def test_the_state_of_a_figure(metric, difference, sic, tolerance, expected) -> None:
    assert state(metric, 0.4, difference, sic, tolerance) == expected
    assert expected in comparison.STATES
    assert state(metric, math.nan, difference, sic, tolerance) == ""


@pytest.mark.parametrize(
    ("authors", "tuned", "expected"),
    [
        ({"per-metric": 0.0, "epoch": -0.014}, {"per-metric": -0.1, "epoch": -0.1}, "reached"),
        ({"per-metric": 0.0, "epoch": -0.016}, {"per-metric": 0.1, "epoch": 0.1}, "tuned"),
        ({"per-metric": 0.0, "epoch": -0.016}, {"per-metric": -0.016, "epoch": 0.1}, "below"),
    ],
)
def test_a_row_is_reached_where_both_readings_are(
    authors, tuned, expected, info: DatasetInfo, settings: Settings, warehouse
) -> None:
    def around(line: plan.Line, reading: str, seed: int) -> float:
        return line.published.figures["ndcg@10"] + {"authors": authors, "tuned": tuned}[line.settings][reading]

    write_plan(settings, info, plan.make_plan(("mf",)), around)
    found = verdicts(figures(warehouse(), ("mf",))).set_index("method")["verdict"]
    assert found.pop("IPS-CN") == "sic"
    assert set(found) == {expected}
    assert list(found.index) == [r.method for r in ML_100K if r.encoder == "mf" and not r.sic]


def test_a_row_of_which_half_is_trained_is_missing_unless_it_is_reached(
    info: DatasetInfo, settings: Settings, warehouse
) -> None:
    write_plan(settings, info, plan.make_plan(("mf",)), leave_out={"PNS"})
    found = verdicts(figures(warehouse(), ("mf",))).set_index("method")["verdict"]
    assert found["PNS"] == "missing"
    assert found["RNS"] == "reached"


def test_a_table_has_both_settings_side_by_side(info: DatasetInfo, settings: Settings, warehouse) -> None:
    write_plan(settings, info, WHOLE, leave_out={"MACR"})
    found = figures(warehouse())
    table = side_by_side(found, "epoch", "ndcg@10")
    rows = [row.method for row in ML_100K]
    assert list(table["method"]) == [*rows, "two-sided", "OneBP"]  # Gowalla has other metrics
    auc_ns = one(table, part="mf", method="AUC-NS")
    assert auc_ns["authors"] == auc_ns["tuned"] == pytest.approx(0.4295 + 0.001 - 0.005)
    assert (auc_ns["authors_state"], auc_ns["tuned_seeds"]) == ("reached", 3)
    macr = one(table, part="lightgcn", method="MACR")
    assert (math.isnan(macr["authors"]), macr["authors_state"], macr["published"]) == (True, "missing", 0.4002)
    assert one(table, part="one_bp", method="OneBP")["authors_state"] == ""
    gowalla = side_by_side(found, "epoch", "recall@20")
    assert gowalla["authors_seeds"].isna().all()  # there are no authors' settings for these rows


def test_quick_runs_stand_by_themselves(info: DatasetInfo, settings: Settings, warehouse) -> None:
    write_plan(settings, info, plan.make_plan(("lightgcn",), quick=True))
    w = warehouse()
    assert set(figures(w, ("lightgcn",))["seeds"]) == {0}
    quick = figures(w, ("lightgcn",), True)
    assert set(quick["seeds"]) == {1}
    assert quick["seed_sd"].isna().all()
    assert set(quick["method"]) == {"RNS", "AUC-NS"}


def test_what_is_published_is_not_touched(info: DatasetInfo, settings: Settings, warehouse) -> None:
    write_plan(settings, info, WHOLE)
    found = figures(warehouse(), ("mf", "lightgcn"))
    for row in ML_100K:
        rows = found[(found["part"] == row.encoder) & (found["method"] == row.method)]
        for metric in MEASURES:
            assert set(rows.loc[rows["metric"] == metric, "published"]) == {row.figures[metric]}


def test_hot_items_differ_by_what_they_are_counted_on(info: DatasetInfo) -> None:
    """Else none of this would matter, and the test above could not fail."""
    dataset = store.read_dataset(info.folder)
    fitted = dataset.fitted("paper")
    hot = [groups.hot_items(each.popularity()) for each in (fitted, fitted.merged(dataset.test))]
    assert (hot[0] != hot[1]).any()
    assert popularity.gini(fitted.popularity()) > 0
