import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets.store import Dataset
from core.errors import BadInput
from core.evaluation.lists import (
    evaluate_lists_file,
    match_lists,
    match_lists_at_cutoffs,
    read_every_split,
    read_lists,
)
from tests.evaluation.worlds import rows

# Four users, six items. What is trained on at test: a 0, b 1, c 2 3, d 0. Held out at test: a 1 2, b 2, c 0, d nothing.
DATASET = Dataset(
    id="0123456789abcdef",
    name="hand",
    simulated=False,
    user_ids=np.array(["a", "b", "c", "d"], object),
    item_ids=np.array(["007", "1", "2", "3", "4", "7"], object),
    train=rows([0], [1], [2], [0], n_items=6),
    validation=rows([], [], [3], [], n_items=6),
    test=rows([1, 2], [2], [0], [], n_items=6),
)
GOOD = "user,item,rank\na,1,1\na,3,2\nb,2,1\nb,4,2\nc,007,1\nc,7,2\n"


def saved(folder: Path, text: str, name: str = "lists.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def answer(folder: Path, text: str, k: int = 2, **how) -> dict:
    return evaluate_lists_file(saved(folder, text), DATASET, k, **how)


def lists_of(folder: Path, text: str, k: int = 3) -> dict[str, list[str]]:
    """The repaired lists, in text ids."""
    lists = match_lists(read_lists(saved(folder, text)), DATASET, k)
    return {
        str(DATASET.user_ids[user]): [str(DATASET.item_ids[i]) for i in row if i >= 0]
        for user, row in zip(lists.users, lists.items, strict=True)
    }


def test_lists_without_fault_by_hand(tmp_path):
    found = answer(tmp_path, GOOD)
    assert {key: found[key] for key in ("dataset", "users", "k", "notes")} == {
        "dataset": DATASET.id, "users": 3, "k": 2, "notes": []
    }  # fmt: skip
    expected = {
        "precision@2": (1 / 2 + 1 / 2 + 1 / 2) / 3,
        "recall@2": (1 / 2 + 1 / 1 + 1 / 1) / 3,
        "ndcg@2": (1 / (1 + 1 / math.log2(3)) + 1 + 1) / 3,
        "arp@2": ((1 + 1) / 2 + (1 + 0) / 2 + (2 + 0) / 2) / 3,  # taken in train and validation: 2 1 1 1 0 0
        "coverage@2": 6 / 6,
        "aplt@2": (2 / 2 + 2 / 2 + 1 / 2) / 3,  # hot is 007 alone: position floor(.85 * 6) = 5 of 0 0 1 1 1 2
    }
    assert {key: found["metrics"][key] for key in expected} == pytest.approx(expected)
    assert "auc" not in found["metrics"]
    assert all(key.endswith("@2") for key in found["metrics"])


def test_parquet_semicolons_tabs_a_mark_at_the_start_and_more_columns_say_the_same(tmp_path):
    expected = answer(tmp_path, GOOD)
    table = pa.csv.read_csv(
        saved(tmp_path, GOOD), convert_options=pa.csv.ConvertOptions(column_types={"item": pa.string()})
    )
    coded = table.set_column(0, "user", table["user"].dictionary_encode()).set_column(
        2, "rank", table["rank"].cast("float")
    )
    for number, variant in enumerate([table, coded]):
        pq.write_table(variant, tmp_path / f"{number}.parquet")
        assert evaluate_lists_file(tmp_path / f"{number}.parquet", DATASET, 2) == expected
    for text in [
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        "\ufeff" + GOOD,
        GOOD.replace("\n", ",0.5\n").replace("rank,0.5", "rank,score"),
        GOOD.replace("\n", "\r\n"),
    ]:
        assert answer(tmp_path, text) == expected


def test_counted_on_all_splits_and_the_other_head(tmp_path):
    everything = answer(tmp_path, GOOD, count_on="all")["metrics"]
    assert everything["arp@2"] == pytest.approx(((2 + 1) / 2 + (3 + 0) / 2 + (3 + 0) / 2) / 3)  # 3 2 3 1 0 0
    assert answer(tmp_path, GOOD, head="interactions")["metrics"]["aplt@2"] == pytest.approx(
        (1 / 2 + 1 / 2 + 1 / 2) / 3
    )


@pytest.mark.parametrize(
    ("text", "user", "expected", "note"),
    [
        ("a,1,1\nzz,1,1\nzz,2,2", "a", ["1"], "2 rows of users that the data set lacks"),
        ("a,nine,1\na,1,2", "a", ["1"], "1 row with items that the data set lacks"),
        ("a,01,1\na,1,2", "a", ["1"], "1 row with items that the data set lacks"),  # ids are text
        ("a,1,1\na,1,2\na,2,3", "a", ["1", "2"], "1 row that repeat an item of the list at a worse rank"),
        ("a,2,5\na,1,1\na,2,2", "a", ["1", "2"], "1 row that repeat an item"),
        ("a,007,1\na,1,2", "a", ["1"], "1 row with items that the user took in training data"),
        ("c,3,1\nc,007,2", "c", ["007"], "1 row with items that the user took in training data"),  # in validation
        ("a,1,10\na,2,3", "a", ["2", "1"], "1 list not numbered 1, 2, 3"),
        ("a,1,0\na,2,1", "a", ["1", "2"], "1 list not numbered 1, 2, 3"),
        ("a,2,1\na,1,1", "a", ["2", "1"], "1 list not numbered 1, 2, 3"),  # equal ranks: as in the file
        ("a,1,1\nd,1,1", "a", ["1"], "1 list of users without test items"),
    ],
)
def test_what_does_not_fit_is_repaired_and_counted(tmp_path, text, user, expected, note):
    assert lists_of(tmp_path, f"user,item,rank\n{text}\n")[user] == expected
    assert note in " ".join(answer(tmp_path, f"user,item,rank\n{text}\n")["notes"])


def test_users_without_a_list_count_as_empty_lists_and_short_lists_as_misses(tmp_path):
    found = answer(tmp_path, "user,item,rank\na,1,1\n")
    assert found["users"] == 3
    assert found["metrics"]["precision@2"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert found["notes"] == [
        "Counted as empty lists: 2 users with test items and no list.",
        "Missing places counted as misses: 1 list shorter than 2.",
    ]


def test_lists_are_cut_at_k(tmp_path):
    assert lists_of(tmp_path, "user,item,rank\na,1,1\na,2,2\na,3,3\n", k=2) == {"a": ["1", "2"]}


def test_splits_are_told_apart(tmp_path):
    text = "user,item,rank,split\na,1,1,test\na,2,2,\nc,3,1,validation\n"
    assert lists_of(tmp_path, text) == {"a": ["1", "2"]}
    assert "Left out: 1 row of other splits than test." in answer(tmp_path, text)["notes"]
    validation = answer(tmp_path, text, split="validation")
    assert validation["users"] == 1  # only c has a validation item
    assert validation["metrics"]["hit_rate@2"] == 1
    with pytest.raises(BadInput, match="no rows of split 'test'"):
        answer(tmp_path, "user,item,rank,split\na,1,1,validation\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "column user and item and rank is missing"),
        ("user,item\na,1\n", r"column rank is missing \(found: user, item\)"),
        ("user,item,rank,rank\na,1,1,1\n", "column rank is there twice"),
        ("user,item,rank\n", "holds no rows"),
        ("user,item,rank\na,1,1\na,2,second\n", "row 2, column rank: the value is no whole number"),
        ("user,item,rank\na,1,1.5\n", "row 1, column rank"),
        ("user,item,rank\na,1,-1\n", "row 1, column rank"),
        ("user,item,rank\na,1,nan\n", "row 1, column rank"),
        ("user,item,rank\na,1,\n", "row 1, column rank"),
        ("user,item,rank\na,1,1\n,1,1\n", "row 2, column user: the value is empty"),
        ("user,item,rank\na, ,1\n", "row 1, column item: the value is empty"),
        ("user,item,rank\na,1\n", "cannot be read as a table"),
        ("user,item,rank\nzz,1,1\n", "nothing is left to measure. Left out: 1 row of users.* for example user 'a'"),
        ("user,item,rank\nd,1,1\n", "nothing is left to measure. Not measured: 1 list"),
    ],
)
def test_what_cannot_be_repaired_is_refused(tmp_path, text, says):
    with pytest.raises(BadInput, match=says):
        answer(tmp_path, text)


def test_what_is_no_file_of_lists_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_lists(tmp_path / "missing.csv")
    with pytest.raises(BadInput, match="cannot be read"):
        read_lists(tmp_path)
    for name, content, says in [
        ("broken.parquet", b"PAR1 and no more", "no Parquet file"),
        ("latin.csv", "user,item,rank\nä,1,1\n".encode("latin-1"), "UTF-8|cannot be read"),
        ("picture.csv", b"\x89PNG\xff\xfe\n", "UTF-8"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=says):
            read_lists(tmp_path / name)


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path):
    path = tmp_path / "damaged.parquet"
    rows = [f"u{n}" for n in range(500)]
    pq.write_table(pa.table({"user": rows, "item": rows, "rank": [1] * 500}), path, compression="snappy")
    content = bytearray(path.read_bytes())
    content[40:400] = b"\xff" * 360  # pages, not the footer: the schema can be read
    path.write_bytes(content)
    with pytest.raises(BadInput, match="no Parquet file that can be read"):
        read_lists(path)


def test_ids_that_are_fractions_or_nulls_are_refused(tmp_path):
    for column, value, says in [
        ("item", [1.0], "fractions"),
        ("user", pa.array([None], pa.string()), "user: the value is empty"),
    ]:
        columns = {"user": ["a"], "item": ["1"], "rank": [1]} | {column: value}
        pq.write_table(pa.table(columns), tmp_path / "lists.parquet")
        with pytest.raises(BadInput, match=says):
            read_lists(tmp_path / "lists.parquet")


@pytest.mark.parametrize("k", [0, -1, 7])
def test_a_length_that_no_list_can_have_is_refused(tmp_path, k):
    with pytest.raises(BadInput, match="whole number from 1 to 6"):
        answer(tmp_path, GOOD, k=k)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(GOOD.splitlines()[1:]))
def test_order_of_rows_does_not_matter(tmp_path, lines):
    assert answer(tmp_path, "\n".join(["user,item,rank", *lines])) == answer(tmp_path, GOOD)


def test_every_split_of_a_file_is_read_at_once(tmp_path):
    text = "user,item,rank,split\na,1,1,test\na,2,2,\nc,3,1,validation\nb,2,1,train\n"
    parts, notes = read_every_split(saved(tmp_path, text))
    assert {split: part.num_rows for split, part in parts.items()} == {"test": 2, "validation": 1}
    assert notes == ("Left out: 1 row of other splits than test and validation.",)
    for split, part in parts.items():
        assert part.equals(read_lists(tmp_path / "lists.csv", split)[0])
    parts, notes = read_every_split(saved(tmp_path, GOOD))
    assert (list(parts), notes) == (["test"], ())
    with pytest.raises(BadInput, match="no rows of split 'test' or 'validation'"):
        read_every_split(saved(tmp_path, "user,item,rank,split\na,1,1,train\n"))


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("a,1,1", (2,)),  # the smallest always
        ("a,1,1\na,2,2\na,3,3", (2, 3)),
        ("a,1,1\na,1,2\na,1,3", (2,)),  # a repeated item makes no list longer
        ("c,007,1\nc,1,2\nc,2,3", (2, 3)),  # c took 2: the list was as long when it was made
        ("a,1,1\na,2,2\na,3,3\na,4,4\na,7,5", (2, 3, 9)),  # nobody can be shown more than five
    ],
)
def test_cutoffs_that_no_list_reaches_are_left_out(tmp_path, text, reached):
    read = read_lists(saved(tmp_path, f"user,item,rank\n{text}\n"))
    lists, found = match_lists_at_cutoffs(read, DATASET, cutoffs=(2, 3, 9))
    assert found == reached
    assert lists.items.shape[1] == max(reached)
    left = [str(k) for k in (2, 3, 9) if k not in reached]
    assert any(
        note.startswith(f"Not measured at {' and '.join(left)}: no list is longer") for note in lists.notes
    ) == bool(left)
