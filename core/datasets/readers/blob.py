"""The bytes of a user's file, whatever it is packed in, and where in them a row stands.

Here: plain files, .gz, and .zip with one table in it; size limits; the refusal of what is empty or no text.
Not here: what the bytes mean (the other modules of this folder).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from core.datasets.archives import MEGABYTE, open_zip, read_gzip, read_member, too_large
from core.errors import BadInput
from core.settings import Settings

_TABLES = ("ratings.csv", "ratings.dat", "u.data", "train.txt")  # what the table is called in well-known archives
_BLANK = re.compile(rb"\A\xef\xbb\xbf|\A(?:[ \t]*\r?\n)+")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """A file's bytes. name: what messages call it; skipped: blank lines before the first that is left.

    limit: the bytes that its content may take unpacked, which a Parquet file can exceed a thousandfold.
    """

    name: str
    buffer: pa.Buffer
    skipped: int = 0
    limit: int = sys.maxsize

    def head(self) -> bytes:
        """The first 64 KB."""
        return bytes(self.buffer.slice(0, min(_HEAD, self.buffer.size)).to_pybytes())

    def first_lines(self, n: int = 20) -> list[str]:
        """The first lines that hold anything, decoded; one that the head cuts in two is left out."""
        lines = self.head().decode("utf-8", errors="replace").splitlines()
        if self.buffer.size > _HEAD and len(lines) > 1:
            lines.pop()
        return [line for line in lines if line.strip()][:n]

    def text(self) -> Blob:
        """Its text, without byte-order mark and leading blank lines. Raises BadInput where it is empty or no text."""
        head = self.head()
        if head.startswith(_UTF16):
            raise not_text(self.name, "Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8').")
        if b"\0" in head:
            raise not_text(self.name)
        if not head.removeprefix(b"\xef\xbb\xbf").strip():
            raise BadInput(self.name, "it is empty", "Choose a file with a table of users and items.")
        blob = self
        while found := _BLANK.match(blob.head()):
            lines = found.group().count(b"\n")
            blob = replace(blob, buffer=blob.buffer.slice(found.end()), skipped=blob.skipped + lines)
        self._refuse_other_encodings()
        return blob

    def _refuse_other_encodings(self) -> None:
        """All bytes must be UTF-8 before a parser sees them: pyarrow's tells of ragged rows by decoding them."""
        ends = pa.py_buffer(np.array([0, self.buffer.size], np.int64))
        try:
            pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, self.buffer]).cast(pa.large_string())
        except pa.ArrowInvalid:
            data = self.buffer.to_pybytes()
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, error.start) + 1
                raise not_text(f"{self.name}, line {line}") from None

    def as_utf8(self) -> Blob:
        """Text whose every byte means something: what is not UTF-8 is taken for Latin-1, as MovieLens titles are."""
        data = self.buffer.to_pybytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return replace(self, buffer=arrow_buffer(data.decode("latin-1").encode("utf-8")))
        return self

    def place(self, row: int, rows: int, header: bool) -> str:
        """Where the table's row (from 0) of `rows` stands: "line 7", or "row 7" where lines are no rows.

        Reads everything once more, so it is for refusals only.
        """
        lines = self.buffer.to_pybytes().splitlines()
        filled = [n for n, line in enumerate(lines, start=1) if line.strip()][int(header) :]
        return f"line {filled[row] + self.skipped}" if len(filled) == rows else f"row {row + 1}"


def not_text(name: str, mend: str = "Save the table as CSV in UTF-8, or as Parquet.") -> BadInput:
    """The refusal of bytes that are no text."""
    return BadInput(name, "it is not UTF-8 text", mend)


def one_line(error: Exception) -> str:
    """A library's message, short enough for a sentence."""
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:200]}..."


def arrow_buffer(data: bytes) -> pa.Buffer:
    """The bytes in Arrow's own memory, for its threads to read.

    A thread of the parser can be the last to let go of its input, while Python already shuts down. Were that a Python
    object, the whole process would be aborted instead of ending with its exit code.
    """
    buffer = pa.allocate_buffer(len(data))
    np.frombuffer(buffer, np.uint8)[:] = np.frombuffer(data, np.uint8)
    return buffer


def open_blob(path: Path, settings: Settings, name: str | None = None) -> Blob:
    """A file's bytes, unpacked. name: what messages call it, by default its own name.

    Plain files are mapped, not read; packed ones are held in memory, up to `settings.max_upload_mb`. Raises BadInput.
    """
    name, limit = name or path.name, settings.max_upload_mb * MEGABYTE
    magic = _magic(path, name)
    if magic.startswith(b"\x1f\x8b"):
        return Blob(name, arrow_buffer(read_gzip(path, name, limit)), limit=limit)
    if magic in {b"PK\x03\x04", b"PK\x05\x06"}:
        return _from_zip(path, name, limit)
    if path.stat().st_size > limit:
        raise too_large(name, limit)
    if not magic:
        return Blob(name, pa.py_buffer(b""))
    with pa.memory_map(str(path)) as mapped:
        return Blob(name, mapped.read_buffer(), limit=limit)


def _magic(path: Path, name: str) -> bytes:
    """The first four bytes, which tell packed files from plain ones."""
    if not path.is_file():
        problem = "it is a folder" if path.is_dir() else "there is no such file"
        raise BadInput(name, problem, "Give the path of a file that can be read.")
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise BadInput(name, f"it cannot be read ({error.strerror})", "Make it readable for this user.") from error


def _from_zip(path: Path, name: str, limit: int) -> Blob:
    with open_zip(path, name, limit) as archive:
        member = _table_in([m.filename for m in archive.infolist() if not m.is_dir()], name)
        return Blob(f"{name}, {member}", arrow_buffer(read_member(archive, member, name, limit)), limit=limit)


def _table_in(members: list[str], name: str) -> str:
    """The one member that is a table of interactions."""
    plain = [m for m in members if not m.startswith("__MACOSX/") and not PurePosixPath(m).name.startswith(".")]
    for candidates in (
        plain,
        [m for m in plain if m.endswith(".inter")],
        [m for m in plain if PurePosixPath(m).name in _TABLES],
    ):
        if len(candidates) == 1:
            return candidates[0]
    raise BadInput(
        name,
        f"it holds {len(plain):,} files ({', '.join(plain[:5])}{', ...' if len(plain) > 5 else ''})",
        "Unpack it and import the file with the interactions.",
    )
