"""Identifiers: the hash of what a thing is made of, so that equal things have equal names.

File names below the cache come from these hashes and never from a user's text.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from core.errors import Unknown

ID_LENGTH = 16  # hex digits: 64 bits, so a million runs collide with probability 3e-8


def content_id(content: Any) -> str:
    """The id of JSON-like content. Key order does not matter; floats are written by `repr`, so 0.1 stays 0.1."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def by_prefix(kind: str, asked: str, ids: list[str]) -> str:
    """The one id that `asked` is or begins. Raises Unknown when there is none, or when several begin so."""
    if asked in ids:
        return asked
    found = [i for i in ids if asked and i.startswith(asked)]
    if len(found) == 1:
        return found[0]
    raise Unknown(kind, asked, found or ids)
