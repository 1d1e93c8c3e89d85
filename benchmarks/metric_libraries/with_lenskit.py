"""LensKit: metrics of one list at a time, and its Gini over all of them."""

from __future__ import annotations

import numpy as np
from lenskit.data import ItemList
from lenskit.metrics import Hit, ListGini, Precision, Recall, RecipRank
from lenskit.metrics.ranking import NDCG, AveragePrecision

from benchmarks.metric_libraries.folder import CUTOFFS, Folder, answer

METRICS = {
    "precision": Precision,
    "recall": Recall,
    "hit_rate": Hit,
    "ndcg": NDCG,
    "map": AveragePrecision,
    "mrr": RecipRank,
}


def values(folder: Folder, name: str) -> dict[str, float]:
    lists = {user: ItemList(item_ids=items, ordered=True) for user, items in folder.lists(name).items()}
    test = {user: ItemList(item_ids=sorted(folder.test[user])) for user in lists}
    found = {}
    for k in CUTOFFS:
        for metric, make in METRICS.items():
            asked = make(k)
            found[f"{metric}@{k}"] = np.mean([asked.measure_list(lists[user], test[user]) for user in lists])
        gini = ListGini(k, items=len(folder.catalogue))
        shown = [gini.compute_list_data(lists[user], test[user]) for user in lists]
        found[f"gini@{k}"] = gini.global_aggregate(shown)
    return found


if __name__ == "__main__":
    answer(values, "lenskit", "numpy")
