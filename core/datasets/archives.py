"""Compressed files and archives from strangers: read whole members, within limits, and nothing else.

Nothing is unpacked here to a path that an archive names: members are read by name into memory.
Refused: archives with members that leave their folder, links, more bytes than allowed, and bombs.
Here: zip and gzip. Not here: which file of an archive is wanted (readers/blob.py, sources.py).
"""

from __future__ import annotations

import gzip
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import BadInput

MEGABYTE = 1_000_000

_BOMB_RATIO = 150  # text of ratings shrinks 3 to 30 times; what shrinks 150 times holds nothing
_BOMB_FLOOR = 20 * MEGABYTE  # below this a bomb does no harm
_BLOCK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError)


def too_large(name: str, limit: int) -> BadInput:
    """The refusal of more than `limit` bytes."""
    return BadInput(
        name,
        f"it holds more than {limit // MEGABYTE:,} MB",
        "Raise LONGTAIL_MAX_UPLOAD_MB if this computer has the memory for it, or import less.",
    )


@contextmanager
def open_zip(path: Path, name: str, limit: int) -> Iterator[zipfile.ZipFile]:
    """An archive whose every member was looked at. `name` is what messages call it, `limit` its bytes unpacked.

    Raises BadInput where it is damaged, leaves its folder, holds links, or unpacks to too much.
    """
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    with archive:
        _refuse_bad_members(archive, name, limit)
        yield archive


def read_member(archive: zipfile.ZipFile, member: str, name: str, limit: int) -> bytes:
    """The bytes of one member. Raises BadInput where they are damaged, encrypted or too many."""
    try:
        with archive.open(member) as stream:
            return _read_bounded(stream, f"{name}, {member}", limit, archive.getinfo(member).compress_size)
    except _DAMAGE as error:
        raise _damaged(f"{name}, {member}", error) from error


def read_gzip(path: Path, name: str, limit: int) -> bytes:
    """The unpacked bytes of a .gz file. Raises BadInput where they are damaged or too many."""
    try:
        with gzip.open(path) as stream:
            return _read_bounded(stream, name, limit, path.stat().st_size)
    except _DAMAGE as error:
        raise _damaged(name, error) from error


def _refuse_bad_members(archive: zipfile.ZipFile, name: str, limit: int) -> None:
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[:1]:
            raise BadInput(
                name,
                f"its member {member.filename[:80]!r} leaves the archive's folder",
                "Do not trust this file; get it from its official address, or unpack it yourself and import one file.",
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BadInput(name, f"its member {member.filename[:80]!r} is a link", "Pack the file itself.")
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > limit:
        raise too_large(name, limit)
    if _is_bomb(unpacked, sum(member.compress_size for member in archive.infolist())):
        raise _bomb(name)


def _read_bounded(stream: IO[bytes] | gzip.GzipFile, name: str, limit: int, packed: int) -> bytes:
    """All bytes, counted while they come: what an archive claims about its size is not believed."""
    blocks, read = [], 0
    while block := stream.read(_BLOCK):
        blocks.append(block)
        read += len(block)
        if read > limit:
            raise too_large(name, limit)
        if _is_bomb(read, packed):
            raise _bomb(name)
    return b"".join(blocks)


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > _BOMB_FLOOR and unpacked > _BOMB_RATIO * packed


def _bomb(name: str) -> BadInput:
    return BadInput(
        name,
        f"it unpacks to more than {_BOMB_RATIO} times its size, as archive bombs do",
        "Unpack it yourself and import the file inside if you trust it.",
    )


def _damaged(name: str, error: Exception) -> BadInput:
    return BadInput(name, f"it cannot be unpacked ({str(error) or type(error).__name__})", "Get or pack it again.")
