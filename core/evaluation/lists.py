"""Anybody's top-k lists: read a file, repair it by stated rules, count every repair, measure.

Here: the one file format of evaluation (CSV or Parquet with `user,item,rank`, optional `split`; other columns, such as
`score`, are not looked at). Not here: what lists are worth (measure.py), and interactions' formats (core/datasets).
The rules, in this order; each that was needed is a sentence in the answer's notes, with its count:

1. Rows of another split than the one measured are left out; an empty split means test. Without that column all rows
   are of the split that is asked for.
2. Rows of users that the data set lacks are left out.
3. Ranks give the order only: gaps close, a list may begin at 0, equal ranks go by the order of their rows.
4. Rows with items that the data set lacks are left out, and the list closes up.
5. A repeated item keeps its best rank, and the list closes up.
6. Items that the user already took in what models are trained on are left out, and the list closes up: ours never
   show them either.
7. Lists of users without held-out items are not measured.
8. Users with held-out items and no list left count as empty lists; missing places of short lists count as misses.

Refused: missing columns, empty files, empty ids, ranks that are no whole numbers, files of which nothing is left.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.store import Dataset
from core.errors import BadInput
from core.evaluation.groups import Head
from core.evaluation.measure import Evaluation, evaluate_lists, evaluated_users
from core.evaluation.metrics import CUTOFFS

Split = Literal["validation", "test"]
CountOn = Literal["train", "all"]

REQUIRED = ("user", "item", "rank")
MEND = "A list file has the columns user,item,rank (rank from 1), and may have split and score."


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Lists matched to a data set, repaired, in the data set's numbers."""

    users: NDArray[np.int32]
    """(m,) distinct user numbers, ascending, all with held-out items."""
    items: NDArray[np.int32]
    """(m, k) item numbers, best first, -1 behind the end."""
    notes: tuple[str, ...]
    """What was left out or repaired, a sentence each, with its count."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of a file in list order: by user, then rank, then place in the file. All (n,)."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]  # -1: not in the data set
    rank: NDArray[np.float64]

    def where(self, keep: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.user[keep], self.item[keep], self.rank[keep])

    def place(self) -> NDArray[np.int64]:
        """Each row's place in its user's list, from 0."""
        starts = np.searchsorted(self.user, self.user)
        return np.arange(len(self.user)) - starts


@dataclass(frozen=True, slots=True, eq=False)
class _Repaired:
    """What rules 1 to 7 leave."""

    rows: _Rows
    trained_on: Interactions
    held_out: Interactions
    longest: int
    """Places of the longest list, before items that users already took were left out."""
    notes: list[str]


def evaluate_lists_file(
    path: Path, dataset: Dataset, k: int = 10, count_on: CountOn = "train", head: Head = "items", split: Split = "test"
) -> dict[str, Any]:
    """The metrics of a file of lists on a data set: the answer of `evaluate DATASET LISTS`, as JSON-like content.

    count_on: popularity is counted on what models are trained on ("train": at test train + validation), or on the
    held-out split too ("all", as the AUC-NS authors do). split: whose held-out items count; a file without that column
    is of the split asked for. Raises BadInput.
    """
    if not 1 <= k <= dataset.n_items:
        raise BadInput(f"k={k}", "lists of that length cannot be", f"Use a whole number from 1 to {dataset.n_items:,}.")
    lists = match_lists(read_lists(path, split), dataset, k, split, path.name)
    evaluation = measure_lists(lists, dataset, k, count_on, head, split)
    return {
        "dataset": dataset.id,
        "split": split,
        "users": len(evaluation.users),
        "k": k,
        "notes": list(lists.notes),
        "metrics": evaluation.metrics,
    }


def measure_lists(
    lists: Lists, dataset: Dataset, k: int, count_on: CountOn = "train", head: Head = "items", split: Split = "test"
) -> Evaluation:
    """All metrics that need no scores, for every user with held-out items (docs/metrics.md)."""
    trained_on, held_out = _sides(dataset, split)
    counted_on = trained_on.merged(held_out) if count_on == "all" else trained_on
    return evaluate_lists(lists.items, lists.users, held_out, counted_on, (k,), head, trained_on, trained_on)


def read_lists(path: Path, split: Split = "test") -> tuple[pa.Table, tuple[str, ...]]:
    """The rows of one split as columns user, item (text), rank (float64, whole), and the notes of rule 1.

    Told from the content: Parquet, or text separated by commas, semicolons or tabs. Raises BadInput.
    """
    table = _read(path)
    notes: list[str] = []
    if "split" in table.column_names:
        whole, table = table.num_rows, table.filter(_of_split(table, split))
        if table.num_rows == 0:
            raise BadInput(path.name, f"it has no rows of split {split!r}", f"Leave the column out to mean {split}.")
        others = whole - table.num_rows
        _note(notes, others, f"Left out: {_count(others, 'row')} of other splits than {split}.")
    return _checked(path, table), tuple(notes)


def read_every_split(path: Path) -> tuple[dict[Split, pa.Table], tuple[str, ...]]:
    """As `read_lists`, of each split that the file has rows of: test alone where it has no column `split`.

    The notes are those of rule 1: rows of neither split. Raises BadInput.
    """
    table = _read(path)
    if "split" not in table.column_names:
        return {"test": _checked(path, table)}, ()
    found = {split: table.filter(_of_split(table, split)) for split in get_args(Split)}
    parts = {split: _checked(path, part) for split, part in found.items() if part.num_rows}
    if not parts:
        mend = "Leave the column out to mean test."
        raise BadInput(path.name, "it has no rows of split 'test' or 'validation'", mend)
    notes: list[str] = []
    others = table.num_rows - sum(part.num_rows for part in parts.values())
    _note(notes, others, f"Left out: {_count(others, 'row')} of other splits than test and validation.")
    return parts, tuple(notes)


def _read(path: Path) -> pa.Table:
    table = _read_parquet(path) if _is_parquet(path) else _read_text(path)
    if table.num_rows == 0:
        raise BadInput(path.name, "it holds no rows", MEND)
    return table


def _of_split(table: pa.Table, split: Split) -> pa.ChunkedArray:
    """Rule 1: an empty split means test."""
    return pc.or_kleene(pc.equal(table["split"], split), _is_empty(table["split"]) if split == "test" else False)


def _checked(path: Path, table: pa.Table) -> pa.Table:
    """Rows that name a user, an item and a rank; the rank as a number."""
    for column in ("user", "item"):
        _refuse_first(path, column, _is_empty(table[column]), "is empty", "Every row names a user and an item.")
    rank = pc.utf8_trim_whitespace(table["rank"])
    no_rank = pc.invert(pc.fill_null(pc.match_substring_regex(rank, r"^[0-9]+(\.0*)?$"), False))
    _refuse_first(path, "rank", no_rank, "is no whole number", "Number each user's items 1, 2, 3 from the best.")
    return table.select(["user", "item"]).append_column("rank", rank.cast(pa.float64()))


def match_lists(
    read: tuple[pa.Table, tuple[str, ...]], dataset: Dataset, k: int, split: Split = "test", name: str = "The lists"
) -> Lists:
    """Rules 2 to 8: rows of `read_lists` as lists of k in the data set's numbers.

    name: what a refusal calls the file. Raises BadInput where nothing is left to measure.
    """
    return _packed(_repaired(read, dataset, split, name), k, split)


def match_lists_at_cutoffs(
    read: tuple[pa.Table, tuple[str, ...]],
    dataset: Dataset,
    split: Split = "test",
    name: str = "The lists",
    cutoffs: Sequence[int] = CUTOFFS,
) -> tuple[Lists, tuple[int, ...]]:
    """As `match_lists`, as long as the largest cutoff that the lists reach, and the cutoffs that they do.

    A cutoff is reached if one list is as long, or as long as any could be that shows nobody what they took. Lists of
    ten are not measured at twenty, where half of their places would count as misses beside lists of twenty. At the
    smallest cutoff all are measured.
    """
    found = _repaired(read, dataset, split, name)
    most = dataset.n_items - int(found.trained_on.lengths()[evaluated_users(found.held_out)].min())
    first = min(cutoffs)
    reached = tuple(k for k in cutoffs if k == first or found.longest >= min(k, most))
    beyond = [str(k) for k in cutoffs if k not in reached]
    longest = f"no list is longer than {found.longest}"
    _note(found.notes, len(beyond), f"Not measured at {' and '.join(beyond)}: {longest}.")
    return _packed(found, max(reached), split), reached


def _repaired(read: tuple[pa.Table, tuple[str, ...]], dataset: Dataset, split: Split, name: str) -> _Repaired:
    table, before = read
    notes = list(before)
    trained_on, held_out = _sides(dataset, split)
    rows = _known_users(_in_numbers(table, dataset), notes)
    _note_order(rows, notes)
    rows = _known_items(rows, notes)
    rows = _without_repeats(rows, dataset.n_items, notes)
    longest = int(rows.place().max(initial=-1)) + 1
    rows = _without_trained(rows, trained_on, notes)
    rows = _with_held_out(rows, held_out, split, notes)
    if len(rows.user) == 0:
        example = f"for example user {dataset.user_ids[0]!r} and item {dataset.item_ids[0]!r}"
        found = " ".join(notes)
        raise BadInput(name, f"nothing is left to measure. {found}".rstrip("."), f"Use the data set's ids, {example}.")
    return _Repaired(rows, trained_on, held_out, longest, notes)


def _packed(found: _Repaired, k: int, split: Split) -> Lists:
    """Rule 8: lists of k, with what is missing counted."""
    rows, notes = found.rows, found.notes
    users, row_of = np.unique(rows.user, return_inverse=True)
    place = rows.place()
    items = np.full((len(users), k), -1, np.int32)
    items[row_of[place < k], place[place < k]] = rows.item[place < k]
    missing = len(evaluated_users(found.held_out)) - len(users)
    short = int((items[:, -1] < 0).sum())
    _note(notes, missing, f"Counted as empty lists: {_count(missing, 'user')} with {split} items and no list.")
    _note(notes, short, f"Missing places counted as misses: {_count(short, 'list')} shorter than {k}.")
    return Lists(users.astype(np.int32), items, tuple(notes))


def known_lists(table: pa.Table, dataset: Dataset, k: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lists as `match_lists` left them, from rows of user, item (text) and rank (from 1): users (m,), items (m, k).

    Raises ValueError where a row is of no user or item of the data set, or beyond rank k.
    """
    user, item = _numbers(table, dataset)
    rank = table["rank"].to_numpy().astype(np.int64)
    if len(user) and (min(user.min(), item.min()) < 0 or rank.min() < 1 or rank.max() > k):
        raise ValueError("it holds a user, an item or a rank that the data set lacks")
    users, row_of = np.unique(user, return_inverse=True)
    items = np.full((len(users), k), -1, np.int32)
    items[row_of, rank - 1] = item
    return users.astype(np.int32), items


def _sides(dataset: Dataset, split: Split) -> tuple[Interactions, Interactions]:
    """What users may not be shown, and what they are asked for: at test, validation is known as well."""
    if split == "validation":
        return dataset.train, dataset.validation
    return dataset.train.merged(dataset.validation), dataset.test


def _numbers(table: pa.Table, dataset: Dataset) -> list[NDArray[np.int64]]:
    """Users and items by number, (n,) each; -1 for those that the data set lacks."""
    return [
        pc.fill_null(pc.index_in(table[column], value_set=pa.array(ids, pa.string())), -1).to_numpy().astype(np.int64)
        for column, ids in (("user", dataset.user_ids), ("item", dataset.item_ids))
    ]


def _in_numbers(table: pa.Table, dataset: Dataset) -> _Rows:
    user, item = _numbers(table, dataset)
    rank = table["rank"].to_numpy()
    order = np.lexsort((rank, user))  # stable: equal ranks keep the order of their rows
    return _Rows(user[order], item[order], rank[order])


def _known_users(rows: _Rows, notes: list[str]) -> _Rows:
    known = rows.user >= 0
    _note(notes, n := int((~known).sum()), f"Left out: {_count(n, 'row')} of users that the data set lacks.")
    return rows.where(known)


def _note_order(rows: _Rows, notes: list[str]) -> None:
    odd = len(np.unique(rows.user[rows.rank != rows.place() + 1]))
    _note(notes, odd, f"Ranks taken as an order only: {_count(odd, 'list')} not numbered 1, 2, 3 and so on.")


def _known_items(rows: _Rows, notes: list[str]) -> _Rows:
    known = rows.item >= 0
    _note(notes, n := int((~known).sum()), f"Left out: {_count(n, 'row')} with items that the data set lacks.")
    return rows.where(known)


def _without_repeats(rows: _Rows, n_items: int, notes: list[str]) -> _Rows:
    first = np.zeros(len(rows.user), np.bool_)
    first[np.unique(rows.user * n_items + rows.item, return_index=True)[1]] = True
    repeated = int((~first).sum())
    _note(notes, repeated, f"Left out: {_count(repeated, 'row')} that repeat an item of the list at a worse rank.")
    return rows.where(first)


def _without_trained(rows: _Rows, trained_on: Interactions, notes: list[str]) -> _Rows:
    pairs = trained_on.users().astype(np.int64) * trained_on.n_items + trained_on.indices
    new = ~np.isin(rows.user * trained_on.n_items + rows.item, pairs)
    _note(
        notes, n := int((~new).sum()), f"Left out: {_count(n, 'row')} with items that the user took in training data."
    )
    return rows.where(new)


def _with_held_out(rows: _Rows, held_out: Interactions, split: Split, notes: list[str]) -> _Rows:
    asked = held_out.lengths()[rows.user] > 0
    n_lists = len(np.unique(rows.user[~asked]))
    _note(notes, n_lists, f"Not measured: {_count(n_lists, 'list')} of users without {split} items.")
    return rows.where(asked)


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as error:
        raise BadInput(str(path), f"it cannot be read ({error.strerror})", "Check the path.") from error


def _read_parquet(path: Path) -> pa.Table:
    """The wanted columns as text. Whole numbers are ids too; fractions are not: how were they written?"""
    try:
        names = pq.read_schema(path).names
        wanted = _wanted(path, names)
        table = pq.read_table(path, columns=wanted)
        for column in ("user", "item"):
            kind = table.schema.field(column).type
            if pa.types.is_floating(kind):
                raise BadInput(
                    f"{path.name}, column {column}", "ids are fractions", "Write ids as text or whole numbers."
                )
        return pa.table({name: table[name].cast(pa.string()) for name in wanted})
    except (pa.ArrowException, OSError) as error:  # damaged pages are an OSError
        raise BadInput(path.name, f"it is no Parquet file that can be read ({_line(error)})", MEND) from error


def _read_text(path: Path) -> pa.Table:
    """The wanted columns as text, without inference: 007 and 7 are two ids."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(1 << 16)
        delimiter = max(",;\t", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        wanted = _wanted(path, names)
        return pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
            ),
        )
    except UnicodeDecodeError as error:
        raise BadInput(path.name, "it is neither Parquet nor text in UTF-8", MEND) from error
    except pa.ArrowException as error:
        raise BadInput(path.name, f"it cannot be read as a table ({_line(error)})", MEND) from error


def _wanted(path: Path, names: list[str]) -> list[str]:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        found = ", ".join(names) or "none"
        raise BadInput(path.name, f"column {' and '.join(missing)} is missing (found: {found})", MEND)
    wanted = [name for name in (*REQUIRED, "split") if name in names]
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise BadInput(path.name, f"column {twice[0]} is there twice", MEND)
    return wanted


def _is_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)


def _refuse_first(path: Path, column: str, bad: pa.ChunkedArray, problem: str, mend: str) -> None:
    at = pc.index(bad, True).as_py()
    if at >= 0:
        raise BadInput(f"{path.name}, row {at + 1}, column {column}", f"the value {problem}", mend)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


def _note(notes: list[str], n: int, sentence: str) -> None:
    if n:
        notes.append(sentence)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
