"""The fields of a variant: one table of what each is, when it is used, what it may be, and its default.

Here: the table, and how a given value is judged. Widgets, the command line's options and the docs are derived from it.
Not here: the choices themselves (choices.py), what may be combined (rules.py), tested settings (defaults.py).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Unknown
from core.models.choices import (
    COMPILED_LOSSES,
    DUPLICATES,
    ENCODERS,
    L2_FORMS,
    LOSSES,
    OPTIMIZERS,
    SAM,
    SAMPLERS,
    UPDATERS,
    VAR_FORMS,
    Choice,
)
from core.models.defaults import BASELINE_SETTINGS, default_settings

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
    read: Callable[[Any], Value] | None = None
    """Reads what is no plain number nor a choice: gives the one form of it, raises ValueError with the reason."""
    form: str = ""
    """What `read` takes, in words."""
    optional: bool = False
    """May be left out of a variant that could use it: then its default is None."""


def _trained(c: Choices) -> bool:
    """Is anything trained: no baseline, or one that re-ranks what was trained?"""
    return c.get("baseline") in {None, "pop_penalty"}


def _using(module: str, *names: str) -> Callable[[Choices], bool]:
    """Is one of the names chosen for the module?"""
    return lambda c: c.get(module) in names


def _value(value: Value) -> Callable[[Choices], Value]:
    return lambda _: value


def _by(module: str, values: Mapping[str, Value]) -> Callable[[Choices], Value]:
    """The default that belongs to the choice made for a module."""
    return lambda c: values[c[module]]


def _tested(name: str, otherwise: Value | None = None) -> Callable[[Choices], Any]:
    def default(c: Choices) -> Any:
        row = default_settings(c["encoder"], c["sampler"], c["loss"], c["updater"], c["optimizer"])
        return row[name] if otherwise is None else row.get(name, otherwise)

    return default


def _tested_baseline(name: str) -> Callable[[Choices], Any]:
    return lambda c: BASELINE_SETTINGS[c["baseline"]][name]


def engine_of(c: Choices) -> str:
    """What trains these modules: "compiled" for SGD on MF with a loss that it has, else "autograd"."""
    compiled = c.get("encoder") == "mf" and c.get("optimizer") == "sgd" and c.get("loss") in COMPILED_LOSSES
    return "compiled" if compiled else "autograd"


def _in_batches(c: Choices) -> bool:
    return _trained(c) and engine_of(c) == "autograd"


def read_sigma(given: Any) -> Value:
    """A standard deviation above 0 and up to 10, or "xavier": sqrt(2 / (rows of the table + dim))."""
    if given == "xavier":
        return str(given)
    if isinstance(given, bool) or not 0 < (number := float(given)) <= 10:
        raise ValueError
    return number


def read_decay(given: Any) -> Value:
    """A schedule "20:0.1 60:0.1": after epoch 20 lr is multiplied by .1. Epochs ascend, factors are above 0.

    >>> read_decay("20:.1,60:0.10")
    '20:0.1 60:0.1'
    """
    steps = [step.split(":") for step in str(given).replace(",", " ").split()]
    epochs, factors = [int(epoch) for epoch, _ in steps], [float(factor) for _, factor in steps]
    ascending = epochs and epochs[0] >= 1 and all(a < b for a, b in itertools.pairwise(epochs))
    if not ascending or not all(0 < factor <= 10 for factor in factors):
        raise ValueError
    return " ".join(f"{epoch}:{factor:g}" for epoch, factor in zip(epochs, factors, strict=True))


FIELDS: dict[str, Field] = {
    # the building modules first: the settings' defaults and uses follow from them
    "encoder": Field(str, "user-item encoding", _trained, _value("mf"), choices=ENCODERS),
    "sampler": Field(str, "negative sampling", _trained, _value("rns"), choices=SAMPLERS),
    "loss": Field(str, "loss", _trained, _value("bpr"), choices=LOSSES),
    "updater": Field(str, "updating", _trained, _value("two_bp"), choices=UPDATERS),
    "optimizer": Field(
        str,
        "optimizer; the engine follows from it (sgd where the compiled engine has the combination, else adam)",
        _trained,
        lambda c: "sgd" if engine_of({**c, "optimizer": "sgd"}) == "compiled" else "adam",
        choices=OPTIMIZERS,
    ),
    "dim": Field(int, "length of an embedding", _trained, _tested("dim"), low=1, high=4096),
    "lr": Field(float, "learning rate", _trained, _tested("lr"), low=0, low_open=True, high=100),
    "l2": Field(float, "weight decay", _trained, _tested("l2"), low=0, high=100),
    "epochs": Field(int, "passes over the training pairs, at most", _trained, _tested("epochs"), low=1, high=100_000),
    "init_sigma": Field(
        float,
        "standard deviation of the initial embeddings",
        _trained,
        _tested("init_sigma"),
        read=read_sigma,
        form="a number above 0 to 10, or xavier",
    ),
    "batch": Field(int, "pairs a step", _in_batches, _tested("batch", 1024), low=1, high=1_000_000),
    "lr_decay": Field(
        str,
        "epochs after which lr is multiplied, and by what",
        _using("optimizer", "adam"),
        lambda _: None,
        read=read_decay,
        form="EPOCH:FACTOR, one or more with ascending epochs",
        optional=True,
    ),
    "l2_form": Field(str, "what decays in a step", _using("optimizer", "adam"), _value("dense"), choices=L2_FORMS),
    "eval_every": Field(
        int,
        "epochs between two evaluations (1 under protocol paper)",
        _trained,
        lambda c: 1 if c["protocol"] == "paper" else 5,
        low=1,
        high=100_000,
    ),
    "early_stopping": Field(
        int,
        "stop after so many evaluations without a better one; 0 never stops",
        lambda c: _trained(c) and c["protocol"] != "refit",
        lambda c: 0 if c["protocol"] == "paper" else 10,
        low=0,
        high=100_000,
    ),
    "layers": Field(int, "layers of propagation", _using("encoder", "lightgcn"), _value(2), low=1, high=64),
    "exponent": Field(float, "power of popularity", _using("sampler", "pns"), _value(0.75), low=0, high=2),
    "candidates": Field(
        int,
        "candidates M a pair",
        _using("sampler", "dns", "bns", "auc_ns"),
        _tested("candidates", 5),
        low=1,
        high=1000,
    ),
    "false_negative_cost": Field(
        float,
        "weight of true negatives against false ones",
        _using("sampler", "bns"),
        _value(5.0),
        low=0,
        high=1000,
    ),
    "references": Field(
        int,
        "positives and negatives N in AUC-NS's means",
        _using("sampler", "auc_ns"),
        _value(10),
        low=1,
        high=1000,
    ),
    "alpha": Field(
        float,
        "macro-AUC of the encoder",
        _using("sampler", "auc_ns"),
        _by("encoder", {"mf": 0.6, "lightgcn": 0.75}),
        low=0.5,
        low_open=True,
        high=1,
        high_open=True,
    ),
    "beta": Field(
        float,
        "sampling prior strength; 0 is DNS",
        _using("sampler", "auc_ns"),
        _value(0.025),
        low=0,
        high=10,
    ),
    "gamma": Field(
        float,
        "false-positive-rate range of the partial AUC",
        _using("sampler", "auc_ns"),
        _value(0.006),
        low=0,
        low_open=True,
        high=1,
    ),
    "group_shift": Field(
        float,
        "how far the share of cold negatives moves from the catalogue's (0) to train's (1)",
        _using("sampler", "fair_static"),
        _value(1.0),
        low=0,
        high=2,
    ),
    "negatives": Field(
        int,
        "negatives a positive",
        _using("loss", "infonce", "bc", "var_bpr"),
        _by("loss", {"infonce": 5, "bc": 128, "var_bpr": 4}),
        low=1,
        high=10_000,
    ),
    "tau": Field(
        float,
        "temperature of the scores",
        _using("loss", "bpr", "infonce", "bc"),
        lambda c: _tested("tau", 0.07 if c["loss"] == "bc" else 1.0)(c),
        low=0,
        low_open=True,
        high=1000,
    ),
    "power": Field(float, "power of the inverse popularity", _using("loss", "ips_cn"), _value(0.25), low=0, high=2),
    "sam_weight": Field(
        float,
        "weight r of the correlation",
        _using("loss", "sam_reg"),
        _value(0.05),
        low=0,
        high=1,
        high_open=True,  # at 1 no BPR would be left to learn from
    ),
    "sam": Field(
        str,
        "negatives from both sides of the positive's popularity",
        _using("loss", "sam_reg"),
        _value("on"),
        choices=SAM,
    ),
    "cause_weight": Field(
        float,
        "weight of the distance between both tables",
        _using("loss", "cause"),
        _value(0.05),
        low=0,
        high=100,
    ),
    "cause_share": Field(
        float,
        "share of pairs that move to the control table",
        _using("loss", "cause"),
        _value(0.1),
        low=0,
        high=1,
    ),
    "macr_c": Field(
        float,
        "reference score c that is taken out when ranking",
        _using("loss", "macr"),
        _tested("macr_c", 30.0),
        low=0,
        high=1000,
    ),
    "macr_item": Field(float, "weight of the items' own loss", _using("loss", "macr"), _value(1e-3), low=0, high=100),
    "macr_user": Field(float, "weight of the users' own loss", _using("loss", "macr"), _value(1e-3), low=0, high=100),
    "margin_scale": Field(float, "scale s of the margin", _using("loss", "bc"), _value(1.0), low=0, high=5),
    "tau2": Field(
        float,
        "temperature of the popularity branch",
        _using("loss", "bc"),
        _value(0.1),
        low=0,
        low_open=True,
        high=1000,
    ),
    "warm_up": Field(
        int,
        "epochs that train the popularity branch alone",
        _using("loss", "bc"),
        _value(5),
        low=1,
        high=1000,
    ),
    "positives": Field(int, "positives M a step", _using("loss", "var_bpr"), _value(2), low=1, high=1000),
    "var_c": Field(
        float,
        "temperature c of the posteriors",
        _using("loss", "var_bpr"),
        _value(4.0),
        low=0,
        low_open=True,
        high=1000,
    ),
    "rarity": Field(
        float,
        "exponent a of the positives' rarity",
        _using("loss", "var_bpr"),
        _value(0.2),
        low=0,
        high=5,
    ),
    "hardness_pos": Field(
        float,
        "exponent b of the positives' hardness",
        _using("loss", "var_bpr"),
        _value(0.8),
        low=0,
        high=5,
    ),
    "popularity": Field(
        float,
        "exponent e of the negatives' popularity",
        _using("loss", "var_bpr"),
        _value(0.0),
        low=0,
        high=5,
    ),
    "hardness_neg": Field(
        float,
        "exponent d of the negatives' hardness",
        _using("loss", "var_bpr"),
        _value(1.0),
        low=0,
        high=5,
    ),
    "var_form": Field(
        str,
        "logistic loss of the weighted margin, or weighted sum of the losses",
        _using("loss", "var_bpr"),
        _value("margin"),
        choices=VAR_FORMS,
    ),
    "aggregation": Field(
        float,
        "share of a user's embedding that a move keeps",
        _using("updater", "one_bp"),
        _tested("aggregation", 0.99),
        low=0,
        high=1,
        high_open=True,
    ),
    "duplicates": Field(
        str,
        "moves of a user who occurs several times",
        _using("updater", "one_bp"),
        _value("in_order"),
        choices=DUPLICATES,
    ),
    "threads": Field(int, "threads of the training process", _trained, _value(1), low=1, high=1),
    "ease_lambda": Field(
        float,
        "weight of EASE's penalty",
        _using("baseline", "ease"),
        _tested_baseline("ease_lambda"),
        low=0,
        low_open=True,
        high=1e9,
    ),
    "knn_neighbours": Field(
        int,
        "neighbours of an item that count",
        _using("baseline", "item_knn"),
        _tested_baseline("knn_neighbours"),
        low=1,
        high=100_000,
    ),
    "penalty_strength": Field(
        float,
        "weight of popularity when re-ranking; 0 is the setting itself",
        _using("baseline", "pop_penalty"),
        _tested_baseline("penalty_strength"),
        low=0,
        high=100,
    ),
}
"""Every field, in the order in which defaults are filled in. The command line and the Sweep page follow it."""


MODULES = {name: FIELDS[name] for name in ("encoder", "sampler", "loss", "updater", "optimizer")}
"""The building modules and what steps them: every other field's use and default follows from these."""

OWN_FIELDS = {"ease": "ease_lambda", "item_knn": "knn_neighbours", "pop_penalty": "penalty_strength"}
"""A baseline's one setting."""

MODULE_TABLES: dict[str, Mapping[str, Choice]] = {
    "encoder": ENCODERS,
    "sampler": SAMPLERS,
    "loss": LOSSES,
    "updater": UPDATERS,
    "optimizer": OPTIMIZERS,
}
"""What can be chosen for each module."""


def bad_choice(name: str, value: Any, table: Mapping[str, Choice]) -> list[str]:
    """Why this value is none of the table's, if it is not."""
    return [] if value in table else [str(Unknown(name, str(value), table))]


def judge(name: str, field: Field, given: Any) -> tuple[Any, list[str]]:
    """The value in the field's type, and what is wrong with it."""
    option = name.replace("_", "-")
    if field.choices is not None:
        return given, bad_choice(option, given, field.choices)
    if field.optional and given is None:
        return None, []
    if field.read is not None:
        try:
            return field.read(given), []
        except (ValueError, TypeError):
            return given, [f"{option}={given!r} cannot be used: {field.help}. Give {field.form}."]
    try:
        number = float(given)
        if isinstance(given, bool) or not math.isfinite(number) or (field.kind is int and number != int(number)):
            raise ValueError
    except (TypeError, ValueError):
        wanted = "a whole number" if field.kind is int else "a number"
        return given, [f"{option}={given!r} is not {wanted}: {field.help}. Give {wanted} {span_of(field)}."]
    below = number < field.low or (field.low_open and number == field.low)
    above = number > field.high or (field.high_open and number == field.high)
    if below or above:
        return given, [f"{option}={given!r} is out of range: {field.help}. Give a value {span_of(field)}."]
    return (int(number) if field.kind is int else number + 0.0), []


def span_of(field: Field) -> str:
    """The values of a number, in words."""
    low = f"{'above' if field.low_open else 'from'} {field.low:g}"
    return f"{low} {'and below' if field.high_open else 'to'} {field.high:g}"
