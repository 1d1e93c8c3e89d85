"""Questions about runs, variants and the trade-off: by hand, and against numpy."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import Unknown
from core.models.variant import make_variant
from core.warehouse import queries
from core.warehouse.database import Warehouse
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import curve, write_run

AXES = ("test", "validation", "aplt@10", "ndcg@10")


def values(x, y):
    return {"test": {"aplt@10": x, "ndcg@10": y}, "validation": {"aplt@10": x / 2, "ndcg@10": y / 2}}


@pytest.fixture
def dataset(settings):
    return tiny_dataset(settings).id


def test_a_variant_is_one_row_with_the_spread_of_its_seeds(settings, dataset):
    rns = make_variant(dataset, sampler="rns")
    for seed, (x, y) in enumerate([(0.1, 0.30), (0.2, 0.36), (0.6, 0.33)]):
        write_run(settings, rns, seed, values(x, y))
    w = Warehouse.open(settings, own=False)
    row = queries.trade_off(w, dataset, *AXES).iloc[0]
    assert (row["variant"], row["label"], row["method"], row["method_label"]) == (rns.id, "RNS", "rns", "RNS")
    assert (row["seeds"], row["also_on"], row["baseline"], row["order"]) == (3, False, False, 0)
    assert (row["x"], row["y"]) == pytest.approx(((0.1 + 0.2 + 0.6) / 3, 0.33))
    assert (row["x_low"], row["x_high"], row["y_low"], row["y_high"]) == (0.1, 0.6, 0.30, 0.36)
    assert (row["x_sd"], row["y_sd"]) == pytest.approx((np.std([0.1, 0.2, 0.6], ddof=1), 0.03))
    seeds = queries.trade_off_seeds(w, dataset, *AXES)
    assert list(seeds["seed"]) == [0, 1, 2]
    assert list(seeds["x"]) == [0.1, 0.2, 0.6]


def test_means_are_summed_in_the_order_of_the_seeds(settings, dataset):
    # to the last digit, which a report's bytes hold: in any other order nearly every one of these comes out different
    drawn = np.random.default_rng(5).uniform(0, 1, (12, 9, 2))
    variants = curve(dataset, [n / 20 for n in range(1, 13)])
    for variant, points in zip(variants, drawn.tolist(), strict=True):
        for seed in reversed(range(len(points))):
            write_run(settings, variant, seed, values(*points[seed]))
    found = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES)
    assert found["variant"].tolist() == [variant.id for variant in variants]
    assert found["x"].tolist() == [sum(x for x, _ in points) / 9 for points in drawn.tolist()]
    assert found["y"].tolist() == [sum(y for _, y in points) / 9 for points in drawn.tolist()]


def test_one_seed_has_no_spread(settings, dataset):
    write_run(settings, make_variant(dataset, sampler="rns"), metrics=values(0.1, 0.3))
    row = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES).iloc[0]
    assert np.isnan(row["x_sd"])
    assert row["x_low"] == row["x_high"] == 0.1


def test_the_split_and_the_protocol_are_asked_for(settings, dataset):
    write_run(settings, make_variant(dataset, sampler="rns"), metrics=values(0.1, 0.3))
    write_run(settings, make_variant(dataset, "paper", sampler="rns"), metrics=values(0.7, 0.5))
    w = Warehouse.open(settings, own=False)
    assert queries.trade_off(w, dataset, *AXES)["x"].tolist() == [0.1]
    assert queries.trade_off(w, dataset, "validation", *AXES[1:])["x"].tolist() == [0.05]
    assert queries.trade_off(w, dataset, "test", "paper", *AXES[2:])["x"].tolist() == [0.7]
    assert queries.trade_off(w, "another", *AXES).empty
    with pytest.raises(Unknown):
        queries.trade_off(w, dataset, "test", "validation", "aplt@10", "nothing@10")


def test_a_path_goes_from_its_off_end_by_strength(settings, dataset):
    dns, weak, strong = curve(dataset, (0, 0.05, 0.2))
    for variant, x in ((strong, 0.3), (dns, 0.1), (weak, 0.2)):
        write_run(settings, variant, metrics=values(x, 0.4))
    points = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES)
    marks = points[~points["also_on"]]
    assert sorted(marks["variant"]) == sorted([dns.id, weak.id, strong.id])  # each once as a mark
    assert marks.set_index("variant").loc[dns.id, ["method", "path"]].tolist() == ["dns", dns.path()]
    path = points[points["path"] == weak.path()]
    assert path["variant"].tolist() == [dns.id, weak.id, strong.id]
    assert path["strength"].tolist() == [0, 0.05, 0.2]
    assert path["order"].tolist() == [0, 1, 2]
    assert path["method"].unique().tolist() == ["auc_ns"]
    assert path["also_on"].tolist() == [True, False, False]
    assert path["x"].tolist() == [0.1, 0.2, 0.3]
    assert strong.at_off() == dns


def test_dns_is_the_off_end_of_every_path_that_it_equals(settings, dataset):
    """gamma does not matter at beta 0, so DNS begins the paths of both gammas; of another dimension it does not."""
    dns = make_variant(dataset, sampler="dns")
    paths = [make_variant(dataset, sampler="auc_ns", beta=0.1, gamma=gamma) for gamma in (0.006, 0.05)]
    other = make_variant(dataset, sampler="auc_ns", beta=0.1, dim=16)
    for variant in (dns, *paths, other):
        write_run(settings, variant, metrics=values(0.1, 0.4))
    points = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES)
    assert sorted(points[points["also_on"]]["path"]) == sorted(v.path() for v in paths)
    assert points["order"].groupby(points["path"]).max()[other.path()] == 0


def test_dns_alone_is_on_no_other_path(settings, dataset):
    write_run(settings, make_variant(dataset, sampler="dns"), metrics=values(0.1, 0.4))
    points = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES)
    assert points["also_on"].tolist() == [False]


def test_one_bp_is_a_method_of_its_own(settings, dataset):
    for variant in curve(dataset, (0, 0.05), updater="one_bp"):
        write_run(settings, variant, metrics=values(0.1, 0.4))
    points = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES)
    assert set(points["method"]) == {"one_bp+dns", "one_bp+auc_ns"}
    assert set(points["method_label"]) == {"OneBP + DNS", "OneBP + AUC-NS"}


def test_bootstrap_replicates_are_no_seeds(settings, dataset):
    rns = make_variant(dataset, sampler="rns")
    write_run(settings, rns, metrics=values(0.1, 0.4))
    write_run(settings, rns, metrics=values(0.9, 0.9), bootstrap=3)
    w = Warehouse.open(settings, own=False)
    assert queries.trade_off(w, dataset, *AXES)["x"].tolist() == [0.1]
    assert queries.variants(w, dataset)["seeds"].tolist() == [1]
    assert len(queries.runs(w, dataset)) == 2


def test_the_per_metric_reading_is_asked_for_by_name(settings, dataset):
    variant = make_variant(dataset, "paper", sampler="rns")
    write_run(settings, variant, metrics=values(0.1, 0.40), per_metric=values(0.1, 0.44))
    w = Warehouse.open(settings, own=False)
    asked = ("test", "paper", "aplt@10", "ndcg@10")
    assert queries.trade_off(w, dataset, *asked)["y"].tolist() == [0.40]
    assert queries.trade_off(w, dataset, *asked, "per-metric")["y"].tolist() == [0.44]
    found = queries.metrics_of(w, variant.id)
    assert set(found["reading"]) == {"epoch", "per-metric"}


seeds_of_a_variant = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5)


@given(st.lists(seeds_of_a_variant, min_size=1, max_size=4))
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_means_equal_numpys(settings, tmp_path_factory, found):
    """For any values, the points are numpy's means, smallest and largest over the seeds."""
    here = type(settings)(cache=tmp_path_factory.mktemp("cache"))
    variants = [make_variant("d" * 16, sampler="auc_ns", beta=0.01 * (n + 1)) for n in range(len(found))]
    for variant, seeds in zip(variants, found, strict=True):
        for seed, (x, y) in enumerate(seeds):
            write_run(here, variant, seed, values(x, y))
    points = queries.trade_off(Warehouse.open(here, own=False), "d" * 16, *AXES).set_index("variant")
    for variant, seeds in zip(variants, found, strict=True):
        x, y = np.array(seeds).T
        row = points.loc[variant.id]
        np.testing.assert_allclose([row["x"], row["y"]], [x.mean(), y.mean()], rtol=1e-12, atol=1e-15)
        assert (row["x_low"], row["x_high"], row["y_low"], row["y_high"]) == (x.min(), x.max(), y.min(), y.max())


def test_variant_metrics_and_metrics_of(settings, dataset):
    rns = make_variant(dataset, sampler="rns")
    for seed, y in enumerate((0.3, 0.5)):
        write_run(settings, rns, seed, values(0.1, y))
    w = Warehouse.open(settings, own=False)
    row = queries.variant_metrics(w, dataset, "test", "validation", ["ndcg@10"]).iloc[0]
    assert (row["metric"], row["seeds"], row["mean"], row["low"], row["high"]) == ("ndcg@10", 2, 0.4, 0.3, 0.5)
    assert row["seed_sd"] == pytest.approx(np.std([0.3, 0.5], ddof=1))
    every = queries.variant_metrics(w, dataset, "test", "validation")
    assert every["metric"].tolist() == ["aplt@10", "ndcg@10"]
    both = queries.metrics_of(w, rns.id)
    assert list(zip(both["split"], both["metric"], strict=True)) == [
        ("test", "aplt@10"), ("test", "ndcg@10"), ("validation", "aplt@10"), ("validation", "ndcg@10"),
    ]  # fmt: skip
    assert both["mean"].tolist() == [0.1, 0.4, 0.05, 0.2]
    single = queries.metrics_of_runs(w, dataset, "test")
    assert single[single["metric"] == "ndcg@10"]["value"].sum() == pytest.approx(0.8)


def test_a_metric_that_is_not_defined_has_no_row(settings, dataset):
    write_run(
        settings, make_variant(dataset, sampler="rns"), metrics={"test": {"ndcg@10": 0.4, "novelty@10": float("nan")}}
    )
    w = Warehouse.open(settings, own=False)
    assert not w.problems
    assert queries.variant_metrics(w, dataset, "test", "validation")["metric"].tolist() == ["ndcg@10"]


def test_runs_and_variants(settings, dataset):
    rns = make_variant(dataset, sampler="rns")
    popular = make_variant(dataset, baseline="most_popular")
    ids = [write_run(settings, rns, seed, epoch=10 * (seed + 1)) for seed in (1, 0)]
    write_run(settings, popular)
    w = Warehouse.open(settings, own=False)
    found = queries.runs(w, dataset)
    assert found["label"].tolist() == ["Most popular", "RNS", "RNS"]
    assert found["run"].tolist()[1:] == ids[::-1]
    assert json.loads(found["fields"].iloc[1]) == rns.used()
    variants = queries.variants(w, dataset).set_index("label")
    assert variants.index.tolist() == ["Most popular", "RNS"]
    assert list(variants.loc["RNS", "runs"]) == ids[::-1]
    assert variants.loc["RNS", "first_run"] == ids[1]
    assert variants.loc["RNS", "epoch"] == 15


def test_history(settings, dataset):
    run = write_run(
        settings,
        make_variant(dataset, sampler="rns"),
        history=[(1, 0.1, 0.6, None), (2, 0.2, 0.5, 0.3), (3, 0.3, float("nan"), float("nan"))],
        epoch=2,
    )
    w = Warehouse.open(settings, own=False)
    assert not w.problems
    found = queries.history(w, [run])
    assert found["epoch"].tolist() == [1, 2, 3]
    assert found["chosen"].tolist() == [False, True, False]
    assert found["metric"].isna().tolist() == [True, False, True]
    assert found["loss"].isna().tolist() == [False, False, True]
    assert set(found["protocol"]) == {"validation"}


def test_a_baseline_may_have_no_history(settings, dataset):
    run = write_run(settings, make_variant(dataset, baseline="most_popular"), history=[], epoch=0)
    w = Warehouse.open(settings, own=False)
    assert not w.problems
    assert queries.history(w, [run]).empty


def test_exposure(settings, dataset):
    a, b = make_variant(dataset, sampler="rns"), make_variant(dataset, sampler="dns")
    for variant, top in ((a, 0.9), (b, 0.5)):
        for seed in (0, 1):
            shares = {f"exposure_d{d}@10": 0.0 for d in range(1, 10)} | {"exposure_d10@10": top + 0.02 * seed}
            write_run(settings, variant, seed, {"test": shares})
    w = Warehouse.open(settings, own=False)
    found = queries.exposure(w, dataset, "test", "validation", [b.id, a.id])
    assert found["variant"].tolist() == [b.id] * 10 + [a.id] * 10  # in the order asked for
    assert found["decile"].tolist() == [*range(1, 11)] * 2
    last = found.iloc[9]
    assert (last["share"], last["low"], last["high"], last["seeds"]) == pytest.approx((0.51, 0.5, 0.52, 2))
    deciles = queries.decile_shares(w, dataset).set_index("decile")
    assert last["train_share"] == deciles.loc[10, "train_share"]
    assert queries.exposure(w, dataset, "test", "validation", []).empty


def test_frames_are_pandas_with_plain_types(settings, dataset):
    write_run(settings, make_variant(dataset, sampler="rns"), metrics=values(0.1, 0.3))
    points = queries.trade_off(Warehouse.open(settings, own=False), dataset, *AXES)
    assert pd.api.types.is_bool_dtype(points["baseline"])
    assert pd.api.types.is_float_dtype(points["strength"])
