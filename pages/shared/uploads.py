"""Files handed over by the browser: copied to the cache's uploads folder in chunks, under the hash of their content.

Streamlit keeps an upload in memory until it is taken out of its widget; what is read from then on is the copy. Files
that somebody put into that folder by hand can be chosen by name, for what is too large for a browser.
Not here: what is in them (core/datasets).
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from core.settings import Settings

CHUNK = 1 << 20
STALE = 86_400.0  # seconds: a copy that was never imported, of a session that has long gone
_OURS = re.compile(r"[0-9a-f]{32}|tmp.*")


def keep(settings: Settings, upload: BinaryIO) -> Path:
    """A copy of the upload; an equal one that is there already is used again. Stale copies are removed."""
    settings.uploads.mkdir(parents=True, exist_ok=True)
    drop_stale(settings, time.time() - STALE)
    digest = hashlib.sha256()
    upload.seek(0)
    with tempfile.NamedTemporaryFile(dir=settings.uploads, prefix="tmp", delete=False) as copy:
        while chunk := upload.read(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    target = settings.uploads / digest.hexdigest()[:32]
    os.replace(copy.name, target)  # noqa: PTH105 - Path.replace reads as if it replaced text
    return target


def waiting(settings: Settings) -> list[str]:
    """Names of the files that were put into the folder by hand."""
    if not settings.uploads.is_dir():
        return []
    return sorted(f.name for f in settings.uploads.iterdir() if f.is_file() and not _OURS.fullmatch(f.name))


def drop_stale(settings: Settings, before: float) -> None:
    """Remove copies of ours that were made before that time (seconds since 1970)."""
    for path in settings.uploads.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                drop(settings, path)


def drop(settings: Settings, path: Path | None) -> None:
    """Remove a copy of ours; what somebody put there by hand stays."""
    if path is not None and path.parent == settings.uploads and _OURS.fullmatch(path.name):
        with suppress(FileNotFoundError):
            path.unlink()
