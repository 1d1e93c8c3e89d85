"""SAM pairs: whose turn it is, the window, and users with few items left."""

import numpy as np

from core.datasets.interactions import Interactions
from core.models.engines.sam import TRIES, SamPairs


def fitted():
    """50 users, 40 items; item k is taken by users k and up, so popularity falls with the number."""
    pairs = [(u, i) for u in range(50) for i in range(min(u + 1, 40)) if (u + i) % 3]
    users, items = map(np.array, zip(*pairs, strict=True))
    return Interactions.from_pairs(users, items, 50, 40)


def draws(pairs, times=200):
    made = SamPairs(pairs, np.random.default_rng(0))
    users, items = pairs.users(), pairs.indices
    return users, items, np.array([made.draw(users, items, 0) for _ in range(times)])


def test_a_negative_is_not_taken_and_everyone_gets_one():
    pairs = fitted()
    users, _, drawn = draws(pairs)
    assert drawn.min() >= 0
    assert not any(item in pairs.row(user) for sample in drawn[:5] for user, item in zip(users, sample, strict=True))


def test_popularity_above_and_below_take_turns():
    pairs = fitted()
    users, items, drawn = draws(pairs)
    rank = np.empty(40, np.int64)
    rank[np.argsort(pairs.popularity(), kind="stable")] = np.arange(40)
    distance = rank[drawn] - rank[items]
    free = [[i for i in range(40) if i not in pairs.row(u)] for u in users]
    for k, (user, item) in enumerate(zip(users, items, strict=True)):
        up = k % 2 == 0
        window = [i for i in free[k] if (0 < rank[i] - rank[item] <= 4 if up else 0 < rank[item] - rank[i] <= 4)]
        if len(window) == 4:  # nothing of it taken: every draw stays inside
            inside = (
                (distance[:, k] > 0) & (distance[:, k] <= 4) if up else (distance[:, k] < 0) & (distance[:, k] >= -4)
            )
            assert inside.all(), (user, item)
            assert set(np.unique(drawn[:, k])) == set(window)


def test_the_next_pair_goes_on_with_the_turns():
    """User 0 took item 20 alone; item k was taken by 40 - k others, so item 19 is more popular and 21 less."""
    others = [(u, i) for i in range(40) for u in range(1, 41 - i)]
    users, items = map(np.array, zip((0, 20), *others, strict=True))
    made = SamPairs(Interactions.from_pairs(users, items, 41, 40), np.random.default_rng(0))
    pair = np.array([0], np.int32), np.array([20], np.int32)
    assert all(made.draw(*pair, first)[0] < 20 for first in (0, 2, 4))
    assert all(made.draw(*pair, first)[0] > 20 for first in (1, 3, 5))


def test_a_user_with_one_item_left_gets_it_and_one_with_none_gets_none():
    users = np.concatenate([np.zeros(39, np.int64), np.ones(40, np.int64)])
    items = np.concatenate([np.delete(np.arange(40), 7), np.arange(40)])
    pairs = Interactions.from_pairs(users, items, 2, 40)
    drawn = SamPairs(pairs, np.random.default_rng(0)).draw(pairs.users(), pairs.indices, 0)
    assert (drawn[:39] == 7).all()
    assert (drawn[39:] == -1).all()
    assert TRIES < 39  # so that the whole catalogue was asked
