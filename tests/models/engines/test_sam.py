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
            inside = (distance[:, k] > 0) & (distance[:, k] <= 4) if up else (distance[:, k] < 0) & (distance[:, k] >= -4)
            assert inside.all(), (user, item)
            assert set(np.unique(drawn[:, k])) == set(window)


def test_the_next_pair_goes_on_with_the_turns():
    pairs = fitted()
    made = SamPairs(pairs, np.random.default_rng(0))
    rank = np.argsort(np.argsort(pairs.popularity(), kind="stable"))
    middle = np.flatnonzero((rank[pairs.indices] > 10) & (rank[pairs.indices] < 30))[:1]
    user, item = pairs.users()[middle], pairs.indices[middle]
    free = Interactions.from_pairs(np.array([0]), np.array([int(item[0])]), 50, 40)
    made = SamPairs(free, np.random.default_rng(0))  # everything equally popular but one: ranks follow the number
    first = [made.draw(user * 0, item, turn)[0] for turn in (0, 1)]
    ranks = np.argsort(np.argsort(free.popularity(), kind="stable"))
    assert ranks[first[1]] < ranks[int(item[0])]  # the positive is the most popular: nothing above, all below


def test_a_user_with_one_item_left_gets_it_and_one_with_none_gets_none():
    users = np.concatenate([np.zeros(39, np.int64), np.ones(40, np.int64)])
    items = np.concatenate([np.delete(np.arange(40), 7), np.arange(40)])
    pairs = Interactions.from_pairs(users, items, 2, 40)
    drawn = SamPairs(pairs, np.random.default_rng(0)).draw(pairs.users(), pairs.indices, 0)
    assert (drawn[:39] == 7).all()
    assert (drawn[39:] == -1).all()
    assert TRIES < 39  # so that the whole catalogue was asked
