"""Files damaged at random: an import gives a data set or a sentence, nothing else, and refusals write nothing."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from core.datasets import store
from core.datasets.imports import ImportRequest, import_file
from core.errors import Refused
from core.settings import Settings
from tests.datasets.files import snapshot, zipped
from tests.datasets.test_readers import TEXTS, written

PIECES = [b"\0", b"\n", b"\r", b",", b"\t", b"::", b'"', b" ", b"|", b";", b"-", b"\x1f", b"\xff", b"\xef\xbb\xbf", b""]
PIECES += [b"nan", b"1e999", b"9" * 30, b"user", b"2024-01-01", "😀".encode()]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One to twenty edits: a piece put in, a byte changed, bytes taken out or repeated; many near the beginning."""
    content = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.randrange(min(len(content), 80) if rng.random() < 0.4 else len(content))
        edit = rng.random()
        if edit < 0.3:
            content[at : at + rng.choice([0, 1, 3])] = rng.choice(PIECES)
        elif edit < 0.6:
            content[at] = rng.randrange(256)
        elif edit < 0.8:
            del content[at : at + rng.choice([1, 5, 50, 500])]
        else:
            content[at:at] = content[max(0, at - 100) : at]
        content = content or bytearray(b"x")
    return bytes(content)


def undamaged(kind: str, folder: Path) -> bytes:
    packed: dict[str, Callable[[], bytes]] = {
        "gzip": lambda: gzip.compress(TEXTS["csv"].encode()),
        "zip": lambda: zipped(folder / "a.zip", {"a.csv": TEXTS["csv"]}).read_bytes(),
    }
    return packed[kind]() if kind in packed else written(folder, kind).read_bytes()


@pytest.mark.parametrize("kind", [*TEXTS, "parquet", "gzip", "zip"])
def test_damaged_files_are_refused_in_a_sentence_or_imported(kind: str, tmp_path: Path, settings: Settings) -> None:
    data, path = undamaged(kind, tmp_path), tmp_path / "damaged"
    for seed in range(30):
        rng = random.Random(f"{kind} {seed}")
        path.write_bytes(damaged(data, rng))
        before = snapshot(settings.cache)
        request = ImportRequest(
            path=path,
            name=f"n{seed}",
            items=path if seed % 3 == 0 else None,
            split="temporal" if seed % 3 == 1 else None,
        )
        try:
            info = import_file(settings, request)
        except Refused as refusal:
            assert "\n" not in str(refusal) and len(str(refusal)) < 700
            assert snapshot(settings.cache) == before
        else:
            assert store.verify(info.folder) == []
            store.remove_dataset(settings, info.id)
