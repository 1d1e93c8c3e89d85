"""Baselines outside the grid: reference points that learn nothing, or in closed form.

Here: one function a baseline, its table. Not here: their names and explanations (choices.py), and `pop_penalty`, which
fits nothing but re-ranks another run (jobs/training.py; the rule is `scorers.Penalised`).
A new baseline is one function, one row in FITS, one row in BASELINES of choices.py, one row in docs/methods.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.errors import BadVariant
from core.models import memory
from core.models.scorers import Factors, ItemNeighbours, ItemWeights, RandomScores, Scorer
from core.models.variant import Variant

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BLOCK_CELLS = 2**22
"""Pairs of items that are worked on at a time: tens of megabytes."""
LEAST_LAMBDA = 1e-10
"""Of the interactions' number, which bounds the largest eigenvalue of X'X: less is near float64's resolution of it."""


def most_popular(_: Variant, fitted: Interactions, __: int) -> Factors:
    """The score of an item is the number of users who took it, for every user: embeddings of length 1."""
    return Factors(np.ones((fitted.n_users, 1), np.float32), fitted.popularity().astype(np.float32)[:, None])


def random(_: Variant, fitted: Interactions, seed: int) -> RandomScores:
    """Uniform scores, another order for each user and seed."""
    return RandomScores(seed, fitted.n_users, fitted.n_items)


# --- item_knn


def item_knn(variant: Variant, fitted: Interactions, _: int) -> ItemNeighbours:
    """The sum, over the items j that a user took, of sim(j, i) where i is one of j's k nearest neighbours.

    Users' rows are scaled to length 1 first, so that a user of few items says more of them; the nearness of j and i is
    the cosine of their columns, and sim(j, i) that cosine over its sum for j's k neighbours, so that every item taken
    has the same say. An item is no neighbour of itself, nor of one it shares no user with; of equally near ones the
    lower item number is nearer. Deshpande and Karypis, TOIS 22(1), 2004, with both of their normalisations: without,
    recall@20 on Gowalla (k = 100) was .116 and not .141. Memory: a block of item pairs, and items x neighbours.
    """
    taken = _matrix(fitted, _unit_rows(fitted))
    by_item = taken.T.tocsr()
    lengths = np.sqrt(np.bincount(fitted.indices, taken.data**2, minlength=fitted.n_items))
    kept = [
        _nearest(by_item[block] @ taken, block.start, lengths, int(variant.knn_neighbours or 0))
        for block in _blocks(fitted.n_items)
    ]
    items, neighbours, cosines = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    said = np.bincount(items, cosines, minlength=fitted.n_items)[items]
    starts = np.concatenate([[0], np.cumsum(np.bincount(items, minlength=fitted.n_items))])
    return ItemNeighbours(
        fitted, starts.astype(np.int64), neighbours.astype(np.int32), (cosines / said).astype(np.float32)
    )


def _unit_rows(fitted: Interactions) -> NDArray[np.float64]:
    """What each pair weighs when every user's row has length 1."""
    lengths = fitted.lengths()
    return 1 / np.sqrt(np.repeat(lengths, lengths))


def _nearest(
    products: csr_array, first: int, lengths: NDArray[np.float64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Of a block of items, the k nearest of each: item, neighbour, cosine, sorted by item and neighbour.

    products (b, I): dot products of the columns of the items from `first` with every item's; lengths (I,): of columns.
    """
    pairs = products.tocoo()
    items, others = pairs.row.astype(np.int64) + first, pairs.col.astype(np.int64)
    cosines = pairs.data / (lengths[items] * lengths[others])
    near = np.lexsort((others, -cosines.astype(np.float32), items))  # in float32, equal ones are equal
    near = near[items[near] != others[near]]
    own = np.searchsorted(items[near], items[near])  # where the item's row begins
    near = near[np.arange(len(near)) - own < k]
    near = near[np.lexsort((others[near], items[near]))]
    return items[near], others[near], cosines[near]


# --- ease


def ease(variant: Variant, fitted: Interactions, _: int) -> ItemWeights:
    """The linear model of items on items with a zero diagonal that is nearest to what was taken, by ridge regression.

    B = argmin ||X - XB||^2 + lambda ||B||^2 with diag(B) = 0; in closed form B_ij = -P_ij / P_jj for i != j, where
    P = (X'X + lambda I)^-1. A score is x_u B. Steck, WWW 2019.
    Raises BadVariant, before anything is allocated, where the catalogue is too large for the memory that is free and
    where lambda is so small that rounding would eat it.
    """
    penalty = float(variant.ease_lambda or 0)
    if reason := memory.refusal(variant, fitted.n_items, memory.free(), "that are free now"):
        raise BadVariant(reason)
    if penalty < (least := LEAST_LAMBDA * len(fitted)):
        raise BadVariant(
            f"ease-lambda {penalty:g} is lost in rounding beside {len(fitted):,} interactions: items that the same "
            f"users took could not be told apart. Give at least {least:.1g}."
        )
    lower = _gram(fitted, penalty)
    _invert(lower)
    diagonal = lower.diagonal().copy()
    weights = np.empty((fitted.n_items, fitted.n_items), np.float32)
    for block in _blocks(fitted.n_items):
        # what lies above the diagonal is 0, and the diagonal is about to be
        weights[block] = -(lower[block] + lower[:, block].T) / diagonal
    np.fill_diagonal(weights, 0)
    return ItemWeights(fitted, weights)


def _gram(fitted: Interactions, penalty: float) -> NDArray[np.float64]:
    """X'X + penalty I, (I, I) float64 in Fortran's order, which is the one that LAPACK works on in place."""
    taken = _matrix(fitted, np.ones(len(fitted)))
    by_item, columns = taken.T.tocsr(), taken.tocsc()
    gram = np.empty((fitted.n_items, fitted.n_items), order="F")
    for block in _blocks(fitted.n_items):
        gram[:, block] = (by_item @ columns[:, block]).toarray()
    gram[np.diag_indices(fitted.n_items)] += penalty
    return gram


def _invert(matrix: NDArray[np.float64]) -> None:
    """Replace a positive definite matrix in Fortran's order by the lower triangle of its inverse, the upper one by 0.

    Cholesky, in place: nothing of the matrix's size is allocated, where numpy's inverse would hold it three times.
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    _, failed = dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
    if not failed:
        _, failed = dpotri(matrix, lower=1, overwrite_c=1)
    if failed:
        raise np.linalg.LinAlgError(f"LAPACK ended with {failed}")


# --- shared


def _matrix(fitted: Interactions, weights: NDArray[np.float64]) -> csr_array:
    """Users x items, sparse: the weight of each pair where a user took an item."""
    from scipy.sparse import csr_array

    return csr_array((weights, fitted.indices, fitted.indptr), shape=(fitted.n_users, fitted.n_items))


def _blocks(n_items: int) -> Iterator[slice]:
    """Slices of items, so that an item block x items is bounded."""
    size = max(1, BLOCK_CELLS // n_items)
    return (slice(start, min(start + size, n_items)) for start in range(0, n_items, size))


Fit = Callable[[Variant, Interactions, int], Scorer]

FITS: dict[str, Fit] = {"most_popular": most_popular, "random": random, "item_knn": item_knn, "ease": ease}


def fit_baseline(variant: Variant, fitted: Interactions, seed: int) -> Scorer:
    """The scorer of a baseline variant that fits something. fitted: the pairs it may look at."""
    return FITS[str(variant.baseline)](variant, fitted, seed)
