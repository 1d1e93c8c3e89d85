"""A published split kept as a bit a row: on which rows it fits, in which order, and what the papers' split gives."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.datasets import held_out, store
from core.datasets.acquire import acquire
from core.datasets.catalogue import CATALOGUE
from core.datasets.held_out import Mask, numbered_pairs
from core.datasets.imports import ImportRequest, import_file
from core.datasets.raw import Columns, Raw, read_interactions
from core.errors import BadInput, SourceUnreachable
from core.settings import Settings
from tests.datasets.files import rows, table
from tests.realdata import ml_100k, ml_100k_paper_split
from tools.make_split_mask import main

PAIRS = [("2", "10"), ("10", "9"), ("2", "9"), ("10", "100")]  # as text, "10" stands before "2" and "100" before "9"
IN_ORDER = np.array([[2, 2, 10, 10], [9, 10, 9, 100]])  # users, items: by number
TEST = np.array([True, False, False, True])  # (2, 9) and (10, 100)


def raw(pairs: list[tuple[str, str]], folder: Path, settings: Settings) -> Raw:
    path = folder / "pairs.csv"
    path.write_text(table(pairs, ",", "user,item"))
    return read_interactions(path, settings, Columns())[0]


@pytest.fixture
def mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mask:
    monkeypatch.setattr(held_out, "MASKS", tmp_path)
    (tmp_path / "m.bin").write_bytes(bytes([0b1001_0000]))
    return Mask("m.bin", 4, hashlib.sha256(IN_ORDER.astype("<i8").tobytes()).hexdigest(), "the four pairs")


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2]])
def test_the_bits_are_in_the_order_of_numbers_whatever_the_rows(
    order: list[int], mask: Mask, tmp_path: Path, settings: Settings
) -> None:
    shuffled = [PAIRS[n] for n in order]
    held = mask.hold_out(raw(shuffled, tmp_path, settings)).held_out
    assert held is not None
    assert {pair for pair, test in zip(shuffled, held, strict=True) if test} == {("2", "9"), ("10", "100")}


@pytest.mark.parametrize(
    "pairs",
    [PAIRS[:3], [*PAIRS, ("3", "9")], [*PAIRS[:3], ("10", "101")], [*PAIRS[:3], ("ten", "100")],
     [*PAIRS[:3], ("010", "100")]],
    ids=["fewer", "more", "another item", "a word", "another spelling"],
)  # fmt: skip
def test_other_pairs_are_refused(pairs: list[tuple[str, str]], mask: Mask, tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(BadInput, match=f"its {len(pairs)} pairs of user and item are not the 4 of the four pairs"):
        mask.hold_out(raw(pairs, tmp_path, settings))


def test_the_tool_writes_what_is_read(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(held_out, "MASKS", tmp_path)
    lines = [(u, i) for u, i, *_ in rows()]
    for name, part in (("train", lines[15:]), ("test", lines[:15])):
        (tmp_path / f"{name}.csv").write_text(table(part, ",", "user,item"))
    assert main([str(tmp_path / f) for f in ("train.csv", "test.csv", "made.bin")]) == 0
    whole = raw(lines, tmp_path, settings)
    found = numbered_pairs(whole)
    assert found and f"rows={len(lines)}, test=15, pairs='{found[1]}'" in capsys.readouterr().out
    held = Mask("made.bin", len(lines), found[1], "these").hold_out(whole).held_out
    assert held is not None and held.tolist() == [True] * 15 + [False] * (len(lines) - 15)


def test_the_tool_refuses_a_pair_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "both.csv").write_text(table([("1", "2"), ("1", "3")], ",", "user,item"))
    with pytest.raises(SystemExit, match="occurs twice"):
        main([str(tmp_path / f) for f in ("both.csv", "both.csv", "made.bin")])
    assert not (tmp_path / "made.bin").exists()


def test_another_ml_100k_is_refused_with_a_sentence(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "u.data").write_text(table(rows(), "\t"))
    with pytest.raises(SourceUnreachable) as caught:
        acquire(dataclasses.replace(settings, dataset_mirror=str(tmp_path)), "ml-100k-papers")
    assert any("are not the 100,000 of MovieLens 100K" in attempt for attempt in caught.value.attempts)


@pytest.mark.realdata
def test_the_papers_split_is_that_of_their_files(settings: Settings, tmp_path: Path) -> None:
    """MovieLens 100K and the committed bits give, to the last pair, what the authors' own two files give."""
    mirror = dataclasses.replace(settings, dataset_mirror=str(ml_100k().parent))
    ours = acquire(mirror, "ml-100k-papers")
    assert ours.id == "8780bfd681ab5356"
    assert (ours.users, ours.items, ours.train, ours.validation, ours.test) == (943, 1682, 71_943, 8057, 20_000)
    split = ml_100k_paper_split()
    theirs = import_file(
        dataclasses.replace(settings, cache=tmp_path / "other"),
        ImportRequest(
            path=split / "train.parquet", test=split / "test.parquet", name="theirs", user_column="user_id",
            item_column="item_id", time_column="timestamp", rating_column="rating", split="given",
        ),
    )  # fmt: skip
    assert theirs.id == ours.id
    first = store.read_items(ours.folder).to_pylist()[0]
    assert (first["title"], first["year"], first["genres"]) == ("Toy Story", 1995, "Animation, Children's, Comedy")


@pytest.mark.realdata
def test_the_mask_is_what_the_tool_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split, known = ml_100k_paper_split(), CATALOGUE["ml-100k-papers"].mask
    assert known
    columns = ["--user-col", "user_id", "--item-col", "item_id"]
    main([*map(str, (split / "train.parquet", split / "test.parquet", tmp_path / "made.bin")), *columns])
    assert (tmp_path / "made.bin").read_bytes() == (held_out.MASKS / known.file).read_bytes()
    assert f"rows={known.rows}, test={pq.read_metadata(split / 'test.parquet').num_rows}" in capsys.readouterr().out
