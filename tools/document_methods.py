"""Write the tables of methods, combinations, strengths and default settings into docs/methods.md, from the code.

Run it from the project's folder: python -m tools.document_methods. A test holds that the page is up to date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from core.models.choices import (
    BASELINES,
    DUPLICATES,
    ENCODERS,
    L2_FORMS,
    LOSSES,
    METHODS,
    OPTIMIZERS,
    PROTOCOLS,
    SAM,
    SAMPLERS,
    UPDATERS,
    VAR_FORMS,
    Choice,
)
from core.models.combinations import Cell, cells
from core.models.defaults import BASE, ROWS, Key
from core.models.fields import FIELDS, MODULES
from core.models.variant import make_variant
from tools.field_facts import ALL, default_of, users_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods.md"
START, END = "<!-- {}: python -m tools.document_methods -->\n", "<!-- end of {} -->"
CODES = {"compiled": "C", "autograd": "A"}
"""Of the engines, in the matrix."""


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
        "sam": SAM,
        "var_forms": VAR_FORMS,
        "updaters": UPDATERS,
        "duplicates": DUPLICATES,
        "optimizers": OPTIMIZERS,
        "l2_forms": L2_FORMS,
        "baselines": BASELINES,
        "protocols": PROTOCOLS,
    }
    return {name: _choices(table) for name, table in choices.items()} | {
        "methods": _methods(),
        "combinations": _combinations(),
        "parameters": _parameters(),
        "strengths": _strengths(),
        "defaults": _defaults(),
    }


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _choices(table: Mapping[str, Choice]) -> str:
    rows = [(f"`{name}`", choice.label, choice.line, choice.source) for name, choice in table.items()]
    return _table(("name", "shown as", "what", "source"), rows)


def _methods() -> str:
    """What the Sweep page offers."""
    rows = []
    for name, modules in METHODS.items():
        variant = make_variant("any", **modules)
        strength = variant.strength
        chosen = ", ".join(f"{module} `{value}`" for module, value in modules.items())
        field = f"`{strength[0].field}`" if strength else ""
        rows.append((f"`{name}`", variant.method_label, chosen, field, CODES[variant.engine]))
    return _table(("method", "shown as", "differs in", "strength", "engine"), rows)


# ---------------------------------------------------------------- what can be combined


def _combinations() -> str:
    """A table an encoder: losses by samplers, what trains them, and a footnote for each sentence that refuses them."""
    notes: dict[str, int] = {}
    parts = []
    for encoder, choice in ENCODERS.items():
        rows = [
            (
                f"`{loss}`",
                *(_cell([c for c in cells() if _at(c, encoder, loss, sampler)], notes) for sampler in SAMPLERS),
            )
            for loss in LOSSES
        ]
        parts.append(f"With `{encoder}` ({choice.label}):\n\n" + _table(("loss", *map("`{}`".format, SAMPLERS)), rows))
    told = "".join(f"{number}. {sentence}\n" for sentence, number in notes.items())
    return "\n" + "\n".join(parts) + f"\n{told}"


def _at(cell: Cell, encoder: str, loss: str, sampler: str) -> bool:
    return (cell.encoder, cell.loss, cell.sampler) == (encoder, loss, sampler)


def _cell(group: list[Cell], notes: dict[str, int]) -> str:
    """Engines under each optimizer, and footnotes; updaters and optimizers are named where not all are alike."""
    by_choice = {(cell.updater, cell.optimizer): _said(cell, notes) for cell in group}
    by_optimizer = {o: {by_choice[u, o] for u in UPDATERS} for o in OPTIMIZERS}
    if any(len(said) > 1 for said in by_optimizer.values()):
        return "; ".join(f"`{u}` `{o}`: {said}" for (u, o), said in by_choice.items())
    in_order = [next(iter(said)) for said in by_optimizer.values()]
    return in_order[0] if len(set(in_order)) == 1 else " ".join(in_order)


def _said(cell: Cell, notes: dict[str, int]) -> str:
    engine = CODES[cell.engine] if cell.settings is not None else "-"
    if cell.refusal is None:
        return engine
    return f"{engine} [{notes.setdefault(cell.refusal, len(notes) + 1)}]"


# ---------------------------------------------------------------- parameters, strengths, settings


def _parameters() -> str:
    """The fields beyond those of every run, and who asks for them."""
    rows = []
    for name, field in FIELDS.items():
        users = users_of(name)
        if name not in MODULES and users != [ALL]:
            by = ", ".join(f"`{user}`" if " " not in user else user for user in users)
            rows.append((f"`{name}`", by, default_of(name), field.help))
    return _table(("parameter", "of", "default", "what"), rows)


def _strengths() -> str:
    rows = []
    for name, choice in {**SAMPLERS, **LOSSES, **BASELINES}.items():
        if s := choice.strength:
            where = f", with {s.off_where[0]} {s.off_where[1]}" if s.off_where else ""
            off = f"{s.off:g} (= `{s.off_is}`{where})" if s.off_is else f"{s.off:g}"
            grid = ", ".join(f"{value:g}" for value in s.grid)
            symbol = "" if s.symbol == s.field else s.symbol
            rows.append((f"`{name}`", f"`{s.field}`", symbol, off, grid, f"{s.low:g} to {s.high:g}", s.what))
    head = ("method", "strength", "shown as", "nearest to off", "default grid", "bounds", "what more of it does")
    return _table(head, rows)


def _defaults() -> str:
    """A line for each combination that was searched, and who takes it."""
    names = list(dict.fromkeys(name for row in (BASE, *ROWS.values()) for name in row))
    rows = []
    for key, row in ROWS.items():
        takers = [cell for cell in cells() if cell.row == key]
        values = ("" if (v := {**BASE, **row}.get(name)) is None else _value(v) for name in names)
        rows.append((_searched(key), *values, _takers(takers)))
    return _table(("searched", *names, "taken by"), rows)


def _value(value: float | int | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _searched(key: Key) -> str:
    encoder, sampler, loss, updater, optimizer = key
    return _names([encoder, updater, optimizer, loss, sampler])


def _takers(group: list[Cell]) -> str:
    """Losses with the samplers they take this row with, those with the same samplers together."""
    if {(c.encoder, c.updater, c.optimizer) for c in group} != {(c.encoder, c.updater, c.optimizer) for c in group[:1]}:
        raise ValueError("a row is taken by another encoder, updater or optimizer: the table needs a column for them")
    by_loss = {
        loss: tuple(s for s in SAMPLERS if any((c.loss, c.sampler) == (loss, s) for c in group)) for loss in LOSSES
    }
    by_samplers: dict[tuple[str, ...], list[str]] = {}
    for loss, samplers in by_loss.items():
        if samplers:
            by_samplers.setdefault(samplers, []).append(loss)
    return "; ".join(
        f"{_all_or(losses, LOSSES, 'losses')} with {_all_or(samplers, SAMPLERS, 'samplers')}"
        for samplers, losses in by_samplers.items()
    )


def _all_or(names: Iterable[str], table: Mapping[str, Choice], what: str) -> str:
    return f"all {what}" if len(names := list(names)) == len(table) else _names(names)


if __name__ == "__main__":
    PAGE.write_text(documented(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
