"""Filters in their order, what is dropped and counted, and what is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.preparation import MIN_ITEMS, Options, effect_in_words, prepare
from core.datasets.prepared import SPLITS, Description, Prepared
from core.datasets.raw import Raw, with_test
from core.datasets.readers.columns import Column, as_ids
from core.errors import BadInput, Unknown
from tests.datasets.files import Row, rows

ROWS = rows()
ABOUT = Description("x", "X", "a test")


def raw_of(lines: list[Row], rated: bool = True, timed: bool = True) -> Raw:
    users, items, ratings, times = zip(*lines, strict=True) if lines else ((), (), (), ())
    columns = [Column("f.csv", "id", pa.chunked_array([pa.array(c, pa.string())]), str) for c in (users, items)]
    return Raw(
        "f.csv",
        as_ids(columns[0]),
        as_ids(columns[1]),
        np.array(ratings, float) if rated else None,
        np.array(times, np.int64) if timed else None,
    )


def prepared(lines: list[Row], **options: Any) -> Prepared:
    return prepare(raw_of(lines), Options(**options), ABOUT)


def pairs(data: Prepared, *splits: str) -> set[tuple[str, str]]:
    users, items = (np.array(ids.to_pylist()) for ids in (data.user_ids, data.item_ids))
    chosen = np.isin(data.splits, [SPLITS.index(s) for s in splits or SPLITS])
    return set(zip(users[data.users[chosen]].tolist(), items[data.items[chosen]].tolist(), strict=True))


def test_rows_come_out_sorted_numbered_and_once() -> None:
    data = prepared(ROWS)
    keys = data.users.astype(int) * len(data.item_ids) + data.items
    assert (np.diff(keys) > 0).all()
    assert data.user_ids.to_pylist() == sorted({user for user, *_ in ROWS})  # as text: "10" before "2"
    assert data.item_ids.to_pylist() == sorted({item for _, item, *_ in ROWS})
    assert pairs(data) == {(user, item) for user, item, *_ in ROWS}
    assert data.about.notes == ()


@pytest.mark.parametrize("split", ["random", "temporal", "leave-one-out"])
def test_the_order_of_rows_changes_nothing(split: str) -> None:
    one, other = prepared(ROWS, split=split), prepared(ROWS[::-1], split=split)
    assert one.id == other.id
    assert one.ratings is not None and other.ratings is not None
    np.testing.assert_array_equal(one.ratings, other.ratings)


def test_the_id_depends_on_pairs_and_splits_only() -> None:
    data = prepared(ROWS)
    rated_otherwise = prepared([(user, item, 5, 1) for user, item, *_ in ROWS])
    assert data.id == rated_otherwise.id
    assert data.id != prepared(ROWS, seed=1).id  # other splits
    assert data.id != prepared(ROWS[1:]).id
    assert data.id != prepared([(user + "0", item, *rest) for user, item, *rest in ROWS]).id


def test_the_rating_filter_comes_before_duplicates() -> None:
    """The last row of a pair is rated too low: the earlier one counts."""
    user, item, _, time = ROWS[0]
    data = prepared([(u, i, 5, t) for u, i, _, t in ROWS] + [(user, item, 1, time + 10_000)], min_rating=2)
    assert data.about.notes == ("1 interaction rated below 2: left out.",)
    assert pairs(data) == {(u, i) for u, i, *_ in ROWS}


@pytest.mark.parametrize(("timed", "kept"), [(True, 2.0), (False, 3.0)])
def test_of_duplicates_the_last_by_time_else_by_row_is_kept(timed: bool, kept: float) -> None:
    user, item, _, time = ROWS[0]
    lines = [(user, item, 1, time + 1), (user, item, 2, time + 9), *ROWS[1:], (user, item, 3, time + 5)]
    data = prepare(raw_of(lines, timed=timed), Options(), ABOUT)
    at = (data.user_ids.index(user).as_py() == data.users) & (data.item_ids.index(item).as_py() == data.items)
    assert data.ratings is not None and data.ratings[at].tolist() == [kept]
    assert data.about.notes == (f"2 duplicates dropped, the last by {'time' if timed else 'row'} kept.",)
    assert data.id == prepared(ROWS).id


def naive_core(taken: set[tuple[int, int]], k: int) -> set[tuple[int, int]]:
    users, items = Counter(u for u, _ in taken), Counter(i for _, i in taken)
    kept = {(u, i) for u, i in taken if users[u] >= k and items[i] >= k}
    return kept if kept == taken else naive_core(kept, k)


@given(st.integers(0, 2**32), st.floats(0.1, 0.9), st.integers(0, 6))
@settings(max_examples=50)
def test_k_core_agrees_with_a_second_definition(seed: int, density: float, k: int) -> None:
    took = np.random.default_rng(seed).random((10, 40)) < density * np.linspace(1.5, 0, 40)
    taken = {(int(u), int(i)) for u, i in np.argwhere(took)}
    expected = naive_core(taken, k)
    lines = [(f"u{u}", f"i{i}", 1, 1) for u, i in sorted(taken)]
    if len({i for _, i in expected}) < MIN_ITEMS:
        with pytest.raises(BadInput):
            prepared(lines, k_core=k)
    else:
        assert pairs(prepared(lines, k_core=k)) == {(f"u{u}", f"i{i}") for u, i in expected}


def test_a_given_test_file_is_kept_and_its_repairs_are_counted() -> None:
    train = ROWS[:-20]
    known = {user for user, *_ in train}
    extra = [train[0], ("stranger", "101", 5, 1), ("stranger", "102", 5, 1), (train[0][0], "never seen", 5, 1)]
    raw = with_test(raw_of(train), raw_of([*ROWS[-20:], *extra]))
    data = prepare(raw, Options(split="given", validation_share=0.1), ABOUT)
    assert known == {user for user, *_ in ROWS}
    assert pairs(data, "test") == {(u, i) for u, i, *_ in [*ROWS[-20:], extra[3]]}
    assert pairs(data, "train", "validation") == {(u, i) for u, i, *_ in train}
    assert data.about.notes == (
        "1 test interaction that train has, too: dropped from test.",
        "1 user without a train interaction: dropped (2 interactions).",
        "1 item never seen in train: kept, nothing can be learnt about them.",
    )


def test_every_user_has_train_after_a_temporal_split() -> None:
    data = prepared([*ROWS, ("late", "101", 5, 2_000_000_000)], split="temporal", validation_share=0)
    assert set(np.unique(data.users[data.splits == 0])) == set(range(len(data.user_ids)))
    assert "1 user without a train interaction: dropped (1 interaction)." in data.about.notes
    assert "There is no validation split: epochs cannot be chosen on it." in data.about.notes


def test_times_are_stored_whole_but_compared_exactly() -> None:
    raw = raw_of(ROWS)
    assert raw.times is not None
    exact = Raw(raw.name, raw.users, raw.items, raw.ratings, raw.times / 1e6)  # many within the same second
    assert prepare(raw, Options(split="temporal"), ABOUT).id == prepare(exact, Options(split="temporal"), ABOUT).id
    stored = prepare(exact, Options(), ABOUT).timestamps
    assert stored is not None and stored.dtype == np.int64 and set(stored) == {900}


def test_titles_go_to_their_items() -> None:
    titles = pa.table(
        {
            "id": ["105", "101", "no such item"],
            "title": ["five", "one", "none"],
            "year": pa.array([1905, None, 1], pa.int32()),
            "genres": pa.array(["a, b", None, "c"]),
        }
    )
    data = prepare(raw_of(ROWS), Options(), ABOUT, titles)
    by_id = dict(zip(data.item_ids.to_pylist(), data.attributes["title"].to_pylist(), strict=True))
    assert {item: title for item, title in by_id.items() if title} == {"101": "one", "105": "five"}
    assert data.attributes["year"].null_count == len(data.item_ids) - 1


def test_how_it_was_prepared_is_told() -> None:
    words = Options(min_rating=3.5, k_core=5, split="temporal", validation_share=0).in_words()
    assert words == "ratings of at least 3.5; 5-core; split temporal: 0.2 for test, no validation"
    data = prepared(ROWS, k_core=2)
    assert data.about.prepared_how == (
        "2-core; split random per user: 0.2 for test, 0.1 of the rest for validation, seed 0"
    )
    assert Options(**data.about.options) == Options(k_core=2)


def test_the_effect_is_counted() -> None:
    raw = raw_of([*ROWS, ("lonely", "101", 5, 1)])
    words = effect_in_words(raw, prepare(raw, Options(k_core=2), ABOUT))
    assert words == f"12 of 13 users, 25 of 25 items, {len(ROWS):,} of {len(ROWS) + 1:,} interactions"


@pytest.mark.parametrize(
    ("lines", "options", "problem"),
    [
        (ROWS, {"min_rating": 6}, r"f\.csv: nothing is left after filtering\. .*ratings of at least 6"),
        (ROWS, {"k_core": 50}, r"f\.csv: nothing is left after filtering\. .*50-core"),
        ([r for r in ROWS if r[0] == "1"], {}, r"f\.csv: there is only one user"),
        ([r for r in ROWS if int(r[1]) < 121], {}, r"f\.csv: there are 20 items, and lists of 20 need at least 21"),
        ([(f"u{n}", f"i{n}", 5, n) for n in range(40)], {}, "no user has enough items to hold one out"),
        ([(f"u{n // 6}", f"i{n}", 5, n) for n in range(90)], {"split": "temporal"}, "no user of the test split has"),
    ],
)
def test_too_little_is_refused(lines: list[Row], options: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        prepared(lines, **options)


def test_21_items_are_enough() -> None:
    assert len(prepared([r for r in ROWS if int(r[1]) < 122]).item_ids) == MIN_ITEMS == 21


def test_a_smallest_rating_needs_ratings() -> None:
    with pytest.raises(BadInput, match=r"f\.csv: .* no column of ratings.*--rating-col"):
        prepare(raw_of(ROWS, rated=False), Options(min_rating=3), ABOUT)


def test_a_test_file_needs_the_given_split() -> None:
    with pytest.raises(BadInput, match=r"there is a test file, but the split is 'random'.*--split given"):
        prepare(with_test(raw_of(ROWS[:-20]), raw_of(ROWS[-20:])), Options(), ABOUT)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"test_share": 0}, "--test-share: 0 cannot be used"),
        ({"test_share": float("nan")}, "--test-share: nan"),
        ({"validation_share": 1}, "--validation-share: 1"),
        ({"k_core": -1}, "--k-core: -1"),
        ({"seed": -1}, "--seed: -1"),
        ({"min_rating": float("inf")}, "--min-rating: inf"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        Options(**options)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(Unknown, match=r"no split 'temporel'. Did you mean temporal"):
        Options(split="temporel")
