"""What a command prints: its answer on standard output, messages and progress on standard error.

Here: JSON, aligned tables, progress. Not here: CSV and Parquet files of results (core/export.py).
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TextIO

BAR = 24  # characters of a progress bar
PLAIN_SECONDS = 5.0  # between two lines of progress where there is no terminal


class Output:
    """Where a command's answer, messages and progress go."""

    def __init__(self, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None):
        self.as_json = as_json
        self.out = out or sys.stdout
        self.err = err or sys.stderr

    def answer(self, document: Any, text: str) -> None:
        """The command's answer: the document under --json, the text otherwise."""
        print(as_json(document) if self.as_json else text, file=self.out)

    def say(self, message: str) -> None:
        """A message beside the answer."""
        print(message, file=self.err, flush=True)

    def progress(self) -> Progress:
        """A bar on a terminal, a line every few seconds elsewhere."""
        return Progress(self.err)


def as_json(document: Any) -> str:
    """One JSON document. Not-a-number and infinity, which JSON lacks, become null."""
    return json.dumps(_finite(document), ensure_ascii=False, indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def number(value: Any) -> str:
    """A cell of a table: three significant digits, whole numbers in full, nothing for what is missing.

    >>> [number(x) for x in (0.123456, 1234.5, 12345, None, "ndcg")]
    ['0.123', '1234', '12345', '', 'ndcg']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | Mapping[str, str]) -> str:
    """An aligned table. columns: keys of the rows, or keys and their headings. Numbers stand on the right.

    >>> print(table([{"name": "a", "n": 5}, {"name": "bcd", "n": 10}], ["name", "n"]))
    name   n
    a      5
    bcd   10
    """
    headings = dict(columns) if isinstance(columns, Mapping) else {c: c for c in columns}
    found = [[row.get(key) for key in headings] for row in rows]
    right = [all(v is None or isinstance(v, int | float) for v in column) for column in zip(*found, strict=True)]
    cells = [list(headings.values()), *([one_line(number(v)) for v in row] for row in found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = right or [False] * len(headings)
    lines = (
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, aligned, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def one_line(text: str) -> str:
    """The text without line breaks and other characters that would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def duration(seconds: float | None) -> str:
    """Seconds in words.

    >>> [duration(s) for s in (0.4, 42, 150, 8000, None)]
    ['1 s', '42 s', '2 min 30 s', '2 h 13 min', 'unknown']
    """
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Progress:
    """Progress of long work. Call it with the share done and what is being done; leave it to end the line.

    Where there is no terminal, work that is soon done says nothing.
    """

    def __init__(self, err: TextIO):
        self.err = err
        self.terminal = err.isatty()
        self._shown = ""
        self._at = time.monotonic()

    def __call__(self, share: float, text: str) -> None:
        """Show that `share` (0 to 1) is done, and what is under way."""
        share = min(max(share, 0.0), 1.0)
        if self.terminal:
            self._draw(share, one_line(text))
        elif time.monotonic() - self._at >= PLAIN_SECONDS and text != self._shown:
            self._at, self._shown = time.monotonic(), text
            print(f"{share:4.0%}  {one_line(text)}", file=self.err, flush=True)

    def _draw(self, share: float, text: str) -> None:
        filled = round(share * BAR)
        line = f"[{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%}  {text}"
        width = shutil.get_terminal_size().columns - 1
        self._shown = line[:width]
        self.err.write(f"\r{self._shown}\x1b[K")
        self.err.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.terminal and self._shown:
            self.err.write("\n")
