"""Answers and progress: what a terminal, a pipe and a spreadsheet get."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cli.output import Output, Progress, as_json, one_line, table
from core.export import STARTS_A_FORMULA, csv_text, parquet_bytes


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_json_has_no_nan():
    assert json.loads(as_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": None}})) == {
        "a": None, "b": [None, 1.5], "c": {"d": None},
    }  # fmt: skip


def test_an_answer_is_one_document_or_text():
    for as_document, expected in ((True, '{\n  "n": 1\n}\n'), (False, "one\n")):
        out = io.StringIO()
        Output(as_document, out=out).answer({"n": 1}, "one")
        assert out.getvalue() == expected


def test_a_table_aligns_words_left_and_numbers_right():
    rows = [{"name": "RNS", "n": 5}, {"name": "AUC-NS β 0.05", "n": 12345}, {"n": None}]
    assert table(rows, {"name": "label", "n": "runs"}).splitlines() == [
        "label           runs",
        "RNS                5",
        "AUC-NS β 0.05  12345",
    ]


def test_a_title_cannot_steer_the_terminal():
    assert one_line("a\x1b[2Jb\nc") == "a [2Jb c"


def test_progress_is_a_bar_on_a_terminal():
    err = Terminal()
    with Progress(err) as show:
        show(0.5, "half")
    assert err.getvalue() == f"\r[{'#' * 12}{'.' * 12}]  50%  half\x1b[K\n"


def test_progress_is_plain_lines_elsewhere(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("core.cli.output.time.monotonic", lambda: clock[0])
    err = io.StringIO()
    with Progress(err) as show:
        for clock[0], text in [(1.0, "soon done"), (6.0, "reading"), (7.0, "at once again"), (12.0, "writing")]:
            show(0.1, text)
    assert err.getvalue() == " 10%  reading\n 10%  writing\n"


@given(st.text(max_size=20))
def test_no_cell_of_a_csv_is_a_formula(text):
    written = csv_text(pd.DataFrame({text: [text]}))
    cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
    assert len(cells) == 2
    assert not any(cell.startswith(STARTS_A_FORMULA) for cell in cells)


def test_numbers_are_left_alone():
    assert csv_text(pd.DataFrame({"x": [-0.1, None], "n": [-1, 2]})) == "x,n\n-0.1,-1\n,2\n"


def test_parquet_holds_the_same_rows():
    frame = pd.DataFrame({"label": ["=A1", "b"], "ndcg@10": [0.1, 0.2]})
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(parquet_bytes(frame))), frame)


@pytest.mark.parametrize("start", STARTS_A_FORMULA)
def test_each_beginning_of_a_formula_is_neutralised(start):
    assert "'" + start + "cmd" in csv_text(pd.DataFrame({"a": [f"{start}cmd"]}))
