"""Write the tables of methods, strengths and default settings into docs/methods.md, from the code.

Run it from the project's folder: python -m tools.document_methods. A test holds that the page is up to date.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

from core.models.choices import (
    BASELINES,
    DUPLICATES,
    ENCODERS,
    LOSSES,
    OPTIMIZERS,
    PROTOCOLS,
    SAMPLERS,
    UPDATERS,
    Choice,
)
from core.models.fields import FIELDS, MODULES
from core.models.variant import make_variant

PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods.md"
START, END = "<!-- {}: python -m tools.document_methods -->\n", "<!-- end of {} -->"


def documented(page: str) -> str:
    """The page with the tables that the code gives."""
    for name, table in tables().items():
        start, end = START.format(name), END.format(name)
        before, _, rest = page.partition(start)
        _, _, after = rest.partition(end)
        page = f"{before}{start}{table}{end}{after}"
    return page


def tables() -> dict[str, str]:
    """Every table of the page, by the name of its place."""
    choices = {
        "encoders": ENCODERS,
        "samplers": SAMPLERS,
        "losses": LOSSES,
        "updaters": UPDATERS,
        "duplicates": DUPLICATES,
        "optimizers": OPTIMIZERS,
        "baselines": BASELINES,
        "protocols": PROTOCOLS,
    }
    return {name: _choices(table) for name, table in choices.items()} | {
        "parameters": _parameters(),
        "strengths": _strengths(),
        "defaults": _defaults(),
    }


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _choices(table: Mapping[str, Choice]) -> str:
    rows = [(f"`{name}`", choice.label, choice.line, choice.source) for name, choice in table.items()]
    return _table(("name", "shown as", "what", "source"), rows)


def _parameters() -> str:
    """The fields that a sampler, the loss or an updater asks for beyond those of every run."""
    rows = []
    for name, field in FIELDS.items():
        users = [s for s in SAMPLERS if _default(name, s, "two_bp") is not None]
        if name in MODULES or (len(users) == len(SAMPLERS) and name != "tau"):
            continue
        by = ["bpr"] if name == "tau" else users or ["one_bp"]
        default = _default(name, users[0] if users else "rns", "two_bp" if users else "one_bp")
        rows.append((f"`{name}`", ", ".join(f"`{b}`" for b in by), f"{default}", field.help))
    return _table(("parameter", "of", "default", "what"), rows)


def _default(field: str, sampler: str, updater: str) -> object:
    return getattr(make_variant("d", sampler=sampler, updater=updater), field)


def _strengths() -> str:
    rows = []
    for name, choice in SAMPLERS.items():
        if s := choice.strength:
            off = f"{s.off:g} (= `{s.off_is}`)" if s.off_is else f"{s.off:g}"
            grid = ", ".join(f"{value:g}" for value in s.grid)
            rows.append((f"`{name}`", f"`{s.field}`", off, grid, f"{s.low:g} to {s.high:g}", s.what))
    return _table(("method", "strength", "nearest to off", "default grid", "bounds", "what more of it does"), rows)


def _defaults() -> str:
    names = ("dim", "lr", "l2", "init_sigma", "epochs", "candidates", "aggregation")
    rows = []
    for updater, sampler in itertools.product(UPDATERS, SAMPLERS):
        values = (_default(name, sampler, updater) for name in names)
        rows.append((f"`{updater}`", f"`{sampler}`", *("" if v is None else f"{v:g}" for v in values)))
    return _table(("updater", "sampler", *names), rows)


if __name__ == "__main__":
    PAGE.write_text(documented(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
