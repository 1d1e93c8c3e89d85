"""A sweep as a file, plan.toml: what `sweep --file` runs.

    name = "Fine grid"            # optional, as is every key
    protocol = "validation"
    seeds = [0, 1, 2]
    baselines = ["most_popular"]

    [[grids]]                     # every combination of the values is a variant
    sampler = "auc_ns"
    beta = [0.0, 0.01, 0.025]

Here: the file's form. Not here: what a field may be (variant.py), and what the grids mean (sweep.py).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import BadInput
from core.models.choices import BASELINES, PROTOCOLS
from core.models.fields import FIELDS
from core.models.sweep import Sweep

KEYS = ("name", "protocol", "seeds", "baselines", "grids")
LARGEST_SEED = 2**63 - 1


def read_plan(path: Path) -> Sweep:
    """The sweep that the file describes. Raises BadInput naming the file and the key, with the mend."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(str(path), f"it is no plan ({error})", "Give a TOML file; docs/cli.md shows one.") from error
    for key in content:
        _known(path, "key", key, KEYS)
    asked = Sweep()
    seeds = _list(content.get("seeds", asked.seeds))
    if not seeds or not all(is_seed(s) for s in seeds):
        raise BadInput(f"{path}, seeds", f"{seeds!r} are not whole numbers from 0", "Write, say, seeds = [0, 1, 2].")
    for baseline in (baselines := _list(content.get("baselines", []))):
        _known(path, "baseline", baseline, BASELINES)
    protocol = content.get("protocol", asked.protocol)
    _known(path, "protocol", protocol, PROTOCOLS)
    grids = tuple(_grid(path, g) for g in _list(content.get("grids", [])))
    if not grids and not baselines:
        raise BadInput(str(path), "it asks for nothing", "Add [[grids]] with at least one field, or baselines.")
    return Sweep(grids, tuple(baselines), tuple(seeds), protocol, str(content.get("name", "")))


def is_seed(value: Any) -> bool:
    """Can this be a seed?"""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEED


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _grid(path: Path, grid: Any) -> Mapping[str, list[Any]]:
    if not isinstance(grid, dict):
        raise BadInput(f"{path}, grids", f"{grid!r} is no table", "Write [[grids]], then one field a line.")
    for field in grid:
        _known(path, "field", field, FIELDS)
    return {field: _list(values) for field, values in grid.items()}


def _known(path: Path, kind: str, asked: Any, known: Any) -> None:
    if asked not in known:
        raise BadInput(f"{path}, {kind} {asked!r}", f"there is no such {kind}", f"Known: {', '.join(known)}.")
