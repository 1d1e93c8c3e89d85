"""A data set small enough to count by hand, with runs on it. No pytest.

Users a, b, c, d, e over items i0..i4; + train, v validation, t test:

          i0  i1  i2  i3  i4        train counts: i0 4, i1 3, i2 1, i3 1, i4 0
    a      +   +   +   t            train and validation: i0 5, i1 3, i2 1, i3 2, i4 0
    b      +   +       v   t        hot: at least the count at position floor(.85 * 5) = 4 of 0 1 1 3 4, so i0 alone
    c      +   +   t
    d      +       t   +
    e      v                        (nothing in train)
"""

import numpy as np
import pyarrow as pa

from core.datasets import store
from core.datasets.prepared import Description, Prepared
from core.datasets.store import DatasetInfo
from core.settings import Settings

USERS, ITEMS = "abcde", ("i0", "i1", "i2", "i3", "i4")
SPLITS = {"+": 0, "v": 1, "t": 2}
TABLE = {"a": "+++t ", "b": "++ vt", "c": "++t  ", "d": "+ t+ ", "e": "v    "}
TRAIN_COUNTS = [4, 3, 1, 1, 0]


def hand_dataset(settings: Settings, titles: bool = True) -> DatasetInfo:
    """The data set above, published. The time of an interaction is 100 + its place in the table, its rating 4."""
    pairs = [(u, i, SPLITS[mark]) for u, user in enumerate(USERS) for i, mark in enumerate(TABLE[user]) if mark != " "]
    users, items, splits = (np.array(column) for column in zip(*pairs, strict=True))
    names = {"title": pa.array(["Star Wars", "Fargo", None, "Star Trek", "Alien"])} if titles else {}
    prepared = Prepared(
        about=Description("hand", "By hand", source="tests", prepared_how="by hand", notes=()),
        user_ids=pa.array(list(USERS)),
        item_ids=pa.array(list(ITEMS)),
        users=users.astype(np.int32),
        items=items.astype(np.int32),
        splits=splits,
        ratings=np.full(len(users), 4.0),
        timestamps=np.arange(100, 100 + len(users)),
        attributes=names,
    )
    return store.publish(settings, prepared)
