"""A small published data set for everybody's tests: long-tailed, with titles, every split filled. No pytest in here.

info = tiny_dataset(settings)              # published below settings.cache
dataset = store.read_dataset(info.folder)
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from core.datasets import store
from core.datasets.prepared import Description, Prepared
from core.datasets.store import DatasetInfo
from core.settings import Settings

USERS, ITEMS = 60, 80
GENRES = ("Drama", "Comedy", "Action, Thriller", "Documentary")


def tiny_prepared(seed: int = 0, name: str = "tiny") -> Prepared:
    """60 users x 80 items, about 900 interactions; item 0 is the hottest, and popularity falls with the number.

    Every user has at least 2 train, 1 validation and 2 test items; every item at least one interaction.
    """
    rng = np.random.default_rng(seed)
    users, items = _pairs(rng)
    order = np.lexsort((items, users))
    users, items = users[order], items[order]
    return Prepared(
        about=Description(name, "Tiny", source="made up for tests", prepared_how="random per user", notes=("made up",)),
        user_ids=pa.array([f"u{n:02d}" for n in range(USERS)]),
        item_ids=pa.array([f"i{n:02d}" for n in range(ITEMS)]),
        users=users,
        items=items,
        splits=_splits(rng, users),
        ratings=rng.integers(1, 6, len(users)).astype(np.float64),
        timestamps=1_000_000_000 + rng.permutation(len(users)).astype(np.int64),
        attributes={
            "title": pa.array([f"Title {n}" for n in range(ITEMS)]),
            "year": pa.array([1950 + n % 50 for n in range(ITEMS)], pa.int32()),
            "genres": pa.array([GENRES[n % len(GENRES)] for n in range(ITEMS)]),
        },
    )


def tiny_dataset(settings: Settings, seed: int = 0, name: str = "tiny") -> DatasetInfo:
    """The tiny data set, published: another seed is another data set."""
    return store.publish(settings, tiny_prepared(seed, name))


def with_a_full_user() -> Prepared:
    """The tiny data set under the name "full", whose user 0 took every item, all of them in train."""
    tiny = tiny_prepared(name="full")
    others = tiny.users != 0
    users = np.concatenate([np.zeros(ITEMS, np.int32), tiny.users[others]])
    return replace(
        tiny,
        users=users,
        items=np.concatenate([np.arange(ITEMS, dtype=np.int32), tiny.items[others]]),
        splits=np.concatenate([np.zeros(ITEMS, np.int8), tiny.splits[others]]),
        ratings=np.ones(len(users)),
        timestamps=np.arange(len(users), dtype=np.int64),
    )


def _pairs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    weights = 1 / np.arange(1, ITEMS + 1)
    taken = [rng.choice(ITEMS, rng.integers(10, 20), replace=False, p=weights / weights.sum()) for _ in range(USERS)]
    users = np.repeat(np.arange(USERS), [len(t) for t in taken])
    never = np.setdiff1d(np.arange(ITEMS), np.concatenate(taken))
    pairs = np.unique(
        np.concatenate([users * ITEMS + np.concatenate(taken), rng.integers(0, USERS, len(never)) * ITEMS + never])
    )
    users, items = np.divmod(pairs, ITEMS)
    return users.astype(np.int32), items.astype(np.int32)


def _splits(rng: np.random.Generator, users: np.ndarray) -> np.ndarray:
    order = np.lexsort((rng.random(len(users)), users))
    starts = np.concatenate([[0], np.cumsum(np.bincount(users))[:-1]])
    rank = np.empty(len(users), np.int64)
    rank[order] = np.arange(len(users)) - starts[users]
    return np.select([rank < 2, rank < 3], [2, 1], 0).astype(np.int8)
