"""Methods as people ask for them: crossed with modules, over strengths, with settings, and around a variant.

A method of `METHODS` names some of the five modules; what it leaves open is crossed with the choices made for all.
Here: the grids that answers make, and why an answer has no meaning beside the others. Not here: the table of methods
(choices.py), what a grid means (sweep.py), the widgets (pages/sweep.py).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np

from core.errors import BadVariant
from core.models.choices import METHODS, Strength
from core.models.fields import FIELDS, MODULES
from core.models.sweep import Grid
from core.models.variant import Variant, make_variant

Options = Mapping[str, Sequence[str]]
"""Names chosen for each module or setting that is a choice; one that is missing or empty keeps its default."""

STEPS = 10
"""Strengths of a fine grid."""
NAMED = [name for name, about in FIELDS.items() if about.choices is not None]
"""The fields that are choices: the modules, and settings such as `sam`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The answers that ask for some variants."""

    method: str
    """A key of METHODS."""
    options: Options = field(default_factory=dict)
    strengths: tuple[float, ...] = ()
    """Of the method; empty for one without."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Other settings that differ from the tested ones, as one would type them."""
    penalties: tuple[float, ...] = ()
    """Strengths of a popularity penalty on top."""


@cache
def strength_of(method: str) -> Strength | None:
    """The debias strength of a method of METHODS; None for one without."""
    found = make_variant("any", **METHODS[method]).strength
    return found[0] if found else None


def grid_of(method: str, options: Options, typed: Grid, strengths: Sequence[str]) -> Grid:
    """The grid of one method: its own modules, the options for the others, what was typed, its strengths."""
    own = {name: [value] for name, value in METHODS[method].items()}
    chosen = {name: list(values) for name, values in options.items() if values and name not in own}
    strength = strength_of(method)
    return {**own, **chosen, **typed, **({strength.field: list(strengths)} if strength else {})}


def combined(methods: Iterable[str], options: Options) -> list[tuple[str, dict[str, str]]]:
    """Every method with every combination of choices that it means under these options, all five modules filled in."""
    found = []
    for method in methods:
        grid = {name: values for name, values in grid_of(method, options, {}, ()).items() if name in NAMED}
        found += [(method, _filled(dict(zip(grid, v, strict=True)))) for v in itertools.product(*grid.values())]
    return found


def _filled(choices: Mapping[str, str]) -> dict[str, str]:
    filled = dict(choices)
    for name, about in MODULES.items():
        filled.setdefault(name, about.default(filled))
    return filled


def reasons_against_all(methods: Iterable[str], options: Options) -> dict[str, None]:
    """Why some of these combinations have no meaning, each sentence once; empty if all have one."""
    found: dict[str, None] = {}
    for _, choices in combined(methods, options):
        found.update(dict.fromkeys(_reasons(tuple(choices.items()))))
    return found


@lru_cache(maxsize=50_000)
def _reasons(choices: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    try:
        make_variant("any", **dict(choices))
    except BadVariant as error:
        return error.reasons
    return ()


def reason_against_method(method: str, methods: Collection[str], options: Options) -> str | None:
    """Why this method cannot be asked for beside the options; None if it can, or is asked for already."""
    return None if method in methods else _new([method], options, {})


def reason_against_option(name: str, value: str, methods: Collection[str], options: Options) -> str | None:
    """Why this choice cannot be made beside the others; None if it can, or is made already."""
    made = list(options.get(name) or ())
    if value in made:
        return None
    return _new(methods, {**options, name: [*made, value]}, reasons_against_all(methods, options))


def _new(methods: Iterable[str], options: Options, known: Mapping[str, None]) -> str | None:
    return " ".join(why for why in reasons_against_all(methods, options) if why not in known) or None


def asking_for(variant: Variant) -> Asked:
    """The answers that give this variant: of the methods with its strength the one that names most of its modules.

    Raises ValueError for a reference: nothing of it is trained.
    """
    base = variant.reranked or variant
    if base.baseline:
        raise ValueError(f"{variant.label} is a reference: it is not asked for by a method")
    modules = {name: getattr(base, name) for name in MODULES}
    strength = base.strength
    fits = [m for m, names in METHODS.items() if names.items() <= modules.items() and _same(strength_of(m), strength)]
    method = max(fits, key=lambda m: len(METHODS[m]))
    filled = {"baseline": None, **base.used()}
    differs = {
        name: value
        for name, value in base.used().items()
        if name in FIELDS and name not in METHODS[method] and value != FIELDS[name].default(filled)
        if not strength or name != strength[0].field
    }
    return Asked(
        method,
        {name: [str(value)] for name, value in differs.items() if name in NAMED},
        (strength[1],) if strength else (),
        {name: _typed(value) for name, value in differs.items() if name not in NAMED},
        (variant.strength[1],) if variant.reranked and variant.strength else (),
    )


def _same(own: Strength | None, found: tuple[Strength, float] | None) -> bool:
    return (own.field if own else None) == (found[0].field if found else None)


def _typed(value: object) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def around(variant: Variant) -> Asked | None:
    """The same settings with ten strengths around the variant's own; None for a variant without a strength."""
    if not variant.strength:
        return None
    strength, value = variant.strength
    asked, fine = asking_for(variant), fine_grid(strength, value)
    if variant.reranked:
        return Asked(asked.method, asked.options, asked.strengths, asked.settings, fine)
    return Asked(asked.method, asked.options, fine, asked.settings)


def fine_grid(strength: Strength, value: float) -> tuple[float, ...]:
    """Ten strengths around `value`, it among them: from half of it to its double, evenly on either side.

    Towards a bound they go half way, never beyond; around 0, up to the smallest of the usual grid.
    >>> from core.models.choices import SAMPLERS
    >>> fine_grid(SAMPLERS["auc_ns"].strength, 0.1)
    (0.05, 0.0625, 0.075, 0.0875, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2)
    """
    if value <= strength.low:
        return _rounded(np.linspace(strength.low, min(v for v in strength.grid if v > strength.low), STEPS), value)
    low, high = max(value / 2, (value + strength.low) / 2), min(value * 2, (value + strength.high) / 2)
    if high <= value * 1.01:  # at the bound
        return _rounded(np.linspace(low, value, STEPS), value)
    below = np.linspace(low, value, STEPS // 2)
    return _rounded([*below, *np.linspace(value, high, STEPS // 2 + 1)[1:]], value)


def _rounded(values: Iterable[float], exact: float) -> tuple[float, ...]:
    """To four digits; the value itself as it is."""
    return tuple(exact if math.isclose(value, exact) else float(f"{value:.4g}") for value in map(float, values))
