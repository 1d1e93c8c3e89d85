"""Titles, years and genres, from every file that has them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets.readers.items import FILM_GENRES, read_items_file, readable
from core.errors import BadInput
from core.settings import Settings


@pytest.mark.parametrize(
    ("written", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Usual Suspects, The (1995)", "The Usual Suspects", 1995),
        ("Postino, Il (1994) ", "Il Postino", 1994),
        ("Nikita, La (Femme, La) (1990)", "La Nikita (Femme, La)", 1990),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("2001: A Space Odyssey", "2001: A Space Odyssey", None),
        ("Room (101)", "Room (101)", None),
        ("(1995)", "(1995)", None),
    ],
)
def test_film_titles(written: str, title: str, year: int | None) -> None:
    titles, years = readable(pa.array([written]), pa.nulls(1, pa.int32()), films=True)
    assert (titles[0].as_py(), years[0].as_py()) == (title, year)


def test_other_titles_keep_their_commas_and_a_given_year_wins() -> None:
    titles, years = readable(pa.array(["Table, A (1999)"]), pa.array([2001], pa.int32()), films=False)
    assert (titles[0].as_py(), years[0].as_py()) == ("Table, A", 2001)


def u_item(number: int, title: str, *genres: str) -> bytes:
    flags = "|".join("1" if genre in genres else "0" for genre in FILM_GENRES)
    return f"{number}|{title}|01-Jan-1995||http://us.imdb.com/M?{number}|{flags}\n".encode("latin-1")


FILES = {
    "u.item": u_item(7, "Cité, La (1995)", "Comedy", "Sci-Fi") + u_item(8, "unknown"),
    "movies.dat": "7::Cité, La (1995)::Comedy|Sci-Fi\n8::unknown::(no genres listed)\n".encode("latin-1"),
    "movies.csv": 'movieId,title,genres\n7,"La Cité (1995)",Comedy|Sci-Fi\n8,unknown,\n'.encode(),
    "x.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "7\tCité, La\t1995\tComedy Sci-Fi\n8\tunkonwn\tunkonwn\t\n"
    ).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_titles_says_the_same(name: str, tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert read_items_file(path, settings).to_pylist() == [
        {"id": "7", "title": "La Cité", "year": 1995, "genres": "Comedy, Sci-Fi"},
        {"id": "8", "title": "unknown", "year": None, "genres": None},
    ]


def test_parquet_with_lists_of_genres(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "items.parquet"
    columns = {
        "item": [7, 8, 7],
        "name": ["A", "", "again"],
        "genres": [["x", "y"], [], []],
        "year": [2001.0, None, 1.0],
    }
    pq.write_table(pa.table(columns), path)
    assert read_items_file(path, settings).to_pylist() == [
        {"id": "7", "title": "A", "year": 2001, "genres": "x, y"},
        {"id": "8", "title": None, "year": None, "genres": None},
    ]


def test_columns_can_be_named(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "items.csv"
    path.write_text("sku,label\n7,<b>A</b>\n")
    found = read_items_file(path, settings, item_column="sku", title_column="label").to_pylist()
    assert found == [{"id": "7", "title": "<b>A</b>", "year": None, "genres": None}]
    with pytest.raises(
        BadInput, match=r"items\.csv: there is no column 'title' \(there are: sku, label\).*--title-col"
    ):
        read_items_file(path, settings, item_column="sku")
