"""Imports and previews: what is accepted and counted, what is refused with which sentence, and that nothing is lost."""

from __future__ import annotations

import dataclasses
import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets import store
from core.datasets.imports import ImportRequest, import_file, preview
from core.errors import LabError, Refused, Unknown
from core.settings import Settings
from tests.datasets.files import adjacency, rows, snapshot, table, zipped
from tests.tiny import tiny_dataset

ROWS = rows()
HEADER = "user,item,rating,timestamp"
CSV = table(ROWS, ",", HEADER)


def file(folder: Path, content: str | bytes, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_every_source_of_the_same_data_gives_the_same_id(tmp_path: Path, settings: Settings) -> None:
    files = [
        file(tmp_path, CSV),
        file(tmp_path, table(ROWS[::-1], "::"), "ratings.dat"),
        file(tmp_path, table(ROWS, "\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float"), "x.inter"),
        file(tmp_path, adjacency(ROWS), "train.txt"),
        file(tmp_path, gzip.compress(CSV.encode()), "ratings.csv.gz"),
    ]
    parquet = tmp_path / "x.parquet"
    columns = zip(*[(int(u), int(i)) for u, i, *_ in ROWS], strict=True)
    pq.write_table(pa.table(dict(zip(("user", "item"), columns, strict=True))), parquet)
    infos = [import_file(settings, ImportRequest(path=p, name=f"n{n}")) for n, p in enumerate([*files, parquet])]
    assert len({info.id for info in infos}) == 1
    assert infos[-1].name == "n0" and infos[-1].aliases == ("n1", "n2", "n3", "n4", "n5")


def test_an_import_is_the_users_own_and_tells_how_it_was_made(tmp_path: Path, settings: Settings) -> None:
    path = file(tmp_path, CSV)
    info = import_file(settings, ImportRequest(path=path, name="mine", shown={path: "my ratings.csv"}))
    assert info.imported and not info.simulated
    assert info.source == "imported from my ratings.csv"
    assert info.prepared_how == "split random per user: 0.2 for test, 0.1 of the rest for validation, seed 0"


def test_titles_come_along(tmp_path: Path, settings: Settings) -> None:
    titles = file(tmp_path, "item,title,genres\n103,Third,a|b\n", "items.csv")
    info = import_file(settings, ImportRequest(path=file(tmp_path, CSV), name="mine", items=titles))
    found = [row for row in store.read_items(info.folder).to_pylist() if row["title"]]
    assert found == [{"item": 2, "id": "103", "title": "Third", "year": None, "genres": "a, b"}]


def test_a_test_file_is_the_split(tmp_path: Path, settings: Settings) -> None:
    train, test = file(tmp_path, adjacency(ROWS[:-15]), "train.txt"), file(tmp_path, adjacency(ROWS[-15:]), "test.txt")
    info = import_file(settings, ImportRequest(path=train, test=test, name="mine"))
    assert (info.test, info.options["split"]) == (15, "given")
    assert info.train + info.validation == len(ROWS) - 15


def test_what_is_repaired_is_counted_in_the_answer(tmp_path: Path, settings: Settings) -> None:
    train = file(tmp_path, table([*ROWS[:-15], ROWS[0]], ",", HEADER))
    test = file(tmp_path, table([*ROWS[-15:], ("stranger", "101", 1, 1)], ",", HEADER), "test.csv")
    assert import_file(settings, ImportRequest(path=train, test=test, name="mine")).notes == (
        "1 duplicate dropped, the last by time kept.",
        "1 user without a train interaction: dropped (1 interaction).",
    )


def test_what_is_repaired_is_counted_even_where_the_data_set_is_there_already(
    tmp_path: Path, settings: Settings
) -> None:
    first = import_file(settings, ImportRequest(path=file(tmp_path, CSV), name="mine"))
    doubled = file(tmp_path, table([*ROWS, *ROWS[:3]], ",", HEADER), "doubled.csv")
    again = import_file(settings, ImportRequest(path=doubled, name="doubled"))
    assert (again.id, again.aliases) == (first.id, ("doubled",))
    assert again.notes == ("3 duplicates dropped, the last by time kept.",)
    assert store.find_dataset(settings, "mine").notes == first.notes


def with_line(line: str, at: int = 4) -> str:
    lines = CSV.splitlines()
    return "\n".join([*lines[: at - 1], line, *lines[at - 1 :]]) + "\n"


def bomb(folder: Path) -> Path:
    return zipped(folder / "bomb.zip", {"ratings.csv": b"0" * 40_000_000})


def lying_bomb(folder: Path) -> Path:
    """Its directory claims a few bytes; the stream holds 40 MB."""
    path = bomb(folder)
    data = path.read_bytes()
    return file(folder, data.replace((40_000_000).to_bytes(4, "little"), (40).to_bytes(4, "little")), "lies.zip")


def gzip_bomb(folder: Path) -> Path:
    return file(folder, gzip.compress(b"0" * 40_000_000), "bomb.csv.gz")


def escaping(folder: Path) -> Path:
    return zipped(folder / "evil.zip", {"../../ratings.csv": CSV})


def absolute(folder: Path) -> Path:
    return zipped(folder / "evil.zip", {"/etc/ratings.csv": CSV})


def linking(folder: Path) -> Path:
    path = folder / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("ratings.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return path


def several(folder: Path) -> Path:
    return zipped(folder / "many.zip", {"a.csv": CSV, "b.csv": CSV})


def parquet_with_null(folder: Path) -> Path:
    path = folder / "x.parquet"
    pq.write_table(pa.table({"user": ["1", None], "item": ["1", "2"]}), path)
    return path


def parquet_rating(folder: Path) -> Path:
    path = folder / "x.parquet"
    pq.write_table(pa.table({"user": ["1", "2"], "item": ["1", "2"], "rating": [1.0, float("nan")]}), path)
    return path


def parquet_cut(folder: Path) -> Path:
    whole = parquet_rating(folder)
    return file(folder, whole.read_bytes()[:-20], "cut.parquet")


def gzip_cut(folder: Path) -> Path:
    return file(folder, gzip.compress(CSV.encode())[:-20], "cut.csv.gz")


Maker = Callable[[Path], Path]

REFUSED: dict[str, tuple[str | bytes | Maker, dict[str, Any], str]] = {
    "no user column": (CSV.replace("user", "u", 1), {}, r"ratings\.csv: there is no column 'user' .*--user-col"),
    "no item column": (CSV.replace("item", "i", 1), {}, r"ratings\.csv: there is no column 'item' .*--item-col"),
    "no named column": (CSV, {"rating_column": "stars"}, r"ratings\.csv: there is no column 'stars' .*--rating-col"),
    "empty": ("", {}, r"ratings\.csv: it is empty\. Choose"),
    "blank": ("\n \n", {}, r"ratings\.csv: it is empty\. Choose"),
    "only a header": (HEADER, {}, r"ratings\.csv: it has a header and no rows\. Choose"),
    "bytes": (b"\x89PNG\r\n\x1a\n\x00\x00", {}, r"ratings\.csv: it is not UTF-8 text\. Save"),
    "latin-1": (with_line("é,101,1,1").encode("latin-1"), {}, r"ratings\.csv, line 4: it is not UTF-8 text\. Save"),
    "utf-16": (CSV.encode("utf-16"), {}, r"ratings\.csv: it is not UTF-8 text\. Save it as UTF-8"),
    "short row": (with_line("1,101"), {}, r"ratings\.csv, line 4: it has 2 cells where 4 cells are expected\. Give"),
    "long row": (with_line("1,101,1,1,1"), {}, r"ratings\.csv, line 4: it has 5 cells where 4 .*\. Give"),
    "row after blank lines": (with_line("\n\n1,101"), {}, r"ratings\.csv, line 6: it has 2 cells"),
    "rating": (with_line("1,101,good,1"), {}, r"ratings\.csv, line 4, column 'rating': 'good' is not a number\. Write"),
    "no rating": (with_line("1,101,,1"), {}, r"ratings\.csv, line 4, column 'rating': '' is not a number"),
    "rating NaN": (with_line("1,101,nan,1"), {}, r"ratings\.csv, line 4, column 'rating': 'nan' is not a number"),
    "time": (with_line("1,101,1,noon"), {}, r"ratings\.csv, line 4, column 'timestamp': 'noon' is not a time\. Write"),
    "time inf": (with_line("1,101,1,inf"), {}, r"ratings\.csv, line 4, column 'timestamp': 'inf' is not a time"),
    "user null": (with_line(",101,1,1"), {}, r"ratings\.csv, line 4, column 'user': the id is missing .*\. Give"),
    "item NaN": (with_line("1,NaN,1,1"), {}, r"ratings\.csv, line 4, column 'item': the id is missing \('NaN'\)"),
    "item null": (with_line("1,null,1,1"), {}, r"ratings\.csv, line 4, column 'item': the id is missing \('null'\)"),
    "open quote": (with_line('1,"101,1,1'), {}, r"ratings\.csv"),
    "one user": (table([("1", *r[1:]) for r in ROWS], ",", HEADER), {}, r"ratings\.csv: there is only one user.*Take"),
    "few items": ("user,item\n1,a\n2,b\n1,b\n", {}, r"ratings\.csv: there are 2 items, .* at least 21 .*\. Take"),
    "nothing left": (CSV, {"min_rating": 9}, r"ratings\.csv: nothing is left after filtering\. .*filter less"),
    "bomb": (bomb, {}, r"bomb\.zip: .*archive bombs.*\. Unpack"),
    "lying bomb": (lying_bomb, {}, r"lies\.zip.*: it cannot be unpacked"),
    "gzip bomb": (gzip_bomb, {}, r"bomb\.csv\.gz: .*archive bombs"),
    "escape": (escaping, {}, r"evil\.zip: its member '\.\./\.\./ratings\.csv' leaves the archive's folder\. Do not"),
    "absolute path": (absolute, {}, r"evil\.zip: its member '/etc/ratings\.csv' leaves the archive's folder"),
    "link": (linking, {}, r"evil\.zip: its member 'ratings\.csv' is a link"),
    "several files": (several, {}, r"many\.zip: it holds 2 files \(a\.csv, b\.csv\)\. Unpack"),
    "cut gzip": (gzip_cut, {}, r"cut\.csv\.gz: it cannot be unpacked"),
    "broken zip": (b"PK\x03\x04 and so on", {}, r"ratings\.csv: it cannot be unpacked"),
    "parquet null": (parquet_with_null, {}, r"x\.parquet, row 2, column 'user': the id is missing\. Give"),
    "parquet NaN": (parquet_rating, {}, r"x\.parquet, row 2, column 'rating': 'nan' is not a number"),
    "cut parquet": (parquet_cut, {}, r"cut\.parquet: it cannot be read as Parquet"),
    "no parquet": (CSV, {"format": "parquet"}, r"ratings\.csv: it cannot be read as Parquet"),
    "unknown format": (CSV, {"format": "cvs"}, r"no format 'cvs'\. Did you mean csv"),
    "unknown split": (CSV, {"split": "rand"}, r"no split 'rand'\. Did you mean random"),
    "share": (CSV, {"test_share": 2}, r"--test-share: 2 cannot be used\. It must be between 0 and 1"),
    "odd name": (CSV, {"name": "../x"}, r"data-set name '\.\./x': .* Choose another name"),
    "taken name": (CSV, {"name": "tiny"}, r"data-set name 'tiny': .*Choose another name"),
    "no such file": (lambda folder: folder / "nothing.csv", {}, r"nothing\.csv: there is no such file\. Give"),
    "folder": (lambda folder: folder, {}, "it is a folder"),
    "one column for both": (
        CSV,
        {"user_column": "item"},
        r"ratings\.csv: column 'item' cannot hold both.*Name another",
    ),
    "no times": ("user,item\n1,2\n", {"split": "temporal"}, r"ratings\.csv: "),
    "no test file": (CSV, {"split": "given"}, r"ratings\.csv: the split is 'given', but there is no test file"),
    "test user only": (
        adjacency([("1", "2", 1, 1)]) + "3\n",
        {"format": "lightgcn"},
        r"ratings\.csv: there is only one",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_and_how(case: str, tmp_path: Path, settings: Settings) -> None:
    """The sentence names file, row or column, and the mend; the cache keeps every byte."""
    content, options, sentence = REFUSED[case]
    tiny_dataset(settings)
    before = snapshot(settings.cache)
    path = content(tmp_path) if callable(content) else file(tmp_path, content)
    with pytest.raises(Refused, match=sentence) as caught:
        import_file(settings, ImportRequest(**{"path": path, "name": "mine"} | options))
    assert "\n" not in str(caught.value)
    assert snapshot(settings.cache) == before


def test_a_refusal_leaves_an_empty_cache_empty(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(Refused):
        import_file(settings, ImportRequest(path=file(tmp_path, with_line("1")), name="mine"))
    assert snapshot(settings.cache) == {}


@pytest.mark.parametrize("pack", ["plain", "gzip", "zip"])
def test_more_bytes_than_allowed_are_refused(pack: str, tmp_path: Path, settings: Settings) -> None:
    content = CSV + "".join(f"{n},{n * n},5,{n}\n" for n in range(100_000))
    path = {
        "plain": lambda: file(tmp_path, content),
        "gzip": lambda: file(tmp_path, gzip.compress(content.encode())),
        "zip": lambda: zipped(tmp_path / "r.zip", {"r.csv": content}),
    }[pack]()
    with pytest.raises(Refused, match=r"more than 1 MB.*LONGTAIL_MAX_UPLOAD_MB"):
        import_file(dataclasses.replace(settings, max_upload_mb=1), ImportRequest(path=path, name="mine"))
    assert import_file(settings, ImportRequest(path=path, name="mine")).interactions > 100_000


def test_a_preview_tells_what_was_understood_and_writes_nothing(tmp_path: Path, settings: Settings) -> None:
    seen = preview(settings, ImportRequest(path=file(tmp_path, CSV), name="", k_core=3), rows=5)
    assert (seen.format, seen.columns) == ("csv", ("user", "item", "rating", "timestamp"))
    assert (seen.user, seen.item, seen.rating, seen.time) == ("user", "item", "rating", "timestamp")
    assert seen.head.to_pylist() == [dict(zip(HEADER.split(","), map(str, row), strict=True)) for row in ROWS[:5]]
    assert seen.problem is None
    assert seen.effect is not None and seen.effect.startswith("12 of 12 users, ")
    assert any("3-core" in note for note in seen.notes) or seen.effect.endswith(
        f"{len(ROWS)} of {len(ROWS)} interactions"
    )
    assert snapshot(settings.cache) == {}


@pytest.mark.parametrize(
    ("content", "options", "problem", "columns"),
    [
        ("who,what\n1,2\n", {}, "there is no column 'user'", ("who", "what")),
        (with_line("1,101,good,1"), {}, "line 4, column 'rating'", ("user", "item", "rating", "timestamp")),
        (CSV, {"min_rating": 9}, "nothing is left", ("user", "item", "rating", "timestamp")),
        (CSV, {"test_share": 0}, "--test-share", ("user", "item", "rating", "timestamp")),
    ],
)
def test_a_preview_shows_the_rows_beside_the_problem(
    content: str, options: dict[str, Any], problem: str, columns: tuple[str, ...], tmp_path: Path, settings: Settings
) -> None:
    seen = preview(settings, ImportRequest(path=file(tmp_path, content), name="", **options))
    assert seen.columns == columns and seen.effect is None
    assert seen.problem is not None and problem in seen.problem
    assert seen.head.num_rows > 0


def test_a_header_with_equal_names_can_still_be_looked_at(tmp_path: Path, settings: Settings) -> None:
    seen = preview(settings, ImportRequest(path=file(tmp_path, "user,user,item\n1,2,3\n"), name=""))
    assert seen.head.column_names == ["user", "user (2)", "item"]
    assert seen.problem is not None and "column 'user' is there 2 times" in seen.problem


def test_a_preview_of_what_is_no_table_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(LabError, match="not UTF-8 text"):
        preview(settings, ImportRequest(path=file(tmp_path, b"\0\1\2"), name=""))
    with pytest.raises(Unknown, match="no format"):
        preview(settings, ImportRequest(path=file(tmp_path, CSV), name="", format="xls"))
