"""How interactions are split into train, validation and test.

Here: the rules, on arrays sorted by user, then item, so that a split never depends on the order of a file's rows.
Not here: what happens to users left without train (preparation.py).
A new rule is one function and one row of SPLIT_RULES.

Every rule returns (n,) int8 positions in `prepared.SPLITS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.prepared import SPLITS
from core.datasets.raw import Times
from core.errors import BadInput

TRAIN, VALIDATION, TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a rule may look at. users (n,) ascending; times and held_out (n,) where the source has them."""

    name: str
    users: NDArray[np.int32]
    times: Times | None = None
    held_out: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class SplitRule:
    """One way to split: rows, test share, validation share, generator -> codes."""

    label: str
    line: str
    split: Callable[[Rows, float, float, np.random.Generator], Codes]
    test: str = "{:.3g} for test"
    validation: str = "{:.3g} of the rest for validation"
    uses_seed: bool = True


def random_per_user(rows: Rows, test_share: float, validation_share: float, rng: np.random.Generator) -> Codes:
    """Of each user's n items, round(n test_share) for test, then that share of the rest for validation.

    At least one stays in train. Halves are rounded up. The test items do not depend on the validation share.
    """
    rank, length = _random_rank(rows.users, rng)
    n_test = _rounded_share(length, test_share)
    n_validation = _rounded_share(length - n_test, validation_share)
    n_test, n_validation = n_test[rows.users], n_validation[rows.users]
    return np.select([rank < n_test, rank < n_test + n_validation], [TEST, VALIDATION], TRAIN).astype(np.int8)


def temporal(rows: Rows, test_share: float, validation_share: float, _: np.random.Generator) -> Codes:
    """One cut in time for everybody: what comes later is test; what comes latest of the rest is validation."""
    times = _times(rows, "temporal")
    codes = np.full(len(times), TRAIN, np.int8)
    is_test = times >= _cut(times, test_share, rows.name)
    codes[is_test] = TEST
    if validation_share:
        early = times[~is_test]
        codes[~is_test & (times >= _cut(early, validation_share, rows.name))] = VALIDATION
    return codes


def leave_one_out(rows: Rows, _: float, validation_share: float, __: np.random.Generator) -> Codes:
    """Each user's last item for test, the one before for validation (none with a validation share of 0).

    A user with one item keeps it in train, with two there is no validation item.
    Of equal times the greater item id is last.
    """
    times = _times(rows, "leave-one-out")
    order = np.lexsort((times, rows.users))  # stable: equal times stay in the order of items
    length = np.bincount(rows.users)
    from_end = np.empty(len(times), np.int64)
    from_end[order] = np.cumsum(length)[rows.users] - 1 - np.arange(len(times))
    n = length[rows.users]
    is_validation = (from_end == 1) & (n > 2) & (validation_share > 0)
    return np.select([(from_end == 0) & (n > 1), is_validation], [TEST, VALIDATION], TRAIN).astype(np.int8)


def given(rows: Rows, _: float, validation_share: float, rng: np.random.Generator) -> Codes:
    """Test is the separate file; validation is cut from train at random per user, since the file's rule is unknown."""
    if rows.held_out is None:
        raise BadInput(rows.name, "the split is 'given', but there is no test file", "Add it with --test FILE.")
    codes = np.full(len(rows.users), TEST, np.int8)
    train = Rows(rows.name, rows.users[~rows.held_out])
    rank, length = _random_rank(train.users, rng)
    codes[~rows.held_out] = np.where(rank < _rounded_share(length, validation_share)[train.users], VALIDATION, TRAIN)
    return codes


SPLIT_RULES: dict[str, SplitRule] = {
    "random": SplitRule("Random per user", "A share of each user's items, drawn at random.", random_per_user),
    "temporal": SplitRule("Temporal", "One cut in time for everybody; later is test.", temporal, uses_seed=False),
    "leave-one-out": SplitRule(
        "Leave one out",
        "Each user's last item by time.",
        leave_one_out,
        test="the last for test",
        validation="the one before for validation",
        uses_seed=False,
    ),
    "given": SplitRule("Given", "A separate test file.", given, test="a file of its own for test"),
}


def _random_rank(users: NDArray[np.int32], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each row its place in a random order of its user's rows, (n,); and how many rows each user has, (U,)."""
    keys = (users.astype(np.int64) << 32) | rng.integers(0, 1 << 32, len(users))
    order = np.argsort(keys, kind="stable")  # stable, so that equal draws are in the same order everywhere
    length = np.bincount(users)
    start = np.cumsum(length) - length
    rank = np.empty(len(users), np.int64)
    rank[order] = np.arange(len(users)) - start[users]
    return rank, length


def _rounded_share(n: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """That share of n, halves up, leaving at least one."""
    rounded: NDArray[np.int64] = np.floor(n * share + 0.5).astype(np.int64)
    return np.minimum(rounded, n - 1)


def _times(rows: Rows, rule: str) -> Times:
    if rows.times is None:
        raise BadInput(
            rows.name,
            f"the split {rule!r} needs a time for each row",
            "Name the column: --time-col, or choose --split random.",
        )
    return rows.times


def _cut(times: Times, share: float, name: str) -> float:
    """The time from which on that share of the rows lies, as nearly as equal times allow; both sides hold something."""
    moments, counts = np.unique(times, return_counts=True)
    if len(moments) < 2:
        raise BadInput(name, "all rows to be cut have the same time", "Choose --split random.")
    later = len(times) - np.cumsum(counts)[:-1]  # rows from moments[1:] on
    at = 1 + int(np.argmin(np.abs(later - share * len(times))))
    cut: float = moments[at].item()  # a whole number stays one, so that long times are compared exactly
    return cut
