"""What a variant is: one choice from each table, its settings, and what may be combined.

A variant is a configuration without a seed; with a seed (and the number of a bootstrap replicate, if any) it is a run.
Here: the fields (one table, FIELDS), defaults, the rules, ids and labels.
Not here: the choices themselves (choices.py), tested default settings (defaults.py), grids of variants (sweep.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from core.errors import BadVariant, Unknown
from core.ids import content_id
from core.models import RESULT_VERSION
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
    Strength,
)
from core.models.defaults import default_settings

Value = str | int | float
Choices = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a variant: what it is, when it is used, what it may be."""

    kind: type
    help: str
    used: Callable[[Choices], bool]
    default: Callable[[Choices], Any]
    low: float = 0
    high: float = 0
    low_open: bool = False
    high_open: bool = False
    choices: Mapping[str, Choice] | None = None


def _always(_: Choices) -> bool:
    return True


def _sampler(*names: str) -> Callable[[Choices], bool]:
    return lambda c: c["sampler"] in names


def _value(value: Value) -> Callable[[Choices], Value]:
    return lambda _: value


def _tested(name: str, otherwise: Value | None = None) -> Callable[[Choices], Any]:
    def default(c: Choices) -> Any:
        row = default_settings(c["encoder"], c["sampler"], c["loss"], c["updater"], c["optimizer"])
        return row[name] if otherwise is None else row.get(name, otherwise)

    return default


def _one_bp(c: Choices) -> bool:
    return bool(c["updater"] == "one_bp")


FIELDS: dict[str, Field] = {
    # the building modules first: the settings' defaults and uses follow from them
    "encoder": Field(str, "user-item encoding", _always, _value("mf"), choices=ENCODERS),
    "sampler": Field(str, "negative sampling", _always, _value("rns"), choices=SAMPLERS),
    "loss": Field(str, "loss", _always, _value("bpr"), choices=LOSSES),
    "updater": Field(str, "updating", _always, _value("two_bp"), choices=UPDATERS),
    "optimizer": Field(str, "optimizer; the engine follows from it", _always, _value("sgd"), choices=OPTIMIZERS),
    "dim": Field(int, "length of an embedding", _always, _tested("dim"), low=1, high=4096),
    "lr": Field(float, "learning rate", _always, _tested("lr"), low=0, low_open=True, high=100),
    "l2": Field(float, "weight decay of the rows of a pair", _always, _tested("l2"), low=0, high=100),
    "epochs": Field(int, "passes over the training pairs, at most", _always, _tested("epochs"), low=1, high=100_000),
    "init_sigma": Field(
        float,
        "standard deviation of the initial embeddings",
        _always,
        _tested("init_sigma"),
        low=0,
        low_open=True,
        high=10,
    ),
    "eval_every": Field(
        int,
        "epochs between two evaluations (1 under protocol paper)",
        _always,
        lambda c: 1 if c["protocol"] == "paper" else 5,
        low=1,
        high=100_000,
    ),
    "early_stopping": Field(
        int,
        "stop after so many evaluations without a better one; 0 never stops",
        lambda c: bool(c["protocol"] != "refit"),
        lambda c: 0 if c["protocol"] == "paper" else 10,
        low=0,
        high=100_000,
    ),
    "exponent": Field(float, "power of popularity", _sampler("pns"), _value(0.75), low=0, high=2),
    "candidates": Field(
        int, "candidates M a pair", _sampler("dns", "bns", "auc_ns"), _tested("candidates", 5), low=1, high=1000
    ),
    "false_negative_cost": Field(
        float, "weight of true negatives against false ones", _sampler("bns"), _value(5.0), low=0, high=1000
    ),
    "references": Field(
        int, "positives and negatives N in AUC-NS's means", _sampler("auc_ns"), _value(10), low=1, high=1000
    ),
    "alpha": Field(
        float,
        "macro-AUC of the encoder",
        _sampler("auc_ns"),
        _value(0.6),
        low=0.5,
        low_open=True,
        high=1,
        high_open=True,
    ),
    "beta": Field(float, "sampling prior strength; 0 is DNS", _sampler("auc_ns"), _value(0.025), low=0, high=10),
    "gamma": Field(
        float,
        "false-positive-rate range of the partial AUC",
        _sampler("auc_ns"),
        _value(0.006),
        low=0,
        low_open=True,
        high=1,
    ),
    "tau": Field(float, "temperature of the scores", _always, _tested("tau", 1.0), low=0, low_open=True, high=1000),
    "aggregation": Field(
        float,
        "share of a user's embedding that a move keeps",
        _one_bp,
        _tested("aggregation", 0.99),
        low=0,
        high=1,
        high_open=True,
    ),
    "duplicates": Field(
        str, "moves of a user who occurs several times", _one_bp, _value("in_order"), choices=DUPLICATES
    ),
    "threads": Field(int, "threads of the training process", _always, _value(1), low=1, high=1),
}
"""Every field, in the order in which defaults are filled in. The command line and the Sweep page follow it."""


MODULES = {name: FIELDS[name] for name in ("encoder", "sampler", "loss", "updater", "optimizer")}
"""The building modules and what steps them: every other field's use and default follows from these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A configuration without a seed. A field that it does not use is None and is not part of its id.

    Make one with `make_variant`, which fills in defaults, judges values, and gives equal variants equal form.
    """

    dataset: str
    protocol: str = "validation"
    baseline: str | None = None
    encoder: str | None = None
    sampler: str | None = None
    loss: str | None = None
    updater: str | None = None
    optimizer: str | None = None
    dim: int | None = None
    lr: float | None = None
    l2: float | None = None
    epochs: int | None = None
    init_sigma: float | None = None
    eval_every: int | None = None
    early_stopping: int | None = None
    exponent: float | None = None
    candidates: int | None = None
    false_negative_cost: float | None = None
    references: int | None = None
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    tau: float | None = None
    aggregation: float | None = None
    duplicates: str | None = None
    threads: int | None = None

    @property
    def id(self) -> str:
        """Hash of every field that changes the result, the data set and RESULT_VERSION."""
        return content_id({"result_version": RESULT_VERSION, **self.used()})

    @property
    def engine(self) -> str:
        """What runs its epochs: "compiled", or "closed form" for a baseline."""
        return "closed form" if self.baseline else "compiled"

    @property
    def method(self) -> str:
        """The key of its colour, shape and path: "auc_ns", "one_bp+dns", "most_popular"."""
        if self.baseline:
            return self.baseline
        return f"one_bp+{self.sampler}" if self.updater == "one_bp" else str(self.sampler)

    @property
    def strength(self) -> tuple[Strength, float] | None:
        """Its debias strength and the value it has; None for a method without one."""
        found = SAMPLERS[self.sampler].strength if self.sampler else None
        return (found, float(getattr(self, found.field))) if found else None

    @property
    def label(self) -> str:
        """Its name by what differs from the default: "AUC-NS β 0.05, dim 64"."""
        return _label(self)

    def used(self) -> dict[str, Value]:
        """Its fields that are not None, by name."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None}

    def path(self) -> str:
        """Key of the curve over strength it lies on: every field but the strength's own, hashed.

        A variant that is another method's "off" (dns is auc_ns at beta 0) begins that method's paths too: see `at_off`.
        """
        found = self.strength
        return content_id({k: v for k, v in self.used().items() if not found or k != found[0].field})

    def at_off(self) -> Variant | None:
        """The variant its path begins at: itself with its strength at "off", in the form of what that equals.

        For auc_ns that is dns; None without a strength. A path finds its first point by it, whatever the rest is.
        """
        found = self.strength
        if not found:
            return None
        return make_variant(self.dataset, self.protocol, **{**_settings(self), found[0].field: found[0].off})


@dataclass(frozen=True, slots=True)
class Run:
    """A variant with a seed, and the number of a bootstrap replicate for the bias-variance analysis."""

    variant: Variant
    seed: int
    bootstrap: int | None = None

    @property
    def id(self) -> str:
        """Hash of the variant's id, the seed and the replicate."""
        return content_id({"variant": self.variant.id, "seed": self.seed, "bootstrap": self.bootstrap})

    @property
    def label(self) -> str:
        """The variant's label and the seed."""
        return f"{self.variant.label}, seed {self.seed}" + (
            f", replicate {self.bootstrap}" if self.bootstrap is not None else ""
        )

    def to_json(self) -> dict[str, Any]:
        """Plain content, for a queue or a file."""
        return {"variant": self.variant.used(), "seed": self.seed, "bootstrap": self.bootstrap}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Run:
        """What `to_json` gave. Raises BadVariant if a field is unknown."""
        return cls(variant_from_fields(content["variant"]), int(content["seed"]), content.get("bootstrap"))


def make_variant(dataset: str, protocol: str = "validation", baseline: str | None = None, **choices: Any) -> Variant:
    """A valid variant: defaults filled in, unused fields dropped, one form for what computes the same.

    choices: fields by name; None means the default. Raises BadVariant with every reason, Unknown for a field's name.
    >>> make_variant("d", sampler="auc_ns", beta=0).sampler
    'dns'
    """
    for name in choices:
        if name not in FIELDS:
            raise Unknown("field", name, FIELDS)
    reasons = _bad_choice("protocol", protocol, PROTOCOLS) + (
        _bad_choice("baseline", baseline, BASELINES) if baseline else []
    )
    if reasons:
        raise BadVariant(reasons)
    if baseline:
        return Variant(dataset=dataset, protocol=protocol, baseline=baseline)
    filled: dict[str, Any] = {"protocol": protocol}
    for name, field in FIELDS.items():
        if reasons and name not in MODULES and not MODULES.keys() <= filled.keys():
            break  # settings depend on the modules: what is wrong with those comes first
        if not field.used(filled):
            continue
        given = choices.get(name)
        value, problem = _judge(name, field, field.default(filled) if given is None else given)
        reasons += problem
        if not problem or name not in MODULES:
            filled[name] = value
    if reasons:
        raise BadVariant(reasons)
    return _canonical(Variant(dataset=dataset, **filled), choices)


def variant_from_fields(content: Mapping[str, Any]) -> Variant:
    """A variant from the fields that `Variant.used` gave. Raises BadVariant or Unknown."""
    rest = {k: v for k, v in content.items() if k not in {"dataset", "protocol", "baseline"}}
    return make_variant(content["dataset"], content.get("protocol", "validation"), content.get("baseline"), **rest)


def _settings(variant: Variant) -> dict[str, Any]:
    return {k: v for k, v in variant.used().items() if k in FIELDS}


def _canonical(variant: Variant, choices: Choices) -> Variant:
    """The form that everything computing the same shares: a method at its "off" is the method it equals there."""
    found = variant.strength
    if found and found[0].off_is and found[1] == found[0].off:
        settings = {**_settings(variant), "sampler": found[0].off_is}
        return make_variant(variant.dataset, variant.protocol, **settings)
    return variant


def _bad_choice(name: str, value: Any, table: Mapping[str, Choice]) -> list[str]:
    return [] if value in table else [str(Unknown(name, str(value), table))]


def _judge(name: str, field: Field, given: Any) -> tuple[Any, list[str]]:
    """The value in the field's type, and what is wrong with it."""
    option = name.replace("_", "-")
    if field.choices is not None:
        return given, _bad_choice(name, given, field.choices)
    try:
        number = float(given)
        if isinstance(given, bool) or not math.isfinite(number) or (field.kind is int and number != int(number)):
            raise ValueError
    except (TypeError, ValueError):
        wanted = "a whole number" if field.kind is int else "a number"
        return given, [f"{option}={given!r} is not {wanted}: {field.help}. Give {wanted} {_range(field)}."]
    below = number < field.low or (field.low_open and number == field.low)
    above = number > field.high or (field.high_open and number == field.high)
    if below or above:
        return given, [f"{option}={given!r} is out of range: {field.help}. Give a value {_range(field)}."]
    return (int(number) if field.kind is int else number + 0.0), []


def _range(field: Field) -> str:
    low = f"{'above' if field.low_open else 'from'} {field.low:g}"
    return f"{low} {'and below' if field.high_open else 'to'} {field.high:g}"


def _label(v: Variant) -> str:
    if v.baseline:
        return BASELINES[v.baseline].label
    sampler = SAMPLERS[str(v.sampler)]
    name = f"OneBP + {sampler.label}" if v.updater == "one_bp" else sampler.label
    if v.strength:
        strength, value = v.strength
        name += f" {strength.symbol} {value:g}"
    elif off := [s for s, c in SAMPLERS.items() if c.strength and c.strength.off_is == v.sampler and s == "auc_ns"]:
        name += f" ({SAMPLERS[off[0]].label} {SAMPLERS[off[0]].strength.symbol} 0)"  # type: ignore[union-attr]
    modules = {name: getattr(v, name) for name in MODULES}
    usual = make_variant(v.dataset, v.protocol, **modules) if v.protocol != "refit" else v
    skip = {*modules, v.strength[0].field if v.strength else ""}
    differing = [n for n in FIELDS if n not in skip and getattr(v, n) != getattr(usual, n)]
    return ", ".join([name, *(f"{n.replace('_', ' ')} {getattr(v, n):g}" for n in differing)])
