"""Evaluate a model: rank all items for every user with held-out items, then measure.

Here: the two entrances that training uses. Not here: anybody's lists (`evaluate_lists` of measure.py, re-exported).
Importing this file imports numba (ranking.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from core.datasets.interactions import Interactions
from core.evaluation import accuracy
from core.evaluation.groups import Head
from core.evaluation.measure import Evaluation, Ranking, evaluate_lists, evaluated_users, hits, measure
from core.evaluation.metrics import CUTOFFS
from core.evaluation.ranking import Scorer, top_k

__all__ = ["Evaluation", "Ranking", "evaluate", "evaluate_lists", "ndcg_only"]


def evaluate(
    scorer: Scorer,
    mask: Interactions,
    held_out: Interactions,
    counted_on: Interactions,
    cutoffs: Sequence[int] = CUTOFFS,
    head: Head = "items",
) -> Evaluation:
    """All metrics of a model on one split. All items are ranked; nothing is sampled.

    mask: what users may not be shown (at validation the train set, at test train and validation); held_out: the split's
    interactions; counted_on: what popularity is counted on and users' profiles are: what the model was trained on.
    """
    ranking = top_k(scorer, evaluated_users(held_out), mask, max(cutoffs), held_out)
    return measure(ranking, held_out, counted_on, cutoffs, head, mask)


def ndcg_only(scorer: Scorer, mask: Interactions, held_out: Interactions, k: int = 10) -> float:
    """Mean NDCG@k, the same number as in `evaluate`, and nothing else: for use between epochs.

    Raises ValueError where nothing is held out: there is nothing to choose an epoch by.
    """
    users = evaluated_users(held_out)
    if len(users) == 0:
        raise ValueError("no user has a held-out item, so NDCG is not defined on this split")
    ranking = top_k(scorer, users, mask, k)
    return float(accuracy.ndcg(hits(ranking.items, users, held_out), held_out.lengths()[users]).mean())
