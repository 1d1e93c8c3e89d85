"""Memory: what a variant needs beyond the interactions, and how much there is.

Here: the one method whose memory grows with items x items, refused before anything is allocated.
Not here: the method (baselines.py), and memory that merely ran out (jobs/attempt.py).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from core.models.variant import Variant

EASE_BYTES = 12
"""Bytes that a cell of EASE's matrix costs at the peak: float64 while it is inverted in place, and float32 weights."""
SHARE = 0.5
"""Of the memory that there is, what one run may count on: others train beside it, and the app runs too."""


def needed(variant: Variant, n_items: int) -> int:
    """Bytes of the matrices over pairs of items; 0 for what has none."""
    return EASE_BYTES * n_items**2 if variant.baseline == "ease" else 0


def refusal(variant: Variant, n_items: int, memory: int, there_is: str = "that this machine has") -> str | None:
    """Why so much memory cannot serve the variant, or None. memory: bytes; there_is: what they are, in words."""
    bytes_needed = needed(variant, n_items)
    if bytes_needed <= SHARE * memory:
        return None
    return (
        f"EASE needs {_gigabytes(bytes_needed)} of memory for its matrix of {n_items:,} x {n_items:,} items, and may "
        f"take half of the {_gigabytes(memory)} {there_is}. Leave out rare items when the data set is prepared "
        "(k-core), or take item_knn, which keeps a few neighbours of each item."
    )


def total(root: Path = Path("/")) -> int:
    """Bytes of memory that this machine has, or that the container it is may use."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(pages, _number(root / "sys/fs/cgroup/memory.max") or pages)


def free(root: Path = Path("/")) -> int:
    """Bytes that could be allocated now: what the kernel expects to find, and what a container's limit leaves.

    Where the system does not tell (macOS), all that it has.
    """
    limit = total(root)
    return max(0, min(_available(root) or limit, limit - _used_in_container(root)))


def _available(root: Path) -> int | None:
    """MemAvailable of /proc/meminfo, which counts what caches would give back."""
    with suppress(OSError, ValueError, StopIteration):
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
    return None


def _used_in_container(root: Path) -> int:
    """Bytes of a limited container's own, less the file cache that it would give back; 0 without a limit."""
    group = root / "sys/fs/cgroup"
    if _number(group / "memory.max") is None:
        return 0
    cached = 0
    with suppress(OSError, ValueError, StopIteration):
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        cached = int(next(line for line in lines if line.startswith("inactive_file ")).split()[1])
    return max(0, (_number(group / "memory.current") or 0) - cached)


def _number(path: Path) -> int | None:
    """The number in a file; None where there is no file, or "max"."""
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return None


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
