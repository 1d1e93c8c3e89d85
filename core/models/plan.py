"""A sweep as a file, plan.toml: what a page writes and `sweep --file` runs again.

    name = "Fine grid"            # optional, as is every key
    dataset = "ml-100k"           # what it was made for: its name and its id
    dataset_id = "27eb3e65d044923b"
    program = "0.1.0"             # the version that wrote it: another one may have other tested defaults
    result_version = 1
    protocol = "validation"
    seeds = [0, 1, 2]
    baselines = ["most_popular"]

    [[grids]]                     # every combination of the values is a variant
    sampler = "auc_ns"
    beta = [0.0, 0.01, 0.025]

Here: the file's form, both ways. Not here: what a field may be (variant.py), and what the grids mean (sweep.py).
A plan may come from anybody: nothing in it is run, and one that would ask for more than LARGEST runs is refused unread.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import __version__
from core.errors import BadInput
from core.models import RESULT_VERSION
from core.models.choices import BASELINES, PROTOCOLS
from core.models.fields import FIELDS
from core.models.sweep import Sweep

ABOUT = ("name", "dataset", "dataset_id", "program")
KEYS = (*ABOUT, "result_version", "protocol", "seeds", "replicates", "baselines", "grids")
LARGEST_SEED = 2**63 - 1
LARGEST = 100_000
"""Runs that a plan may ask for: ten times what a page was made for."""
LARGEST_FILE = 2**20  # bytes
LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan file's sweep, and what it says of itself."""

    sweep: Sweep
    dataset: str = ""
    """The name of the data set that it was made for; empty if the file does not say."""
    dataset_id: str = ""
    program: str = ""
    result_version: int | None = None

    @property
    def warning(self) -> str:
        """That another version wrote it, in a sentence; empty if this one did or the file does not say."""
        if self.result_version in {None, RESULT_VERSION}:
            return ""
        return (
            f"This plan was written by version {self.program or 'unknown'}, whose results have number "
            f"{self.result_version}; here it is {RESULT_VERSION}, so that its runs will not give the same numbers."
        )


# ---------------------------------------------------------------- writing


def plan_text(sweep: Sweep, dataset: str, dataset_id: str) -> str:
    """The plan as TOML: `parse_plan` gives a sweep of the same runs. dataset: the name of the data set, and its id.

    A number that was typed is written as a number; what a field has by default is left out, as it was left out here.
    """
    about = {"name": sweep.name, "dataset": dataset, "dataset_id": dataset_id, "program": __version__}
    keys: dict[str, Any] = {key: one_line(text) for key, text in about.items() if text}
    keys |= {"result_version": RESULT_VERSION, "protocol": sweep.protocol, "seeds": list(sweep.seeds)}
    keys |= {"replicates": sweep.replicates} if sweep.replicates else {}
    keys["baselines"] = list(sweep.baselines)
    grids = [_table({name: [_typed(name, v) for v in values] for name, values in grid.items()}) for grid in sweep.grids]
    return "\n".join([_table(keys), *(f"[[grids]]\n{grid}" for grid in grids)])


def one_line(text: str) -> str:
    """A name as a plan may hold it: a line of printable characters.

    >>> one_line("a\\nb")
    'a b'
    """
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_WORD]


def _typed(name: str, value: Any) -> Any:
    """A number that is written as text, as a number."""
    about = FIELDS[name]
    if not isinstance(value, str) or about.choices or about.kind not in {int, float}:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    whole = about.kind is int and number.is_integer()
    return int(number) if whole else number if math.isfinite(number) else value


def _table(keys: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in keys.items())


def _value(value: Any) -> str:
    """A value in TOML. Of text, whatever could end or steer it is escaped; a float keeps every digit."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return f'"{"".join(map(_escaped, str(value)))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return f"\\u{ord(character):04X}" if ord(character) < 32 or ord(character) == 127 else character


# ---------------------------------------------------------------- reading


def read_plan(path: Path) -> Plan:
    """What the file asks for. Raises BadInput naming the file and the key, with the mend."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _no_plan(str(path), error.strerror or str(error)) from error
    return parse_plan(content, str(path))


def parse_plan(content: bytes, where: str) -> Plan:
    """What a file's bytes ask for. where: what to call the file. Raises BadInput."""
    if len(content) > LARGEST_FILE:
        raise _no_plan(where, f"it is larger than {LARGEST_FILE // 1024} kB")
    try:
        keys = tomllib.loads(content.decode("utf-8").replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # no text, no TOML, a number of thousands of digits, lists in lists
        raise _no_plan(where, "it is nested too deeply" if isinstance(error, RecursionError) else str(error)) from error
    for key in keys:
        _known(where, "key", key, KEYS)
    about = {key: _word(where, key, keys.get(key, "")) for key in ABOUT}
    version = keys.get("result_version")
    if version is not None and not is_seed(version):
        raise BadInput(f"{where}, result_version", f"{_short(version)} is no whole number", "Leave it out.")
    sweep = _sweep(where, keys, about["name"])
    _bounded(where, sweep)
    return Plan(sweep, about["dataset"], about["dataset_id"], about["program"], version)


def _sweep(where: str, keys: Mapping[str, Any], name: str) -> Sweep:
    asked = Sweep()
    seeds = _list(keys.get("seeds", asked.seeds))
    if not seeds or not all(is_seed(s) for s in seeds):
        problem = f"{_short(seeds)} are not whole numbers from 0"
        raise BadInput(f"{where}, seeds", problem, "Write, say, seeds = [0, 1, 2].")
    replicates = keys.get("replicates", 0)
    if not is_seed(replicates):
        problem = f"{_short(replicates)} is no whole number from 0"
        raise BadInput(f"{where}, replicates", problem, "Write, say, replicates = 20.")
    for baseline in (baselines := _list(keys.get("baselines", []))):
        _known(where, "baseline", baseline, BASELINES)
    protocol = keys.get("protocol", asked.protocol)
    _known(where, "protocol", protocol, PROTOCOLS)
    grids = tuple(_grid(where, g) for g in _list(keys.get("grids", [])))
    if not grids and not baselines:
        raise BadInput(where, "it asks for nothing", "Add [[grids]] with at least one field, or baselines.")
    return Sweep(grids, tuple(baselines), tuple(seeds), protocol, name, replicates)


def is_seed(value: Any) -> bool:
    """Can this be a seed?"""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEED


def _bounded(where: str, sweep: Sweep) -> None:
    """Refuses what would fill the memory before anybody could see how much it is."""
    of_grids = sum(math.prod(map(len, grid.values())) for grid in sweep.grids)
    runs = (of_grids + len(sweep.baselines)) * (sweep.replicates or len(sweep.seeds))
    if runs > LARGEST:
        mend = f"Ask for {LARGEST:,} at most: leave values or seeds out."
        raise BadInput(where, f"it asks for {runs:,} runs", mend)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _grid(where: str, grid: Any) -> Mapping[str, list[Any]]:
    if not isinstance(grid, dict):
        raise BadInput(f"{where}, grids", f"{_short(grid)} is no table", "Write [[grids]], then one field a line.")
    for field in grid:
        _known(where, "field", field, FIELDS)
    return {field: [_plain(where, field, value) for value in _list(values)] for field, values in grid.items()}


def _plain(where: str, field: str, value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise BadInput(f"{where}, {field}", f"{_short(value)} is no value", "Write a number, a word, or a list of these.")


def _word(where: str, key: str, value: Any) -> str:
    if isinstance(value, str) and len(value) <= LONGEST_WORD and (value.isprintable() or not value):
        return value
    problem = f"{_short(value)} is no line of up to {LONGEST_WORD} characters"
    raise BadInput(f"{where}, {key}", problem, "Write it in quotes, or leave it out.")


def _known(where: str, kind: str, asked: Any, known: Iterable[str]) -> None:
    names = list(known)
    if asked not in names:
        raise BadInput(f"{where}, {kind} {_short(asked)}", f"there is no such {kind}", f"Known: {', '.join(names)}.")


def _no_plan(where: str, why: str) -> BadInput:
    return BadInput(where, f"it is no plan ({why})", "Give a TOML file; docs/cli.md shows one.")


def _short(value: Any) -> str:
    """A value as it stands in a sentence: a hostile one may be long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
