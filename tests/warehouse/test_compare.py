"""A against B: the metrics as the command has them, and by hand which items are shown, on five users.

      i0  i1  i2  i3  i4        train counts: i0 4, i1 3, i2 1, i3 1, i4 0 (tests/warehouse/hand.py)
a      +   +   +   t            held out in test: a, b, c, d; so four users are evaluated
b      +   +       v   t
c      +   +   t
d      +       t   +
e      v
"""

import numpy as np
import pandas as pd
import pytest

from core.errors import DamagedArtifact, Refused, Unknown
from core.evaluation.metrics import METRICS
from core.models.sweep import Sweep
from core.models.variant import make_variant
from core.uncertainty.verdict import holm
from core.warehouse import queries
from core.warehouse.compare import ITEM_COLUMNS, METRIC_COLUMNS, metrics, shown
from core.warehouse.database import Warehouse
from core.warehouse.who_pays import by_decile
from tests.pages import results
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset


@pytest.fixture
def here(settings):
    """A with two seeds, B with two; a replicate of A that counts nowhere. Their ids."""
    dataset = hand_dataset(settings).id
    first, second = make_variant(dataset, sampler="rns"), make_variant(dataset, sampler="dns")
    lists = {"a": ["i4", "i3"], "b": ["i4", "i2"], "c": ["i4"], "d": ["i1"]}
    write_run(settings, first, 0, lists={"test": lists})
    lists = {"a": ["i4", "i3"], "b": ["i4", "i2"], "c": ["i4"], "d": ["i4"]}
    write_run(settings, first, 1, lists={"test": lists, "validation": {"b": ["i0"]}})
    lists = {"a": ["i3"], "b": ["i3", "i2"], "c": ["i3"], "d": ["i2", "i1", "i4", "i3", "i0", "i4"]}
    write_run(settings, second, 0, lists={"test": lists})
    write_run(settings, second, 1, lists={"test": lists})
    write_run(settings, first, 0, bootstrap=1, lists={"test": {user: ["i0"] for user in "abcd"}})
    return Warehouse.open(settings, own=False), first.id, second.id


def test_items_by_hand(here):
    w, first, second = here
    items = shown(w, first, second, 5).items.set_index("item_id")
    assert ["item_id", *items.columns] == list(ITEM_COLUMNS)
    assert items["first"].to_dict() == pytest.approx(
        {"i0": 0, "i1": (1 + 0) / 2 / 4, "i2": 1 / 4, "i3": 1 / 4, "i4": (3 + 4) / 2 / 4}
    )
    # the sixth place of d's list is beyond the length asked for
    assert items["second"].to_dict() == pytest.approx({"i0": 1 / 4, "i1": 1 / 4, "i2": 2 / 4, "i3": 4 / 4, "i4": 1 / 4})
    assert items["change"].tolist() == pytest.approx((items["second"] - items["first"]).tolist())
    # i0: 0, 0 against 1, 1; i1: 1, 0 against 1, 1; i2: 1, 1 against 2, 2; i3: 1, 1 against 4, 4; i4: 3, 4 against 1, 1
    assert items["in_all_seeds"].tolist() == [True, False, True, True, True]
    assert items["count"].tolist() == [4, 3, 1, 1, 0]
    assert items["percentile"].tolist() == [4 / 5, 3 / 5, 1 / 5, 1 / 5, 0]
    assert items["popularity"].tolist() == [4 / 5, 3 / 5, 1 / 5, 1 / 5, 0]
    assert items.loc["i1", "title"] == "Fargo"
    assert pd.isna(items.loc["i2", "title"])


def test_a_shorter_list_and_the_other_split(here):
    w, first, second = here
    assert shown(w, second, first, 5).items["change"].tolist() == pytest.approx(
        (-shown(w, first, second, 5).items["change"]).tolist()
    )
    items = shown(w, first, second, 5, "validation").items.set_index("item_id")
    assert items["first"].to_dict() == {"i0": (0 + 1) / 2 / 2, "i1": 0, "i2": 0, "i3": 0, "i4": 0}  # b and e hold out
    assert items["second"].sum() == 0


def test_lorenz_by_hand(here):
    w, first, second = here
    curves = shown(w, first, second, 5).lorenz
    of = {name: rows.set_index("item_share")["share"] for name, rows in curves.groupby("series")}
    at = [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert of["data"].loc[at].tolist() == pytest.approx([0, 0, 1 / 9, 2 / 9, 5 / 9, 1])  # 0 1 1 3 4
    # counts of A's runs: 0 1 1 1 3, and 0 0 1 1 4; each run is sorted by itself
    means = [(x / 6 + y / 6) / 2 for x, y in zip([0, 0, 1, 2, 3, 6], [0, 0, 0, 1, 2, 6], strict=True)]
    assert of["first"].loc[at].tolist() == pytest.approx(means)
    assert of["second"].loc[at].tolist() == pytest.approx([x / 9 for x in (0, 1, 2, 3, 5, 9)])  # 1 1 1 2 4
    gini = curves.drop_duplicates("series").set_index("series")["gini"]
    assert gini["data"] == pytest.approx(
        sum(w * c for w, c in zip([-4, -2, 0, 2, 4], [0, 1, 1, 3, 4], strict=True)) / 45
    )
    runs = [[0, 1, 1, 1, 3], [0, 0, 1, 1, 4]]
    each = [sum(w * c for w, c in zip([-4, -2, 0, 2, 4], counts, strict=True)) / (5 * 6) for counts in runs]
    assert gini["first"] == pytest.approx(sum(each) / 2)


def test_nothing_shown_is_the_diagonal(here):
    w, first, second = here
    curve = shown(w, first, second, 5, "validation").lorenz
    none = curve[curve["series"] == "second"]
    assert none["share"].tolist() == none["item_share"].tolist()
    assert set(none["gini"]) == {0}


def test_one_run_cannot_say_whether_all_seeds_agree(settings, here):
    w, first, _ = here
    one = make_variant(queries.datasets(w)["dataset"].iloc[0], baseline="most_popular")
    write_run(settings, one, 0, lists={"test": {user: ["i0"] for user in "abcd"}})
    w.refresh()
    assert shown(w, first, one.id, 5).items["in_all_seeds"].isna().all()


@pytest.mark.parametrize("split", ["validation", "test"])
def test_trained_runs_agree_with_what_they_measured(settings, split):
    info = tiny_dataset(settings)
    results.train(settings, info, Sweep(results.SHORT.grids, results.SHORT.baselines, (0, 1, 2)))
    w = Warehouse.open(settings, own=False)
    ids = queries.variants(w, info.id).set_index("method")["variant"]
    first, second = ids["rns"], ids["auc_ns"].iloc[-1]
    found = metrics(w, first, second, 10, split)
    assert tuple(found) == METRIC_COLUMNS
    stored = queries.variant_metrics(w, info.id, split, "validation").set_index(["variant", "metric"])["mean"]
    for row in found.itertuples():
        assert row.first == pytest.approx(stored[first, row.metric])
        assert row.second - row.first == pytest.approx(row.difference)
    assert [key.partition("@")[0] for key in found["metric"]] == list(METRICS)
    np.testing.assert_allclose(found["p_all"], holm(found["p"].to_numpy()))
    known = found[found["relative"].notna() & found["low"].notna()]
    np.testing.assert_allclose(known["relative_low"], known["low"] / known["first"])
    assert found.set_index("metric").loc["pri", "verdict"] == "no interval"
    exposure = shown(w, first, second, 10, split)
    gini = exposure.lorenz.drop_duplicates("series").set_index("series")["gini"]
    assert gini["first"] == pytest.approx(stored[first, "gini@10"])  # Gini is that of the table
    assert gini["second"] == pytest.approx(stored[second, "gini@10"])
    lists = exposure.items.groupby("decile")[["first", "second"]].sum()
    deciles = by_decile(w, [first, second], 10, split)
    for name, variant in (("first", first), ("second", second)):
        shares = deciles[deciles["variant"] == variant].set_index("decile")["share"]
        np.testing.assert_allclose(lists[name] / lists[name].sum(), shares.loc[lists.index], atol=1e-12)
    drawn = exposure.lorenz[exposure.lorenz["series"] == "second"]
    assert drawn["share"].is_monotonic_increasing
    area = float(np.trapezoid(drawn["share"], drawn["item_share"]))
    assert 1 - 2 * area == pytest.approx(gini["second"])  # 80 items: every corner of the curve is drawn


def test_a_share_of_nothing_is_none(settings):
    dataset = tiny_dataset(settings).id
    first, second = make_variant(dataset, sampler="rns"), make_variant(dataset, sampler="dns")
    for variant, value in ((first, 0.0), (second, 0.2)):
        users = {f"u{n:02d}": {"aplt@10": value} for n in range(60)}
        write_run(settings, variant, 0, {"test": {"aplt@10": value}}, per_user={"test": users})
    found = metrics(Warehouse.open(settings, own=False), first.id, second.id, 10).set_index("metric")
    row = found.loc["aplt@10"]
    assert (row["first"], row["second"], row["verdict"]) == (0, 0.2, "not enough seeds")
    assert np.isnan([row["relative"], row["low"], row["p"], row["p_all"]]).all()


def test_what_only_one_was_measured_with(settings):
    dataset = tiny_dataset(settings).id
    first, second = make_variant(dataset, sampler="rns"), make_variant(dataset, sampler="dns")
    for seed in range(3):
        for variant, names in ((first, ("ndcg@10", "mrr@10")), (second, ("ndcg@10",))):
            users = {f"u{n:02d}": dict.fromkeys(names, 0.1 + 0.001 * n * (seed + 1)) for n in range(60)}
            means = {name: float(np.mean([u[name] for u in users.values()])) for name in names}
            write_run(settings, variant, seed, {"test": means}, per_user={"test": users})
    found = metrics(Warehouse.open(settings, own=False), first.id, second.id, 10).set_index("metric")
    assert list(found.index) == ["ndcg@10", "mrr@10"]
    assert found.loc["ndcg@10", "verdict"] == "not distinguishable"
    assert found.loc["mrr@10", "verdict"] == "no interval"
    assert np.isnan(found.loc["mrr@10", ["second", "difference", "p"]].astype(float)).all()


def test_what_cannot_be_compared_is_refused(settings, here):
    w, first, second = here
    for ask in (metrics, shown):
        with pytest.raises(Refused, match="cannot be compared with itself"):
            ask(w, first, first, 5)
        with pytest.raises(Unknown, match="no cutoff '7'"):
            ask(w, first, second, 7)
        with pytest.raises(Unknown, match="no variant 'nobody'"):
            ask(w, first, "nobody", 5)
    run = queries.variants(w, queries.datasets(w)["dataset"].iloc[0]).set_index("variant").loc[first, "first_run"]
    (settings.runs / run / "top_k.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DamagedArtifact, match=run):
        shown(w, first, second, 5)
