"""From rows to a prepared data set: rating filter, duplicates, k-core, split, in this order.

Here: what is dropped, what is refused, and how both are told. Not here: the split rules (splits.py), and files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.datasets.prepared import Description, Prepared
from core.datasets.raw import Raw, Times
from core.datasets.splits import SPLIT_RULES, TEST, TRAIN, VALIDATION, Rows
from core.errors import BadInput, Unknown

LONGEST_LIST = 20  # the largest cutoff that every run is evaluated at
MIN_ITEMS = LONGEST_LIST + 1  # a list of k says something only if there is an item to leave out of it


@dataclass(frozen=True, slots=True)
class Options:
    """What a preparation is asked for. Raises BadInput for a value out of its range, Unknown for an unknown split."""

    min_rating: float | None = None
    """Rows rated lower are left out."""
    k_core: int = 0
    """Users and items with fewer interactions are left out, again and again until none is left; 0 and 1 keep all."""
    split: str = "random"
    test_share: float = 0.2
    validation_share: float = 0.1
    """Of what the test leaves, for choosing epochs and settings; 0 for none."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.split not in SPLIT_RULES:
            raise Unknown("split", self.split, SPLIT_RULES)
        _refuse_outside("--test-share", self.test_share, 0 < self.test_share < 1, "between 0 and 1")
        _refuse_outside(
            "--validation-share", self.validation_share, 0 <= self.validation_share < 1, "from 0 to below 1"
        )
        _refuse_outside("--k-core", self.k_core, self.k_core >= 0, "a whole number from 0")
        _refuse_outside("--seed", self.seed, 0 <= self.seed < 2**63, "a whole number from 0")
        rating = self.min_rating
        _refuse_outside("--min-rating", rating, rating is None or math.isfinite(rating), "a finite number")

    def to_json(self) -> dict[str, Any]:
        """Plain content."""
        return {name: getattr(self, name) for name in self.__slots__}

    def in_words(self) -> str:
        """How the data set was filtered and split, in a line."""
        rule = SPLIT_RULES[self.split]
        parts = [f"ratings of at least {self.min_rating:g}"] if self.min_rating is not None else []
        parts += [f"{self.k_core}-core"] if self.k_core > 1 else []
        split = [rule.test.format(self.test_share)]
        split += [rule.validation.format(self.validation_share) if self.validation_share else "no validation"]
        split += [f"seed {self.seed}"] if rule.uses_seed else []
        return "; ".join([*parts, f"split {rule.label.lower()}: {', '.join(split)}"])


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The rows that are left, each pair once, sorted by user, then item."""

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    ratings: NDArray[np.float64] | None
    times: Times | None
    held_out: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.users)

    def only(self, chosen: NDArray[Any]) -> _Kept:
        """The chosen rows: a mask or positions."""
        return _Kept(
            users=self.users[chosen],
            items=self.items[chosen],
            ratings=None if self.ratings is None else self.ratings[chosen],
            times=None if self.times is None else self.times[chosen],
            held_out=None if self.held_out is None else self.held_out[chosen],
        )


def prepare(raw: Raw, options: Options, about: Description, items: pa.Table | None = None) -> Prepared:
    """A prepared data set of these rows.

    items: titles, by text id (readers/items.py). Raises BadInput where nothing that can be evaluated is left.
    """
    notes: list[str] = []
    rows = _Kept(raw.users.numbers, raw.items.numbers, raw.ratings, raw.times, raw.held_out)
    rows = _rated(rows, options, raw.name, notes)
    rows = _once(rows, len(raw.items.texts), notes)
    rows = _core(rows, options.k_core, notes)
    _refuse_too_little(rows, raw, options)
    splits = _split(rows, options, raw.name)
    dropped = len(notes)
    rows, splits = _with_train(rows, splits, notes)
    _refuse_too_little(rows, raw, options)
    if not (splits == TEST).any():
        problem, mend = "no user has enough items to hold one out for test", "Take more data, or a larger share."
        if notes[dropped:]:
            problem, mend = "no user of the test split has an interaction in train", "Choose another split, or data."
        raise BadInput(raw.name, problem, mend)
    _note_untrained_items(rows, splits, notes)
    return _numbered(rows, splits, raw, replace(about, notes=(*about.notes, *notes)), options, items)


def effect_in_words(raw: Raw, prepared: Prepared) -> str:
    """What a preparation keeps: "943 of 943 users, 1,349 of 1,682 items, 99,287 of 100,000 interactions"."""
    pairs = (
        (len(prepared.user_ids), len(raw.users.texts), "users"),
        (len(prepared.item_ids), len(raw.items.texts), "items"),
        (len(prepared.users), len(raw), "interactions"),
    )
    return ", ".join(f"{kept:,} of {all_:,} {what}" for kept, all_, what in pairs)


def _refuse_outside(option: str, value: object, good: bool, allowed: str) -> None:
    if not good:
        raise BadInput(option, f"{value} cannot be used", f"It must be {allowed}.")


def _rated(rows: _Kept, options: Options, name: str, notes: list[str]) -> _Kept:
    if options.min_rating is None:
        return rows
    if rows.ratings is None:
        raise BadInput(name, "there is a smallest rating, but no column of ratings", "Name it: --rating-col.")
    high = rows.ratings >= options.min_rating
    _note(notes, int(np.count_nonzero(~high)), "interaction", f"rated below {options.min_rating:g}: left out")
    return rows.only(high)


def _once(rows: _Kept, n_items: int, notes: list[str]) -> _Kept:
    """Each pair once, sorted: the last by time, else by row, is kept; of a pair in train and test, the train row."""
    keys = rows.users.astype(np.int64) * n_items + rows.items
    if not (keys[1:] > keys[:-1]).all():
        order = np.argsort(keys, kind="stable")
        rows, keys = rows.only(order), keys[order]
    same = keys[1:] == keys[:-1]
    if not same.any():
        return rows
    if rows.held_out is not None:
        firsts = np.flatnonzero(np.concatenate([[True], ~same]))
        both = np.logical_or.reduceat(rows.held_out, firsts) & ~np.logical_and.reduceat(rows.held_out, firsts)
        _note(notes, int(np.count_nonzero(both)), "test interaction", "that train has, too: dropped from test")
        again = int(np.count_nonzero(same)) - int(np.count_nonzero(both))
    else:
        again = int(np.count_nonzero(same))
    _note(notes, again, "duplicate", f"dropped, the last by {'row' if rows.times is None else 'time'} kept")
    return rows.only(_last_of_each(rows, keys, same))


def _last_of_each(rows: _Kept, keys: NDArray[np.int64], same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The position of the row to keep for each key. Only rows with a double are sorted: they are few."""
    doubled = np.zeros(len(keys), bool)
    doubled[1:] |= same
    doubled[:-1] |= same
    at = np.flatnonzero(doubled)
    times = np.zeros(len(at)) if rows.times is None else rows.times[at]
    from_train = np.zeros(len(at), bool) if rows.held_out is None else ~rows.held_out[at]
    at = at[np.lexsort((times, from_train, keys[at]))]  # stable: equal times stay in the order of rows
    last = np.concatenate([keys[at][1:] != keys[at][:-1], [True]])
    return np.sort(np.concatenate([np.flatnonzero(~doubled), at[last]]))


def _core(rows: _Kept, k: int, notes: list[str]) -> _Kept:
    before = len(rows)
    while k > 1 and len(rows):
        enough = (np.bincount(rows.users)[rows.users] >= k) & (np.bincount(rows.items)[rows.items] >= k)
        if enough.all():
            break
        rows = rows.only(enough)
    _note(notes, before - len(rows), "interaction", f"outside the {k}-core: left out")
    return rows


def _split(rows: _Kept, options: Options, name: str) -> NDArray[np.int8]:
    if rows.held_out is not None and options.split != "given":
        raise BadInput(name, f"there is a test file, but the split is {options.split!r}", "Choose --split given.")
    rng = np.random.default_rng(np.random.SeedSequence(options.seed))
    view = Rows(name, rows.users, rows.times, rows.held_out)
    return SPLIT_RULES[options.split].split(view, options.test_share, options.validation_share, rng)


def _with_train(rows: _Kept, splits: NDArray[np.int8], notes: list[str]) -> tuple[_Kept, NDArray[np.int8]]:
    """Users without a train interaction cannot be modelled: they go, and are counted."""
    trained = np.bincount(rows.users[splits == TRAIN], minlength=rows.users.max(initial=0) + 1) > 0
    keep = trained[rows.users]
    lost = len(_present(rows.users[~keep]))
    _note(notes, lost, "user", f"without a train interaction: dropped ({_count(int((~keep).sum()), 'interaction')})")
    return rows.only(keep), splits[keep]


def _note_untrained_items(rows: _Kept, splits: NDArray[np.int8], notes: list[str]) -> None:
    never = np.setdiff1d(_present(rows.items), _present(rows.items[splits == TRAIN]))
    _note(notes, len(never), "item", "never seen in train: kept, nothing can be learnt about them")
    if not (splits == VALIDATION).any():
        notes.append("There is no validation split: epochs cannot be chosen on it.")


def _refuse_too_little(rows: _Kept, raw: Raw, options: Options) -> None:
    users, items = len(_present(rows.users)), len(_present(rows.items))
    whole = len(rows) == len(raw)
    mend = "Take more data." if whole else f"Take more data, or filter less (now: {options.in_words()})."
    if not len(rows):
        raise BadInput(raw.name, "nothing is left after filtering", mend)
    if users < 2:
        raise BadInput(raw.name, "there is only one user, and nothing to learn from others", mend)
    if items < MIN_ITEMS:
        problem = f"there are {items} items, and lists of {LONGEST_LIST} need at least {MIN_ITEMS} to choose from"
        raise BadInput(raw.name, problem, mend)


def _numbered(
    rows: _Kept, splits: NDArray[np.int8], raw: Raw, about: Description, options: Options, items: pa.Table | None
) -> Prepared:
    users, kept_items = _present(rows.users), _present(rows.items)
    item_ids = raw.items.texts.take(pa.array(kept_items))
    return Prepared(
        about=replace(about, prepared_how=options.in_words(), options=options.to_json()),
        user_ids=raw.users.texts.take(pa.array(users)),
        item_ids=item_ids,
        users=_renumbered(rows.users, users),
        items=_renumbered(rows.items, kept_items),
        splits=splits,
        ratings=rows.ratings,
        timestamps=None if rows.times is None else np.floor(rows.times).astype(np.int64),
        attributes=_attributes(item_ids, items),
    )


def _present(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """The distinct numbers, ascending: by counting, since sorting 25 million rows would cost seconds each time."""
    return np.flatnonzero(np.bincount(numbers))


def _renumbered(numbers: NDArray[np.int32], present: NDArray[np.int64]) -> NDArray[np.int32]:
    """The position of each number in `present`."""
    new = np.empty(int(present[-1]) + 1, np.int32)
    new[present] = np.arange(len(present), dtype=np.int32)
    return new[numbers]


def _attributes(item_ids: pa.Array, items: pa.Table | None) -> Mapping[str, pa.Array]:
    """The titles' columns in the order of the items; an item without a title has nulls."""
    if items is None:
        return {}
    at = pc.index_in(item_ids, items.column("id").combine_chunks())
    return {name: items.column(name).combine_chunks().take(at) for name in ("title", "year", "genres")}


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _note(notes: list[str], n: int, what: str, then: str) -> None:
    if n:
        notes.append(f"{_count(n, what)} {then}.")
