"""ranx: ranking metrics over qrels and runs."""

from __future__ import annotations

from ranx import Qrels, Run, evaluate

from benchmarks.metric_libraries.folder import CUTOFFS, Folder, answer

NAMES = {name: name for name in ("precision", "recall", "f1", "hit_rate", "ndcg", "map", "mrr")}


def values(folder: Folder, name: str) -> dict[str, float]:
    lists = folder.lists(name)
    qrels = Qrels({user: dict.fromkeys(items, 1) for user, items in folder.test.items() if user in lists})
    run = Run({user: {item: 1 / rank for rank, item in enumerate(items, 1)} for user, items in lists.items()})
    asked = [f"{theirs}@{k}" for theirs in NAMES.values() for k in CUTOFFS]
    return dict(evaluate(qrels, run, asked))


if __name__ == "__main__":
    answer(values, "ranx", "numba", "numpy")
