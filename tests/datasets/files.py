"""Small files in every format, and a server for them: what the tests of this folder share."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

USERS, ITEMS = 12, 25
Row = tuple[str, str, int, int]


def rows(users: int = USERS, items: int = ITEMS, seed: int = 0) -> list[Row]:
    """(user, item, rating, time), shuffled; every user has 8 or more items, every item somebody."""
    rng = np.random.default_rng(seed)
    took = rng.random((users, items)) < 0.4
    took[np.arange(items) % users, np.arange(items)] = True
    for user in range(users):
        took[user, rng.choice(items, 8, replace=False)] = True
    pairs = rng.permutation(np.argwhere(took))
    return [(str(u + 1), str(i + 101), int(rng.integers(1, 6)), 900_000_000 + 7 * n) for n, (u, i) in enumerate(pairs)]


def table(lines: Sequence[Sequence[object]], separator: str = ",", header: str = "") -> str:
    """Lines of cells as text."""
    return (header + "\n" if header else "") + "".join(separator.join(map(str, line)) + "\n" for line in lines)


def adjacency(lines: Sequence[Row]) -> str:
    """The same pairs as LightGCN writes them."""
    taken: dict[str, list[str]] = {}
    for user, item, *_ in lines:
        taken.setdefault(user, []).append(item)
    return table([[user, *items] for user, items in taken.items()], " ")


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder with its bytes; compiled kernels are no matter of data sets."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.relative_to(folder).parts[0] != "numba"
    }


def zipped(path: Path, members: Mapping[str, str | bytes]) -> Path:
    """A zip archive of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path, handler: type[http.server.SimpleHTTPRequestHandler] = _Quiet) -> Iterator[str]:
    """The URL of a server of that folder, on this machine only."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Truncating(_Quiet):
    """Promises more bytes than it sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"PK\x03\x04 and no more")


class Broken(_Quiet):
    """Answers every request with an internal error."""

    def do_GET(self) -> None:
        self.send_error(500)
