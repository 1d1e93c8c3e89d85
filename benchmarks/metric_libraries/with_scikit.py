"""scikit-learn and SciPy: the statistics that metrics are made of, on the scores and counts themselves."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy.stats import entropy, rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks.metric_libraries.folder import CUTOFFS, Folder, answer


def values(folder: Folder, name: str) -> dict[str, float]:
    found = {}
    for k in CUTOFFS:
        counts = list(Counter(item for items in folder.lists(name).values() for item in items[:k]).values())
        found[f"entropy@{k}"] = entropy(counts, base=2)
        found[f"entropy_norm@{k}"] = entropy(counts, base=len(folder.catalogue))
    scores = folder.scores(name)
    return found if scores is None else found | of_scores(folder, scores)


def of_scores(folder: Folder, scores: np.ndarray) -> dict[str, float]:
    items = np.array(folder.catalogue)
    auc, partial, ranks = [], [], {item: [] for item in folder.catalogue}
    for row, user in enumerate(folder.users):
        if user not in folder.test:
            continue
        candidate = ~np.isin(items, list(folder.train.get(user, ())))
        truth = np.isin(items[candidate], list(folder.test[user]))
        auc.append(roc_auc_score(truth, scores[row, candidate]))
        partial.append(roc_auc_score(truth, scores[row, candidate], max_fpr=0.1))
        for item, rank in zip(items[candidate][truth], rankdata(-scores[row, candidate])[truth], strict=True):
            ranks[item].append(rank)
    popularity = Counter(item for taken in folder.train.values() for item in taken)
    ranked = [item for item in folder.catalogue if ranks[item]]
    pri = -spearmanr([popularity[item] for item in ranked], [np.mean(ranks[item]) for item in ranked]).statistic
    return {"auc": np.mean(auc), "pauc": np.mean(partial), "pri": pri}


if __name__ == "__main__":
    answer(values, "scikit-learn", "scipy", "numpy")
