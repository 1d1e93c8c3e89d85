"""Other libraries' values are judged: equal to ours, of another definition that we recompute, or neither."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from benchmarks.metric_libraries import data, differences, environment, table
from benchmarks.metric_libraries.__main__ import END, START, documented, summary
from benchmarks.metric_libraries.data import Seen
from benchmarks.metric_libraries.folder import Folder
from core.datasets.store import read_dataset
from core.evaluation import accuracy
from core.evaluation.evaluate import evaluate
from core.evaluation.metrics import METRICS
from core.settings import PROJECT
from tests.evaluation.worlds import Table
from tests.tiny import tiny_dataset

K = 5


@pytest.fixture
def seen(settings) -> Seen:
    dataset = read_dataset(tiny_dataset(settings).folder)
    # the other way round: users hold out more than k items, and not equally many
    dataset = replace(dataset, train=dataset.test, test=dataset.train)
    assert len(set(dataset.test.lengths().tolist())) > 1 and dataset.test.lengths().max() > K
    trained_on = dataset.train.merged(dataset.validation)
    scores = np.random.default_rng(0).integers(0, 9, (trained_on.n_users, trained_on.n_items)).astype(np.float32)
    return Seen(dataset, evaluate(Table(scores), trained_on, dataset.test, trained_on), scores)


def by_user(seen: Seen, k: int):
    """(shown, took) of each evaluated user."""
    ranking = seen.evaluation.ranking
    for user, items in zip(ranking.users.tolist(), ranking.items[:, :k].tolist(), strict=True):
        yield [i for i in items if i >= 0], set(seen.dataset.test.row(user).tolist())


def test_map_and_recall_of_other_divisors_by_loops(seen):
    precisions, recalls = [], []
    for shown, took in by_user(seen, K):
        right = [i for i in shown if i in took]
        precisions.append(sum((right.index(i) + 1) / (shown.index(i) + 1) for i in right) / len(took))
        recalls.append(len(right) / min(K, len(took)))
    assert differences.map_over_taken(seen, K) == pytest.approx(np.mean(precisions))
    assert differences.recall_over_achievable(seen, K) == pytest.approx(np.mean(recalls))


def test_ndcg_of_other_discounts_by_loops(seen):
    values = []
    for shown, took in by_user(seen, K):
        weights = [1 / max(log(rank, 2), 1) for rank in range(1, K + 1)]
        got = sum(weight for weight, item in zip(weights, shown, strict=True) if item in took)
        values.append(got / sum(weights[: len(took)]))
    assert differences.ndcg_of_plain_ranks(seen, K) == pytest.approx(np.mean(values))


def test_entropy_over_the_items_shown_by_loops(seen):
    shown = [i for items, _ in by_user(seen, K) for i in items]
    shares = [shown.count(i) / len(shown) for i in set(shown)]
    assert differences.entropy_over_shown(seen, K) == pytest.approx(-sum(p * log(p) for p in shares) / len(shares))


def test_the_tail_of_items_seen_by_loops(seen):
    popularity = seen.trained_on.popularity().tolist()
    known = sorted((count, i) for i, count in enumerate(popularity) if count)
    tail = {i for _, i in known[: int(len(known) * 0.85)]}
    shares = [len(tail & set(shown)) / K for shown, _ in by_user(seen, K)]
    assert differences.tail_of_seen(seen, K) == pytest.approx(np.mean(shares))


def test_auc_weighted_by_held_out_items(seen):
    weighted = [
        (len(took), auc) for (_, took), auc in zip(by_user(seen, K), seen.evaluation.per_user["auc"], strict=True)
    ]
    expected = sum(n * auc for n, auc in weighted) / sum(n for n, _ in weighted)
    assert differences.auc_by_taken(seen, 0) == pytest.approx(expected)


def test_mcclish_puts_guessing_at_one_half_and_the_best_at_one():
    def of(pauc: float) -> float:
        return differences.standardised(type("S", (), {"evaluation": type("E", (), {"metrics": {"pauc": pauc}})})(), 0)

    assert (of(accuracy.MAX_FPR / 2), of(1.0)) == (pytest.approx(0.5), pytest.approx(1.0))


def test_partial_auc_of_places_is_ours_where_no_scores_are_equal(seen):
    rng = np.random.default_rng(1)
    scores = rng.permuted(np.arange(seen.scores.size, dtype=np.float32)).reshape(seen.scores.shape)
    evaluation = evaluate(Table(scores), seen.trained_on, seen.dataset.test, seen.trained_on)
    found = differences.pauc_of_ranks(Seen(seen.dataset, evaluation, scores), 0)
    assert found == pytest.approx(evaluation.metrics["pauc"])


def test_values_are_equal_or_recomputed_or_told(seen):
    ours, theirs = seen.evaluation.metrics, differences.entropy_over_shown(seen, K)
    values = {
        "RecBole": {
            "lists": {"ndcg@5": ours["ndcg@5"] + 1e-12, "entropy@5": theirs, "recall@5": ours["recall@5"] + 0.01}
        },
        "LensKit": {"lists": {"gini@5": ours["gini@5"] + 1e-6}},
    }
    verdict, differing = table.judge({"lists": seen}, values)
    assert (verdict.compared, verdict.recomputed) == (4, 1)
    assert [told.split(" of ")[0] for told in verdict.unexplained] == ["RecBole, recall@5", "LensKit, gini@5"]
    assert differing == {("RecBole", "entropy"), ("RecBole", "recall"), ("LensKit", "gini")}


def test_a_wrong_number_where_definitions_differ_is_told_too(seen):
    values = {"RecBole": {"lists": {"entropy@5": differences.entropy_over_shown(seen, K) + 1e-6}}}
    assert len(table.judge({"lists": seen}, values)[0].unexplained) == 1


def test_the_table_shows_values_and_reasons(seen):
    values = {"RecBole": {"lists": {"entropy@10": differences.entropy_over_shown(seen, 10)}}, "RecTools": {"lists": {}}}
    verdict, differing = table.judge({"lists": seen}, values)
    text = table.render({"lists": seen}, values, differing)
    ours, theirs = seen.evaluation.metrics["entropy@10"], values["RecBole"]["lists"]["entropy@10"]
    assert f"| `entropy@10` | lists | {ours:.6f} | {theirs:.6f} [1] |  |" in text
    assert "1. RecBole: natural logarithm, and divided by the number of items shown at all." in text
    told = summary(verdict, {"RecBole": "1.2.1"}, table.without_library(values), 3)
    assert "`ohr`" in told and "`entropy`" not in told and "1 are of another definition" in told


def test_the_page_gets_the_table_in_its_place():
    assert documented(f"before {START}old{END} after", "new\n") == f"before {START}new\n{END} after"
    page = (PROJECT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert page.count(START) == page.count(END) == 1


def test_every_difference_is_of_a_library_and_a_metric_that_are_there():
    for library, metric in differences.DIFFERENCES:
        assert library in environment.MODULES and metric in METRICS


def test_libraries_are_given_what_we_measure(seen, tmp_path):
    data.write(tmp_path, seen.dataset, {"ours": seen})
    folder, dataset = Folder.read(tmp_path), seen.dataset
    ids = dataset.item_ids.tolist()
    assert (folder.names(), folder.catalogue, folder.users) == (["ours"], ids, dataset.user_ids.tolist())
    for pairs, by_user_id in ((seen.trained_on, folder.train), (dataset.test, folder.test)):
        expected = {
            str(user): {ids[i] for i in pairs.row(u)} for u, user in enumerate(dataset.user_ids) if len(pairs.row(u))
        }
        assert by_user_id == expected
    ranking = seen.evaluation.ranking
    assert folder.lists("ours") == {
        str(dataset.user_ids[u]): [ids[i] for i in row if i >= 0]
        for u, row in zip(ranking.users, ranking.items.tolist(), strict=True)
    }
    np.testing.assert_array_equal(folder.scores("ours"), seen.scores)
    assert folder.scores("other") is None
