"""What the metrics say on MovieLens 100K, the split of the papers' code."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from core.datasets.interactions import Interactions
from core.evaluation import groups
from core.evaluation.evaluate import evaluate, ndcg_only
from tests import realdata
from tests.evaluation.worlds import Table

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def split() -> tuple[Interactions, Interactions]:
    """Train and test, users and items numbered by sorted text id as in prepared data sets."""
    folder = realdata.ml_100k_paper_split()
    train, test = (
        pq.read_table(folder / f"{name}.parquet", columns=["user_id", "item_id"]) for name in ("train", "test")
    )
    both = pa.concat_tables([train, test])
    users, items = (
        np.unique(both[name].cast(pa.string()).to_numpy(zero_copy_only=False)) for name in both.column_names
    )
    return tuple(
        Interactions.from_pairs(
            *(
                np.searchsorted(ids, table[name].cast(pa.string()).to_numpy(zero_copy_only=False))
                for ids, name in ((users, "user_id"), (items, "item_id"))
            ),
            len(users),
            len(items),
        )
        for table in (train, test)
    )  # type: ignore[return-value]


@pytest.fixture(scope="module")
def most_popular(split):
    popularity = split[0].popularity().astype(np.float32)
    return Table(np.broadcast_to(popularity, (split[0].n_users, len(popularity))))


def test_sizes(split):
    train, test = split
    assert (train.n_users, train.n_items, len(train), len(test)) == (943, 1682, 80_000, 20_000)


def test_hot_items(split):
    train, test = split
    assert groups.hot_items(train.popularity()).sum() == 256
    assert groups.hot_items(train.popularity(), head="interactions").sum() == 537
    assert groups.hot_items(train.merged(test).popularity()).sum() == 253, "the AUC-NS authors' count_on='all'"


def test_most_popular_shows_no_cold_item_and_misses_every_cold_item(split, most_popular):
    train, test = split
    found = evaluate(most_popular, train, test, train)
    hot = groups.hot_items(train.popularity())
    with_cold = np.bincount(test.users()[~hot[test.indices]], minlength=test.n_users)[found.users] > 0
    for k in (5, 10, 20):
        assert found.metrics[f"aplt@{k}"] == 0
        assert found.metrics[f"ucr@{k}"] == pytest.approx(with_cold.mean())
        assert found.metrics[f"ohr@{k}"] == pytest.approx(found.metrics[f"fpr@{k}"])
    assert found.exposure == pytest.approx([0] * 9 + [1])
    assert len(found.users) == 943


def test_accuracy_of_most_popular_is_scikit_learns(split, most_popular):
    train, test = split
    found = evaluate(most_popular, train, test, train)
    popularity = train.popularity()
    ranked = np.lexsort((np.arange(train.n_items), -popularity))
    distinct = np.empty(train.n_items)
    distinct[ranked] = -np.arange(train.n_items)  # the same order without ties, for ndcg_score would average over them
    for row, user in enumerate(found.users[::50]):
        candidate = np.ones(train.n_items, bool)
        candidate[train.row(user)] = False
        took = np.zeros(train.n_items, bool)
        took[test.row(user)] = True
        expected = ndcg_score([took[candidate]], [distinct[candidate]], k=10)
        assert found.per_user["ndcg@10"][50 * row] == pytest.approx(expected)
        assert found.per_user["auc"][50 * row] == pytest.approx(roc_auc_score(took[candidate], popularity[candidate]))


def test_most_popular_stays_where_it_was(split, most_popular):
    """Regression: the values that this definition gave when it was first checked against scikit-learn."""
    train, test = split
    found = evaluate(most_popular, train, test, train).metrics
    expected = {"precision@10": 0.1937, "recall@10": 0.1210, "ndcg@10": 0.2253, "auc": 0.8618, "arp@10": 352.5}
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-3)
    assert ndcg_only(most_popular, train, test) == pytest.approx(found["ndcg@10"])
