"""Who uses a field of a variant, and its defaults, found by asking every combination of modules.

Both generated documents are made of it. Here: facts. Not here: tables (document_methods.py, document_fields.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from core.models.choices import BASELINES
from core.models.combinations import Cell, trainable
from core.models.fields import FIELDS, MODULE_TABLES
from core.models.variant import make_variant

ALL, ANY_BATCH = "all", "the autograd engine"
TESTED = "tested"
"""The default of what a search found: core/models/defaults.py has it."""


@cache
def defaults_of(name: str) -> Mapping[Cell, Any]:
    """The field's value in every combination that uses it, all else at its default."""
    about, found = FIELDS[name], {}
    for cell in trainable():
        choices = {"baseline": None, "protocol": "validation", **cell.choices}
        if about.used(choices):
            found[cell] = about.default(choices)
    return found


@cache
def baselines_of(name: str) -> Mapping[str, Any]:
    """The field's value in every baseline that has it of its own."""
    variants = {b: make_variant("any", baseline=b) for b in BASELINES}
    own = {b: getattr(v, name) for b, v in variants.items() if getattr(v, name) is not None}
    return {} if defaults_of(name) else own


def users_of(name: str) -> list[str]:
    """The names of one module, or the baselines, that use the field; [ALL] if every combination does.

    Raises ValueError where it is not one module that decides: the documents then need a new word for it.
    """
    cells = defaults_of(name)
    if not cells:
        return list(baselines_of(name))
    if len(cells) == len(trainable()):
        return [ALL]
    for module in MODULE_TABLES:
        names = dict.fromkeys(getattr(cell, module) for cell in cells)
        if all((cell in cells) == (getattr(cell, module) in names) for cell in trainable()):
            return list(names)
    if all((cell in cells) == (cell.engine == "autograd") for cell in trainable()):
        return [ANY_BATCH]
    raise ValueError(f"which module decides whether {name} is used?")


def default_of(name: str) -> str:
    """The default in words: one value, one for each name of the module that decides, or `TESTED`."""
    values = defaults_of(name) or baselines_of(name)
    if len(distinct := dict.fromkeys(values.values())) == 1:
        return _told(next(iter(distinct)))
    for module in MODULE_TABLES:
        by_name: dict[str, dict[Any, None]] = {}
        for cell, value in defaults_of(name).items():
            by_name.setdefault(getattr(cell, module), {})[value] = None
        if all(len(found) == 1 for found in by_name.values()):
            return ", ".join(f"{_told(next(iter(found)))} (`{who}`)" for who, found in by_name.items())
    return TESTED


def _told(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
