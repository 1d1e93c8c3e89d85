"""Tables of text with one record a line: CSV, TSV, RecBole atomic files, MovieLens `::` and tab files.

Every cell comes out as text, nothing is inferred. Here: these formats. Not here: which columns mean what (columns.py).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.csv as pacsv

from core.datasets.readers.blob import Blob, arrow_buffer, not_text, one_line
from core.errors import BadInput

MOVIELENS_COLUMNS = ("user", "item", "rating", "timestamp")

_UNIT = "\x1f"  # stands for "::", since the parser takes one character; never in text that people write
_BLOCK = 1 << 23


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table of text is written. columns: the names where the file has no header; typed: `name:type` in it."""

    delimiter: str
    quote: str | None = None
    columns: tuple[str, ...] = ()
    typed: bool = False

    @property
    def header(self) -> bool:
        """Is the first line the columns' names?"""
        return not self.columns


def csv_dialect(blob: Blob) -> Dialect:
    """Commas, or semicolons where the header has more of those, as spreadsheets in much of Europe write."""
    header = blob.first_lines(1)[0]
    return Dialect(";" if header.count(";") > header.count(",") else ",", quote='"')


def tsv_dialect(_: Blob) -> Dialect:
    """Tabs, with quotes where a cell needs them."""
    return Dialect("\t", quote='"')


def recbole_dialect(_: Blob) -> Dialect:
    """Tabs, no quotes, typed names in the header (`user_id:token`)."""
    return Dialect("\t", typed=True)


def movielens_dialect(blob: Blob) -> Dialect:
    """`user::item::rating::timestamp`, or the same with tabs, as in u.data; no header, no quotes."""
    line = blob.first_lines(1)[0]
    delimiter = "::" if "::" in line else "\t"
    return Dialect(delimiter, columns=MOVIELENS_COLUMNS[: line.count(delimiter) + 1])


def column_names(blob: Blob, dialect: Dialect) -> tuple[str, ...]:
    """The names of the columns, without types and without blanks around them."""
    if not dialect.header:
        return dialect.columns
    header = blob.first_lines(1)
    cells = (
        next(csv.reader(header, delimiter=dialect.delimiter)) if dialect.quote else header[0].split(dialect.delimiter)
    )
    return tuple(cell.split(":")[0].strip() if dialect.typed else cell.strip() for cell in cells)


def read_columns(blob: Blob, dialect: Dialect, wanted: Sequence[int]) -> pa.Table:
    """The columns at those positions as text, named by position; no other column is converted. Raises BadInput."""
    if dialect.header and len(blob.first_lines(2)) < 2:
        raise BadInput(blob.name, "it has a header and no rows", "Choose a file with interactions in it.")
    if len(dialect.delimiter) > 1:
        data = blob.buffer.to_pybytes().replace(dialect.delimiter.encode(), _UNIT.encode())
        blob = replace(blob, buffer=arrow_buffer(data))
    names = [str(n) for n in range(len(column_names(blob, dialect)))]
    parse = _Parse(blob, dialect, names, [str(n) for n in wanted])
    try:
        return parse.table()
    except pa.ArrowInvalid as error:
        raise parse.refusal(error) from error


@dataclass(slots=True)
class _Ragged:
    """Skips rows of too few or too many cells, counts them and keeps the first."""

    met: int = 0
    first: pacsv.InvalidRow | None = None

    def __call__(self, row: pacsv.InvalidRow) -> str:
        self.met += 1
        self.first = self.first or row
        return "skip"


@dataclass(frozen=True, slots=True)
class _Parse:
    blob: Blob
    dialect: Dialect
    names: list[str]
    wanted: list[str] = field(default_factory=list)

    def table(self, ragged: _Ragged | None = None) -> pa.Table:
        """The wanted columns. Without `ragged` such rows raise, and all threads parse.

        With it only one does: others could be the last to let go of it, a Python object, while Python already shuts
        down, which aborts the process (see blob.arrow_buffer).
        """
        return pacsv.read_csv(
            pa.BufferReader(self.blob.buffer),
            read_options=pacsv.ReadOptions(
                column_names=self.names,
                skip_rows_after_names=int(self.dialect.header),
                use_threads=ragged is None,
                block_size=_BLOCK,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.dialect.delimiter if len(self.dialect.delimiter) == 1 else _UNIT,
                quote_char=self.dialect.quote or False,
                newlines_in_values=self.dialect.quote is not None,
                invalid_row_handler=ragged,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.wanted, pa.string()),
                include_columns=self.wanted,
                strings_can_be_null=False,
            ),
        )

    def refusal(self, error: pa.ArrowInvalid) -> BadInput:
        """What the parser stumbled over. It is run again on one thread, since only then it tells the row."""
        name, ragged = self.blob.name, _Ragged()
        if "UTF8" in str(error).upper():
            return not_text(name)
        try:
            rows = self.table(ragged).num_rows + ragged.met
        except pa.ArrowInvalid:
            if "straddl" in str(error):
                problem = f"a row is longer than {_BLOCK >> 20} MB, as after a quote that is never closed"
                return BadInput(name, problem, "Close the quote, or shorten the row.")
            return BadInput(name, f"it cannot be read ({one_line(error)})", "Write it again as plain CSV in UTF-8.")
        if ragged.first is None:
            return BadInput(name, f"it cannot be read ({one_line(error)})", "Write it again as plain CSV in UTF-8.")
        row = ragged.first.number - 1 - int(self.dialect.header)
        return BadInput(
            f"{name}, {self.blob.place(row, rows, self.dialect.header)}",
            f"it has {_cells(ragged.first.actual_columns)} where {_cells(ragged.first.expected_columns)} are expected",
            "Give every row the same cells, and quote cells that hold the separator.",
        )


def _cells(n: int) -> str:
    return f"{n} cell" if n == 1 else f"{n} cells"
