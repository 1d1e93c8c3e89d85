"""AUC-NS taken apart on a model that stands still: what each piece of its rule says, and what the rule would choose.

Here: the prior by popularity, the posterior by F, the gain of every candidate of a user, and the choices that many
betas make of the same candidates. Every piece is the one in samplers.py; nothing is learnt.
Not here: the rule (samplers.py), draws of every sampler (engines/drawing.py), files and titles (jobs/explain.py).

Pairs, candidates, positives and negatives are drawn as in an epoch that takes snapshots, F is of all items. What is
drawn for a pair does not depend on alpha, beta and gamma, so settings are compared on the same draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.errors import Refused
from core.kernels import Array, Scalar, kernel
from core.models.knobs import Knobs
from core.models.samplers import (
    BINS,
    below,
    better,
    distribution,
    exponentials,
    gain,
    likelihood_negative,
    likelihood_positive,
    posterior,
    prior,
    rise_and_fall,
    share_below,
    some_of,
    uniform_negative,
    worth_auc_ns,
)
from core.models.streams import kernel_state

SCORED_AT_ONCE = 4_000_000  # users x items, 16 MB of float32: a large catalogue is scored by few users at a time


@dataclass(frozen=True, slots=True, eq=False)
class ModelState:
    """A model that stands still: users (U, d), items (I, d) float32, and the pairs it was trained on."""

    users: NDArray[np.float32]
    items: NDArray[np.float32]
    fitted: Interactions


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What was drawn for B pairs of M candidates each: all that beta, alpha and gamma do not touch.

    users (B,) int32; candidates (B, M) int32; scores (B, M) float32, x_ul; shares (B, M) float32, F_u(x_ul); rise, fall
    (B, M) float64, the two means of the gain; n_positives (B,) int64, |I+_u|; n_items, of the catalogue.
    """

    users: NDArray[np.int32]
    candidates: NDArray[np.int32]
    scores: NDArray[np.float32]
    shares: NDArray[np.float32]
    rise: NDArray[np.float64]
    fall: NDArray[np.float64]
    n_positives: NDArray[np.int64]
    n_items: int


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """Every candidate of one user, and one pair's draw from them.

    items (C,) int32, I-_u ascending; scores, shares (C,) float32, x and F; priors, posteriors, gains (C,) float64:
    P, w and the gain against the pair's N positives and negatives. drawn (M,) int64: positions of its M candidates;
    taken: the position of the one that the rule takes of them; best: of the one with the largest gain of all.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    shares: NDArray[np.float32]
    priors: NDArray[np.float64]
    posteriors: NDArray[np.float64]
    gains: NDArray[np.float64]
    drawn: NDArray[np.int64]
    taken: int
    best: int


# --- kernels ----------------------------------------------------------------------------------------------------------


class Look(NamedTuple):
    """What is known of one user at the visit. I items, L taken, N references."""

    row: Array
    """(L,) int32, I+_u."""
    taken: Array
    """(I,) uint8, 1 for I+_u."""
    rest: Array
    """(C,) int32, I-_u, reordered by draws."""
    scores: Array
    """(I,) float32, x of all items, and below e^x."""
    exps: Array
    F: Array
    """(I,) float32, of all items."""
    ups: Array
    """(N,) float32, e^x of the positives drawn for the last pair, and below of the negatives."""
    downs: Array


FLOAT, DOUBLE, INT, MARKS = types.float32[::1], types.float64[::1], types.int32[::1], types.uint8[::1]
FLOATS, DOUBLES, INTS = types.float32[:, ::1], types.float64[:, ::1], types.int32[:, ::1]
STATE, NUMBER = types.uint64[::1], types.float64
LOOK = types.NamedTuple([INT, MARKS, INT, *[FLOAT] * 5], Look)  # type: ignore[no-untyped-call]


@kernel(types.void(FLOAT, FLOAT, INT, INT, FLOAT, FLOAT))
def _look_at(scores: Array, exps: Array, places: Array, counts: Array, bins: Array, F: Array) -> None:
    """e^x and F of all items. places (I,), counts and bins (BINS,) are scratch."""
    exponentials(scores, exps)
    lowest, scale = distribution(scores, exps, places, counts, bins)
    for item in range(len(scores)):
        F[item] = share_below(scores[item], bins, lowest, scale)


@kernel(types.void(LOOK, STATE, INTS, DOUBLES, DOUBLES))
def _draw_pairs(look: Look, state: Array, candidates: Array, rise: Array, fall: Array) -> None:
    """Candidates of each pair and their means. Leaves the last pair's references in ups and downs."""
    n_rest = len(look.rest)
    for pair in range(len(candidates)):
        for n in range(len(look.ups)):
            look.ups[n] = look.exps[look.row[below(state, len(look.row))]]
        some_of(look.rest, n_rest, len(look.downs), state)
        for n in range(len(look.downs)):
            look.downs[n] = look.exps[look.rest[n]]
        for c in range(candidates.shape[1]):
            item = uniform_negative(state, look.taken, look.rest, n_rest)
            candidates[pair, c] = item
            rise[pair, c], fall[pair, c] = rise_and_fall(
                look.exps[item], look.ups, len(look.ups), look.downs, len(look.downs)
            )


@kernel()
def _weigh(F: Scalar, P: Scalar, alpha: Scalar) -> Scalar:
    return posterior(P, likelihood_negative(F, alpha), likelihood_positive(F, alpha))


@kernel(types.void(DOUBLE, DOUBLE, NUMBER, DOUBLES))
def _weigh_all(F: Array, P: Array, alpha: float, w: Array) -> None:
    for one in range(len(P)):
        for k in range(len(F)):
            w[one, k] = _weigh(F[k], P[one], alpha)


@kernel(types.void(FLOATS, FLOATS, DOUBLES, DOUBLES, DOUBLES, types.int64[::1], types.int64, NUMBER, NUMBER, INT))
def _take(
    x: Array,
    F: Array,
    P: Array,
    rise: Array,
    fall: Array,
    n_positives: Array,
    n_items: int,
    alpha: float,
    gamma: float,
    places: Array,
) -> None:
    """The place of each pair's candidate with the largest gain."""
    for pair in range(len(x)):
        n, best, best_x = n_positives[pair], 0.0, np.float32(0)
        for c in range(x.shape[1]):
            w = _weigh(F[pair, c], P[pair, c], alpha)
            worth = gain(w, n, rise[pair, c], gamma, n_items - n, fall[pair, c])
            if c == 0 or better(worth, x[pair, c], best, best_x):
                places[pair], best, best_x = c, worth, x[pair, c]


@kernel(types.void(LOOK, INT, DOUBLE, NUMBER, NUMBER, DOUBLE, DOUBLE))
def _judge(look: Look, items: Array, P: Array, alpha: float, gamma: float, posteriors: Array, gains: Array) -> None:
    """Posterior and gain of each of the items against the references in ups and downs."""
    n_positives, n_items = len(look.row), len(look.scores)
    for k in range(len(items)):
        e, F = look.exps[items[k]], look.F[items[k]]
        posteriors[k] = _weigh(F, P[k], alpha)
        gains[k] = worth_auc_ns(
            e,
            F,
            P[k],
            look.ups,
            len(look.ups),
            look.downs,
            len(look.downs),
            n_positives,
            n_items - n_positives,
            alpha,
            gamma,
        )


@kernel(types.int64(DOUBLE, FLOAT))
def _best(worths: Array, x: Array) -> int:
    """The place of the candidate that is worth most."""
    place = 0
    for c in range(1, len(worths)):
        if better(worths[c], x[c], worths[place], x[place]):
            place = c
    return place


# --- the pieces -------------------------------------------------------------------------------------------------------


def prior_curves(popularity: NDArray[np.integer], betas: NDArray[np.float64]) -> NDArray[np.float64]:
    """P = pi^beta for each beta and each item: (B, I) float64. popularity (I,): interactions of all items."""
    return np.array([prior(popularity, float(beta)) for beta in betas])


def posterior_curves(F: NDArray[np.float64], P: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """w for each prior P (n,) and each F (k,): (n, k) float64."""
    w = np.empty((len(P), len(F)))
    _weigh_all(np.ascontiguousarray(F, np.float64), np.ascontiguousarray(P, np.float64), alpha, w)
    return w


# --- pairs ------------------------------------------------------------------------------------------------------------


def sample_pairs(
    fitted: Interactions, users: int, each: int, stream: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`users` times a user in proportion to the pairs they have, and `each` of that user's pairs: (B,) users ascending,
    (B,) items, int32.

    Every pair is drawn equally often on average, as in an epoch, and few users have to be looked at. With replacement.
    Users who took every item, or none, have no pair to draw for. Raises Refused where nobody is left.
    """
    lengths = fitted.lengths()
    able = np.where(lengths < fitted.n_items, lengths, 0)
    if not able.sum():
        raise Refused(
            "Every user of this data set took every item, so there is no negative to draw. "
            "Choose a data set in which something is left to users."
        )
    who = np.sort(stream.choice(fitted.n_users, users, p=able / able.sum())).repeat(each)
    place = (stream.random(len(who)) * lengths[who]).astype(np.int64)
    return who.astype(np.int32), fitted.indices[fitted.indptr[who] + place]


def draw_pairs(state: ModelState, knobs: Knobs, users: NDArray[np.int32], stream: np.random.Generator) -> Draws:
    """Candidates and references of a pair for each of `users` (B,), ascending; everybody has an item left."""
    shape, chance = (len(users), knobs.candidates), kernel_state(stream)
    candidates = np.empty(shape, np.int32)
    scores, shares = np.empty(shape, np.float32), np.empty(shape, np.float32)
    rise, fall = np.empty(shape), np.empty(shape)
    start = 0
    for user, look in _visits(state, np.unique(users), knobs.references):
        stop = int(np.searchsorted(users, user, side="right"))
        pairs = slice(start, stop)
        _draw_pairs(look, chance, candidates[pairs], rise[pairs], fall[pairs])
        scores[pairs], shares[pairs] = look.scores[candidates[pairs]], look.F[candidates[pairs]]
        start = stop
    lengths = state.fitted.lengths()[users]
    return Draws(users, candidates, scores, shares, rise, fall, lengths, state.fitted.n_items)


def taken_by_auc_ns(
    draws: Draws, popularity: NDArray[np.integer], beta: float, alpha: float, gamma: float
) -> NDArray[np.int32]:
    """The place (B,) of the candidate that AUC-NS takes for each pair. popularity (I,): interactions per item."""
    places = np.empty(len(draws.users), np.int32)
    P = prior(popularity[draws.candidates], beta, int(popularity.sum()))
    pieces = draws.scores, draws.shares, P, draws.rise, draws.fall
    _take(*pieces, draws.n_positives, draws.n_items, alpha, gamma, places)
    return places


def taken_by_dns(draws: Draws) -> NDArray[np.int64]:
    """The place (B,) of the highest-scored candidate of each pair, the first of equal ones."""
    places: NDArray[np.int64] = draws.scores.argmax(axis=1)
    return places


def candidate_gains(state: ModelState, knobs: Knobs, user: int, stream: np.random.Generator) -> Gains:
    """What each item that the user has not taken is worth for one pair, and the pair's draw. Raises Refused."""
    if not 0 < len(state.fitted.row(user)) < state.fitted.n_items:
        raise Refused("This user took every item or none, so no pair can be drawn. Choose another user.")
    _, look = next(_visits(state, np.array([user]), knobs.references))
    items, shape = look.rest.copy(), (1, knobs.candidates)
    candidates, rise, fall = np.empty(shape, np.int32), np.empty(shape), np.empty(shape)
    _draw_pairs(look, kernel_state(stream), candidates, rise, fall)
    P = prior(state.fitted.popularity(), knobs.beta)[items]
    posteriors, gains = np.empty(len(items)), np.empty(len(items))
    _judge(look, items, P, knobs.alpha, knobs.gamma, posteriors, gains)
    scores, drawn = look.scores[items], np.searchsorted(items, candidates[0])
    taken, best = drawn[_best(gains[drawn], scores[drawn])], _best(gains, scores)
    return Gains(items, scores, look.F[items], P, posteriors, gains, drawn, int(taken), int(best))


def _visits(state: ModelState, users: NDArray[np.integer], references: int) -> Iterator[tuple[int, Look]]:
    """What is known of each user in turn. The arrays are the next one's too: use them before going on."""
    n_items = state.fitted.n_items
    taken, places = np.zeros(n_items, np.uint8), np.empty(n_items, np.int32)
    exps, F = np.empty(n_items, np.float32), np.empty(n_items, np.float32)
    counts, bins = np.empty(BINS, np.int32), np.empty(BINS, np.float32)
    at_once = max(1, SCORED_AT_ONCE // n_items)
    for begin in range(0, len(users), at_once):
        block = users[begin : begin + at_once]
        for user, scores in zip(block, state.users[block] @ state.items.T, strict=True):
            row = np.array(state.fitted.row(user), np.int32)
            taken[row] = 1
            rest = np.flatnonzero(taken == 0).astype(np.int32)
            _look_at(scores, exps, places, counts, bins, F)
            ups, downs = (np.empty(n, np.float32) for n in (references, min(references, len(rest))))
            yield int(user), Look(row, taken, rest, scores, exps, F, ups, downs)
            taken[row] = 0
