"""Questions about data sets: counted by hand, and against numpy and pandas."""

import numpy as np
import pandas as pd
import pytest

from core.datasets import store
from core.errors import Unknown
from core.evaluation import groups
from core.evaluation.popularity import gini
from core.warehouse import queries
from core.warehouse.database import Warehouse
from tests.tiny import tiny_dataset
from tests.warehouse.hand import TRAIN_COUNTS, hand_dataset


@pytest.fixture
def hand(settings):
    info = hand_dataset(settings)
    return Warehouse.open(settings, own=False), info.id


@pytest.fixture
def tiny(settings):
    info = tiny_dataset(settings)
    return Warehouse.open(settings, own=False), info


def test_datasets(hand):
    w, dataset = hand
    row = queries.datasets(w).iloc[0]
    assert (row["dataset"], row["name"], row["title"]) == (dataset, "hand", "By hand")
    assert (row["users"], row["items"], row["interactions"]) == (5, 5, 15)
    assert (row["train"], row["validation"], row["test"]) == (3 + 2 + 2 + 2, 2, 4)
    assert row["density"] == pytest.approx(15 / (5 * 5))
    # sorted 0 1 1 3 4, weights 2 j - 6
    assert row["gini"] == pytest.approx((-4 * 0 - 2 * 1 + 0 * 1 + 2 * 3 + 4 * 4) / (5 * 9))
    assert list(row["notes"]) == []


def test_item_popularity(hand):
    w, dataset = hand
    items = queries.item_popularity(w, dataset)
    assert list(items["item_id"]) == ["i0", "i1", "i2", "i3", "i4"]  # i2 before i3: equal counts, lower number
    assert list(items["count"]) == TRAIN_COUNTS
    assert list(items["share"]) == [4 / 5, 3 / 5, 1 / 5, 1 / 5, 0]
    assert list(items["rank"]) == [1, 2, 3, 4, 5]
    assert list(items["decile"]) == [10, 8, 6, 4, 2]  # five items: every second group is empty
    assert list(items["hot"]) == [True, False, False, False, False]
    assert items["title"].isna().tolist() == [False, False, True, False, False]


def test_popularity_is_counted_on_what_the_protocol_trains_on(hand):
    w, dataset = hand
    counts = queries.item_popularity(w, dataset, "paper").set_index("item_id")["count"]
    assert counts.to_dict() == {"i0": 4 + 1, "i1": 3, "i2": 1, "i3": 1 + 1, "i4": 0}
    with pytest.raises(Unknown):
        queries.item_popularity(w, dataset, "papers")


def test_decile_shares(hand):
    w, dataset = hand
    shares = queries.decile_shares(w, dataset).set_index("decile")
    assert list(shares.index) == [2, 4, 6, 8, 10]
    assert list(shares["train_share"]) == pytest.approx([0, 1 / 9, 1 / 9, 3 / 9, 4 / 9])
    assert list(shares["test_share"]) == pytest.approx([1 / 4, 1 / 4, 2 / 4, 0, 0])
    assert list(shares["catalogue_share"]) == pytest.approx([1 / 5] * 5)


def test_lorenz(hand):
    w, dataset = hand
    curve = queries.lorenz(w, dataset)
    assert list(curve["item_share"]) == pytest.approx([0, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1])
    assert list(curve["interaction_share"]) == pytest.approx([0, 0, 1 / 9, 2 / 9, 5 / 9, 1])


def test_lorenz_of_few_points_keeps_both_ends(tiny):
    w, info = tiny
    curve = queries.lorenz(w, info.id, points=7)
    assert len(curve) == 7
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]


def test_lorenz_without_interactions_is_the_diagonal():
    curve = queries.lorenz_curve(np.zeros(3, np.int64))
    assert list(curve["interaction_share"]) == list(curve["item_share"])


def test_user_profiles(hand):
    w, dataset = hand
    profiles = queries.user_profiles(w, dataset).set_index("user_id")
    assert list(profiles["length"]) == [3, 2, 2, 2, 0]
    assert profiles.loc["a", "mean_popularity"] == pytest.approx((4 / 5 + 3 / 5 + 1 / 5) / 3)
    assert profiles.loc["d", "mean_popularity"] == pytest.approx((4 / 5 + 1 / 5) / 2)
    assert profiles.loc["a", "hot_share"] == pytest.approx(1 / 3)
    assert np.isnan(profiles.loc["e", "mean_popularity"])
    assert np.isnan(profiles.loc["e", "hot_share"])


def test_profile_histograms_count_every_user_once(tiny):
    w, info = tiny
    bins = queries.profile_histograms(w, info.id, bins=8)
    assert bins.groupby("measure")["users"].sum().to_dict() == {"length": info.users, "mean_popularity": info.users}
    lengths = queries.user_profiles(w, info.id)["length"]
    for low, high, users in bins[bins["measure"] == "length"][["low", "high", "users"]].itertuples(index=False):
        assert users == ((lengths >= low) & (lengths < high)).sum()


def test_ratings_and_times(hand):
    w, dataset = hand
    assert queries.has_ratings_and_times(w, dataset) == (True, True)


def test_aggregates_equal_evaluations_own_rules(tiny):
    w, info = tiny
    dataset = store.read_dataset(info.folder)
    for protocol in ("validation", "paper"):
        counts = dataset.fitted(protocol).popularity()
        items = queries.item_popularity(w, info.id, protocol).sort_values("item")
        np.testing.assert_array_equal(items["count"], counts)
        np.testing.assert_array_equal(items["hot"], groups.hot_items(counts))
        np.testing.assert_array_equal(items["decile"], groups.deciles(counts))
        np.testing.assert_array_equal(np.argsort(items["rank"]), groups.by_popularity(counts))
    profiles = queries.user_profiles(w, info.id)
    hot = groups.hot_items(dataset.train.popularity())
    np.testing.assert_array_equal(profiles["user_group"], groups.user_groups(dataset.train, hot))
    np.testing.assert_allclose(profiles["hot_share"], groups.hot_shares(dataset.train, hot))
    assert queries.datasets(w)["gini"].iloc[0] == pytest.approx(gini(dataset.train.popularity()))


def test_aggregates_equal_pandas_on_the_file(tiny):
    w, info = tiny
    facts = pd.read_parquet(info.folder / "interactions.parquet")
    train = facts[facts["split"] == "train"]
    counts = train.groupby("item").size().reindex(range(info.items), fill_value=0)
    expected = train.assign(share=train["item"].map(counts) / info.users).groupby("user")["share"].agg(["size", "mean"])
    profiles = queries.user_profiles(w, info.id)
    np.testing.assert_array_equal(profiles["length"], expected["size"])
    np.testing.assert_allclose(profiles["mean_popularity"], expected["mean"])
    shares = queries.decile_shares(w, info.id).set_index("decile")
    decile = queries.item_popularity(w, info.id).set_index("item")["decile"]
    for column, split in (("train_share", "train"), ("test_share", "test")):
        of_split = facts[facts["split"] == split]["item"].map(decile).value_counts(normalize=True).sort_index()
        np.testing.assert_allclose(shares[column], of_split.reindex(shares.index, fill_value=0))


def test_no_data_set_answers_empty(settings):
    w = Warehouse.open(settings, own=False)
    assert queries.datasets(w).empty
    assert queries.runs(w, "nothing").empty
    assert queries.trade_off(w, "nothing", "test", "validation", "aplt@10", "ndcg@10").empty


def test_facts_are_stored_by_user(tiny):
    w, info = tiny
    users = w.frame('SELECT "user" FROM interactions WHERE dataset = $dataset', dataset=info.id)["user"]
    assert users.is_monotonic_increasing
    assert len(users) == info.interactions
