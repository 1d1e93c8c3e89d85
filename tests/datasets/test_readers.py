"""Every format gives the same rows; ids are text; a format is told from its content."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.raw import Columns, Raw, read_interactions
from core.datasets.readers import FORMATS, delimited, find_format
from core.datasets.readers.blob import Blob, arrow_buffer
from core.datasets.readers.columns import Column, as_ids, as_times
from core.errors import BadInput
from core.settings import Settings
from tests.datasets.files import adjacency, rows, table, zipped

ROWS = rows()
TEXTS = {
    "csv": table(ROWS, ",", "user,item,rating,timestamp"),
    "tsv": table(ROWS, "\t", "user\titem\trating\ttimestamp"),
    "recbole": table(ROWS, "\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float"),
    "movielens": table(ROWS, "::"),
    "lightgcn": adjacency(ROWS),
}


def written(folder: Path, format: str) -> Path:
    path = folder / f"file-of-{format}"
    if format == "parquet":
        users, items, ratings, times = zip(*ROWS, strict=True)
        pq.write_table(pa.table({"user": users, "item": items, "rating": ratings, "timestamp": times}), path)
    else:
        path.write_text(TEXTS[format])
    return path


def read(path: Path, settings: Settings, format: str | None = None, **columns: str) -> Raw:
    return read_interactions(path, settings, Columns(**columns), format)[0]


def text_rows(raw: Raw) -> list[tuple[str, str]]:
    users, items = (np.array(ids.texts.to_pylist())[ids.numbers] for ids in (raw.users, raw.items))
    return list(zip(users.tolist(), items.tolist(), strict=True))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("settled", [False, True])
def test_every_format_gives_the_same_rows(format: str, settled: bool, tmp_path: Path, settings: Settings) -> None:
    raw, layout = read_interactions(written(tmp_path, format), settings, Columns(), format if settled else None)
    assert layout.format == format
    assert sorted(text_rows(raw)) == sorted((user, item) for user, item, *_ in ROWS)
    if format != "lightgcn":
        assert raw.ratings is not None and raw.times is not None
        assert raw.ratings.tolist() == [float(rating) for *_, rating, _ in ROWS]
        assert raw.times.tolist() == [time for *_, time in ROWS]
        assert raw.times.dtype == np.int64


@pytest.mark.parametrize("change", ["bom", "crlf", "gzip", "zip", "blank lines", "no last line end", "semicolons"])
def test_what_users_have(change: str, tmp_path: Path, settings: Settings) -> None:
    text, path = TEXTS["csv"], tmp_path / "ratings"
    data = {
        "bom": b"\xef\xbb\xbf" + text.encode(),
        "crlf": text.replace("\n", "\r\n").encode(),
        "gzip": gzip.compress(text.encode()),
        "blank lines": ("\n \n" + text.replace("\n", "\n\n")).encode(),
        "no last line end": text.rstrip().encode(),
        "semicolons": text.replace(",", ";").encode(),
    }.get(change)
    path.write_bytes(data) if data else zipped(path, {"a/ratings.csv": text, "__MACOSX/a/._ratings.csv": "x"})
    assert text_rows(read(path, settings)) == [(user, item) for user, item, *_ in ROWS]


def test_tabs_without_a_header_are_u_data(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "u.data"
    path.write_text(table(ROWS, "\t"))
    raw, layout = read_interactions(path, settings, Columns())
    assert (layout.format, len(raw)) == ("movielens", len(ROWS))


def test_ids_are_text_and_nothing_is_inferred(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "ids.csv"
    ids = ["007", "7", "-5", "7.0", "1e3", "true", "N/A", "None", " 7", "é", "e\u0301", '"', "a,b", "2024-01-01"]
    path.write_text("user,item\n" + "".join('"' + i.replace('"', '""') + '",x\n' for i in ids))
    assert [user for user, _ in text_rows(read(path, settings))] == ids


def test_columns_are_found_by_their_usual_names(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.csv"
    path.write_text("note,movieId, userId ,Date\nx,1,2,2024-01-31\n")
    raw, layout = read_interactions(path, settings, Columns())
    assert {role: layout.name(role) for role in ("user", "item", "rating", "time")} == {
        "user": "userId", "item": "movieId", "rating": None, "time": "Date",
    }  # fmt: skip
    assert raw.times is not None and raw.times.tolist() == [1_706_659_200]


def test_columns_are_chosen_by_name(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.csv"
    path.write_text("user,item,who,what,rating\n1,2,3,4,x\n")
    raw = read(path, settings, user="who", item="what", rating="")
    assert text_rows(raw) == [("3", "4")] and raw.ratings is None


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([7, -5, 7], pa.int8(), ["7", "-5", "7"]),
        ([2**63], pa.uint64(), [str(2**63)]),
        ([7.0, 8.0], pa.float64(), ["7", "8"]),
        (["7", "007"], pa.large_string(), ["7", "007"]),
        (["b", "a"], pa.dictionary(pa.int8(), pa.string()), ["b", "a"]),
        ([b"b", b"a"], pa.binary(), ["b", "a"]),
    ],
)
def test_typed_ids_become_text_without_loss(values: list[object], kind: pa.DataType, texts: list[str]) -> None:
    ids = as_ids(Column("f", "user", pa.chunked_array([pa.array(values, kind)]), str))
    assert [ids.texts[n].as_py() for n in ids.numbers] == texts


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (pa.array([1.0, 1.5]), r"row 1, column 'user': 1.5 is no exact whole number"),
        (pa.array([1.0, float("nan")]), "row 1, column 'user': nan is a missing id"),
        (pa.array([1e300]), r"row 0, column 'user': 1e\+300 is no exact whole number"),
        (pa.array(["a", None]), "row 1, column 'user': the id is missing"),
        (pa.array([True]), "column 'user' has the type bool"),
        (pa.array([[1]]), "column 'user' has the type list"),
        (pa.array([b"\xff"]), "row 0, column 'user': .* is not text"),
        (pa.array(["a", "b\0"]), "row 1, column 'user': the id .* NUL"),
    ],
)
def test_what_is_no_id_is_refused_with_its_row(values: pa.Array, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        as_ids(Column("f", "user", pa.chunked_array([values]), lambda row: f"row {row}"))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_ids_keep_every_text(texts: list[str]) -> None:
    texts = [t for t in texts if t.strip().lower() not in {"", "nan", "null"} and not set(t) & set("\0\r\n")]
    texts = [t for t in texts if t.split() != []] or ["a"]  # blanks of every script are no id
    halves = [pa.array(texts[: len(texts) // 2], pa.string()), pa.array(texts[len(texts) // 2 :], pa.string())]
    ids = as_ids(Column("f", "user", pa.chunked_array(halves), str))
    assert [ids.texts[n].as_py() for n in ids.numbers] == texts
    assert ids.texts.to_pylist() == sorted(set(texts))


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        (pa.array(["1", "2.5"]), [1.0, 2.5]),
        (pa.array(["1700000000123456789", "5"]), [1_700_000_000_123_456_789, 5]),
        (pa.array(["2024-01-31", "2024-01-31 12:00:00"]), [1_706_659_200, 1_706_659_200 + 12 * 3600]),
        (pa.array(["2024-01-31T12:00:00+02:00"]), [1_706_659_200 + 10 * 3600]),
        (pa.array([1_706_659_200_500], pa.timestamp("ms")), [1_706_659_200.5]),
        (pa.array([19_753], pa.date32()), [19_753 * 86_400]),
        (pa.array([1.0, 2.0]), [1, 2]),
    ],
)
def test_times_of_every_kind(cells: pa.Array, seconds: list[float]) -> None:
    assert as_times(Column("f", "time", pa.chunked_array([cells]), str)).tolist() == seconds


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("1 2 3\n4 5\n", "lightgcn"),
        ("1\n2 3\n", "lightgcn"),
        ("user item\n", "csv"),
        ("1::2::3::4\n", "movielens"),
        ("a\tb\nc\td\n", "tsv"),
        ("1\t2\n", "tsv"),
        ("user_id:token\titem_id:token\n", "recbole"),
        ("a:b\tc:d\n", "tsv"),
        ("a,b\n1,2\n", "csv"),
    ],
)
def test_the_format_is_told_from_the_content(text: str, format: str) -> None:
    assert find_format(Blob("f", pa.py_buffer(text.encode())), None)[1] == format


def test_a_long_file_is_read_in_blocks(tmp_path: Path, settings: Settings) -> None:
    path, n = tmp_path / "long.csv", 600_000
    path.write_text("user,item\n" + "".join(f"u{k % 1000:09d},i{k % 977:09d}\n" for k in range(n)))  # 13 MB
    raw = read(path, settings)
    assert len(raw) == n and (len(raw.users.texts), len(raw.items.texts)) == (1000, 977)
    assert text_rows(raw)[-1] == (f"u{(n - 1) % 1000:09d}", f"i{(n - 1) % 977:09d}")


@pytest.mark.parametrize("format", ["csv", "movielens"])
def test_no_thread_of_the_parser_holds_a_python_object(
    format: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last to let go of one while Python shuts down would abort the process: exit code 134 instead of ours."""
    read_csv, seen = delimited.pacsv.read_csv, []

    def watched(source: pa.BufferReader, read_options: Any, parse_options: Any, convert_options: Any) -> pa.Table:
        seen.append((read_options.use_threads, parse_options.invalid_row_handler))
        return read_csv(source, read_options, parse_options, convert_options)

    monkeypatch.setattr(delimited.pacsv, "read_csv", watched)
    read(written(tmp_path, format), settings)
    ragged = tmp_path / "ragged.csv"
    ragged.write_text(TEXTS["csv"] + "1,2\n")
    with pytest.raises(BadInput, match=r"ragged\.csv, line .*: it has 2 cells where 4 cells are expected"):
        read(ragged, settings)
    assert [handler for threads, handler in seen if threads] == [None, None]
    assert any(handler for threads, handler in seen if not threads)


@pytest.mark.parametrize("data", [b"", b"user,item\n"])
def test_unpacked_bytes_are_copied_out_of_python(data: bytes) -> None:
    before = sys.getrefcount(data)
    buffer = arrow_buffer(data)
    assert sys.getrefcount(data) == before
    assert buffer.to_pybytes() == data


def test_a_row_without_end_is_named(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "open.csv"
    path.write_text(TEXTS["csv"] + '1,"' + "x" * (20 << 20) + '",3,4\n')
    with pytest.raises(BadInput, match=r"open\.csv: a row is longer than 8 MB, .* Close the quote"):
        read(path, settings)
