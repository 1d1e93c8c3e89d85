"""The settings of AUC-NS that can be turned on a finished model: which there are, and what is asked for, judged.

Here: a record of them, the values a variant has, and texts read into them. Not here: the rule (samplers.py), what each
setting may be (fields.py), what turning one does (explain.py). Nothing is compiled, so that pages may import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from core.models.fields import FIELDS, MODULES, judge
from core.models.protocols import too_many
from core.models.variant import Variant

NAMES = ("beta", "alpha", "gamma", "candidates", "references")
AT_ONCE = ("candidates", "references")
"""Of these, how many items are drawn for a pair."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """The settings of AUC-NS, as the fields of a variant that bear these names."""

    beta: float
    alpha: float
    gamma: float
    candidates: int
    """M"""
    references: int
    """N"""


def own_knobs(variant: Variant) -> Knobs:
    """What the variant was trained with; for what it does not use, the default of AUC-NS beside its other modules."""
    modules = {name: getattr(variant, name) for name in MODULES}
    if variant.encoder is None:
        raise ValueError(f"{variant.label} is not trained: it has no sampler to turn")
    usual = {name: FIELDS[name].default({**modules, "sampler": "auc_ns"}) for name in NAMES}
    return Knobs(**{name: usual[name] if (value := getattr(variant, name)) is None else value for name in NAMES})


def read_knobs(asked: Mapping[str, str], own: Knobs, negatives: int | None = None) -> tuple[Knobs, list[str]]:
    """What the texts ask for, and why a value cannot be used, a sentence each: then, and where there is none, `own`'s.

    negatives: how many items the user with most of them has not taken, where M and N are to be held against it.
    >>> read_knobs({"beta": "0.1", "alpha": ""}, Knobs(0.025, 0.6, 0.006, 5, 10))[0].beta
    0.1
    """
    values, reasons = asdict(own), []
    for name in NAMES:
        if not (text := asked.get(name, "").strip()):
            continue
        value, problem = judge(name, FIELDS[name], text)
        if not problem and negatives is not None and name in AT_ONCE and (why := too_many({name: value}, negatives)):
            problem = [why]
        if problem:
            reasons += [f"{sentence} Until then it is {values[name]:g}." for sentence in problem]
        else:
            values[name] = value
    return Knobs(**values), reasons
