"""RecTools: metrics over tables of recommendations and interactions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rectools import Columns
from rectools import metrics as m

from benchmarks.metric_libraries.folder import CUTOFFS, Folder, answer

METRICS = {
    "precision": m.Precision,
    "recall": m.Recall,
    "f1": m.F1Beta,
    "hit_rate": m.HitRate,
    "ndcg": lambda k: m.NDCG(k=k, divide_by_achievable=True),
    "map": m.MAP,
    "mrr": m.MRR,
    "arp": m.AvgRecPopularity,
    "novelty": m.MeanInvUserFreq,
    "coverage": lambda k: m.CatalogCoverage(k=k, normalize=True),
}


def table(rows: dict[str, list[str]] | dict[str, set[str]]) -> pd.DataFrame:
    pairs = [(user, item, rank) for user, items in rows.items() for rank, item in enumerate(items, 1)]
    return pd.DataFrame(pairs, columns=[Columns.User, Columns.Item, Columns.Rank])


def values(folder: Folder, name: str) -> dict[str, float]:
    asked = {f"{metric}@{k}": make(k=k) for metric, make in METRICS.items() for k in CUTOFFS}
    test = table(folder.test)[[Columns.User, Columns.Item]]
    train = table(folder.train)[[Columns.User, Columns.Item]]
    found = m.calc_metrics(asked, table(folder.lists(name)), test, train, folder.catalogue)
    scores = folder.scores(name)
    return found if scores is None else found | partial_auc(folder, scores)


def partial_auc(folder: Folder, scores: np.ndarray) -> dict[str, float]:
    """Their pAUC@k counts the k best negatives; ours reach k = N / 10, which the two nearest whole k are mixed for.

    Equal scores go by catalogue number, since a rank is all that pAUC@k looks at.
    """
    ranked, budgets, by_k = {}, {}, {}
    for row, user in enumerate(folder.users):
        if user not in folder.test:
            continue
        had, order = folder.train.get(user, set()), np.argsort(-scores[row], kind="stable")
        candidates = [item for item in (folder.catalogue[i] for i in order) if item not in had]
        budgets[user] = (len(candidates) - len(folder.test[user])) / 10
        ranked[user] = candidates[: int(budgets[user]) + 1 + len(folder.test[user])]  # what pAUC@k asks for
        for k in (int(budgets[user]), int(budgets[user]) + 1):
            by_k.setdefault(k, []).append(user)
    area: dict[tuple[str, int], float] = {}
    for k, users in by_k.items():
        test = table({user: folder.test[user] for user in users})[[Columns.User, Columns.Item]]
        found = m.PartialAUC(k=k).calc_per_user(table({user: ranked[user] for user in users}), test)
        area |= {(str(user), k): k * value for user, value in found.items()}
    values = []
    for user, budget in budgets.items():
        low, high = area[user, int(budget)], area[user, int(budget) + 1]
        values.append((low + (budget - int(budget)) * (high - low)) / budget)
    return {"pauc": float(np.mean(values))}


if __name__ == "__main__":
    answer(values, "rectools", "pandas", "numpy")
