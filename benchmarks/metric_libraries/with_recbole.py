"""RecBole: its metric classes, and its collector for the ranks of held-out items."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import torch

for name, kind in {"float": np.float64, "bool": np.bool_, "int": np.int64}.items():
    setattr(np, name, kind)  # old names that it uses: its configuration does the same, when it is read

from recbole.evaluator import metrics as m  # noqa: E402
from recbole.evaluator.collector import Collector, DataStruct  # noqa: E402

from benchmarks.metric_libraries.folder import CUTOFFS, Folder, answer  # noqa: E402

CONFIG = {"topk": list(CUTOFFS), "metric_decimal_place": 15, "tail_ratio": 0.85}
METRICS = {
    "precision": m.Precision,
    "recall": m.Recall,
    "hit_rate": m.Hit,
    "ndcg": m.NDCG,
    "map": m.MAP,
    "mrr": m.MRR,
    "arp": m.AveragePopularity,
    "aplt": m.TailPercentage,
    "gini": m.GiniIndex,
    "coverage": m.ItemCoverage,
    "entropy": m.ShannonEntropy,
}


def values(folder: Folder, name: str) -> dict[str, float]:
    number = {item: i for i, item in enumerate(folder.catalogue)}
    lists = folder.lists(name)
    data = DataStruct()
    data.set("rec.items", torch.tensor([[number[item] for item in items] for items in lists.values()]))
    hits = [
        [*(int(item in folder.test[user]) for item in items), len(folder.test[user])] for user, items in lists.items()
    ]
    data.set("rec.topk", torch.tensor(hits))
    data.set("data.num_items", len(number))
    data.set("data.count_items", Counter(number[item] for items in folder.train.values() for item in items))
    found = {}
    for metric, make in METRICS.items():
        told = make(CONFIG).calculate_metric(data)
        found |= {f"{metric}@{key.partition('@')[2]}": value for key, value in told.items()}
    scores = folder.scores(name)
    return found if scores is None else found | {"auc": gauc(folder, scores, number)}


def gauc(folder: Folder, scores: np.ndarray, number: dict[str, int]) -> float:
    """Scores in float64: the collector sums ranks in the scores' type."""
    users = [(row, user) for row, user in enumerate(folder.users) if user in folder.test]
    masked = torch.tensor(scores[[row for row, _ in users]].astype(np.float64))
    pairs = [(r, number[item]) for r, (_, user) in enumerate(users) for item in folder.test[user]]
    for r, (_, user) in enumerate(users):
        masked[r, [number[item] for item in folder.train.get(user, ())]] = -torch.inf
    collector = SimpleNamespace(
        register=SimpleNamespace(need=lambda what: what == "rec.meanrank"),
        data_struct=DataStruct(),
        device="cpu",
    )
    collector._average_rank = lambda ordered: Collector._average_rank(collector, ordered)
    positive = torch.tensor(pairs).T
    Collector.eval_batch_collect(collector, masked, None, positive[0], positive[1])
    return float(m.GAUC(CONFIG).calculate_metric(collector.data_struct)["gauc"])


if __name__ == "__main__":
    answer(values, "recbole", "torch", "numpy")
