"""What a variant is: one choice from each table, its settings, and what may be combined.

A variant is a configuration without a seed; with a seed (and the number of a bootstrap replicate, if any) it is a run.
Here: variants and runs, their one form, ids and labels.
Not here: the table of fields (fields.py), what may be combined (rules.py), grids of variants (sweep.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import BadVariant, Unknown
from core.ids import content_id
from core.models import RESULT_VERSION
from core.models.choices import BASELINES, LOSSES, OPTIMIZERS, PROTOCOLS, SAMPLERS, Strength, method_label
from core.models.defaults import BASELINE_SETTINGS
from core.models.fields import FIELDS, MODULES, OWN_FIELDS, Value, bad_choice, engine_of, judge
from core.models.rules import reasons_against


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
    init_sigma: float | str | None = None
    batch: int | None = None
    lr_decay: str | None = None
    l2_form: str | None = None
    eval_every: int | None = None
    early_stopping: int | None = None
    layers: int | None = None
    exponent: float | None = None
    candidates: int | None = None
    false_negative_cost: float | None = None
    references: int | None = None
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    group_shift: float | None = None
    negatives: int | None = None
    tau: float | None = None
    power: float | None = None
    sam_weight: float | None = None
    sam: str | None = None
    cause_weight: float | None = None
    cause_share: float | None = None
    macr_c: float | None = None
    macr_item: float | None = None
    macr_user: float | None = None
    margin_scale: float | None = None
    tau2: float | None = None
    warm_up: int | None = None
    positives: int | None = None
    var_c: float | None = None
    rarity: float | None = None
    hardness_pos: float | None = None
    popularity: float | None = None
    hardness_neg: float | None = None
    var_form: str | None = None
    aggregation: float | None = None
    duplicates: str | None = None
    threads: int | None = None
    ease_lambda: float | None = None
    knn_neighbours: int | None = None
    penalty_strength: float | None = None

    @property
    def id(self) -> str:
        """Hash of every field that changes the result, the data set and RESULT_VERSION."""
        return content_id({"result_version": RESULT_VERSION, **self.used()})

    @property
    def engine(self) -> str:
        """What runs its epochs: "compiled" or "autograd"; for baselines "closed form", for pop_penalty "re-ranking"."""
        if self.baseline:
            return "re-ranking" if self.baseline == "pop_penalty" else "closed form"
        return engine_of(self.used())

    @property
    def method(self) -> str:
        """The key of its colour, shape and path: "auc_ns", "one_bp+dns", "lightgcn+infonce", "ease".

        What differs from MF, two-sided updating, BPR and RNS, joined; at least the sampler or the loss.
        """
        if self.baseline:
            return self.baseline
        parts = [str(self.encoder)] if self.encoder != "mf" else []
        parts += [str(self.updater)] if self.updater != "two_bp" else []
        return "+".join([*parts, *self._core])

    @property
    def _core(self) -> list[str]:
        """The loss if it is not BPR, the sampler if it is not RNS; RNS where there is neither."""
        core = [str(self.loss)] if self.loss != "bpr" else []
        return [*core, str(self.sampler)] if self.sampler != "rns" or not core else core

    @property
    def method_label(self) -> str:
        """The method in words: "OneBP + DNS"."""
        return method_label(self.method)

    @property
    def strengths(self) -> list[tuple[str, Strength, float]]:
        """Every debias strength it has, with the choice it belongs to and its value. The first is its path's.

        That is the penalty's, else the sampler's, else the loss's.
        """
        chosen = [(BASELINES, self.baseline), (SAMPLERS, self.sampler), (LOSSES, self.loss)]
        return [
            (name, s, float(getattr(self, s.field)))
            for table, name in chosen
            if name and (s := table[name].strength) is not None
        ]

    @property
    def strength(self) -> tuple[Strength, float] | None:
        """Its debias strength and the value it has; None for a method without one."""
        return self.strengths[0][1:] if self.strengths else None

    @property
    def reranked(self) -> Variant | None:
        """What a popularity penalty re-ranks; None for everything else."""
        if self.baseline != "pop_penalty":
            return None
        return make_variant(self.dataset, self.protocol, **_settings(self, without="penalty_strength"))

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
        settings = {**_settings(self), found[0].field: found[0].off}
        return make_variant(self.dataset, self.protocol, self.baseline, **settings)


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

    @property
    def reranked(self) -> Run | None:
        """The run of the same seed that a popularity penalty re-ranks; None for everything else."""
        base = self.variant.reranked
        return Run(base, self.seed, self.bootstrap) if base else None

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
    reasons = bad_choice("protocol", protocol, PROTOCOLS) + (
        bad_choice("baseline", baseline, BASELINES) if baseline else []
    )
    if reasons:
        raise BadVariant(reasons)
    filled: dict[str, Any] = {"protocol": protocol, "baseline": baseline}
    for name, field in FIELDS.items():
        if reasons and name not in MODULES and not MODULES.keys() <= filled.keys():
            break  # settings depend on the modules: what is wrong with those comes first
        if not field.used(filled):
            continue
        given = choices.get(name)
        value, problem = judge(name, field, field.default(filled) if given is None else given)
        reasons += problem
        if not problem or name not in MODULES:
            filled[name] = value
    reasons += reasons_against(filled)
    if reasons:
        raise BadVariant(reasons)
    return _canonical(Variant(dataset=dataset, **filled))


def variant_from_fields(content: Mapping[str, Any]) -> Variant:
    """A variant from the fields that `Variant.used` gave. Raises BadVariant or Unknown."""
    rest = {k: v for k, v in content.items() if k not in {"dataset", "protocol", "baseline"}}
    return make_variant(content["dataset"], content.get("protocol", "validation"), content.get("baseline"), **rest)


def _settings(variant: Variant, without: str = "") -> dict[str, Any]:
    return {k: v for k, v in variant.used().items() if k in FIELDS and k != without}


def _canonical(variant: Variant) -> Variant:
    """The form that everything computing the same shares: a method at its "off" is the method it equals there."""
    if variant.baseline == "pop_penalty":
        base = variant.reranked
        if variant.penalty_strength == 0 and base:
            return base
        # what it re-ranks has one form too
        return replace(base, baseline="pop_penalty", penalty_strength=variant.penalty_strength) if base else variant
    for name, strength, value in variant.strengths:
        if strength.off_is and value == strength.off and _holds(variant, strength.off_where):
            module = "sampler" if name in SAMPLERS else "loss"
            settings = {**_settings(variant), module: strength.off_is}
            return make_variant(variant.dataset, variant.protocol, **settings)
    if variant.l2 == 0 and variant.l2_form:  # nothing decays in either form
        return replace(variant, l2_form="dense")
    return variant


def _holds(variant: Variant, condition: tuple[str, str] | None) -> bool:
    return condition is None or getattr(variant, condition[0]) == condition[1]


def _label(v: Variant) -> str:
    if v.reranked:
        return f"{v.reranked.label}, popularity penalty {v.penalty_strength:g}"
    if v.baseline:
        own = OWN_FIELDS.get(v.baseline)
        usual = own and getattr(v, own) == BASELINE_SETTINGS[v.baseline][own]
        changed = f", {own.replace('_', ' ')} {getattr(v, own):g}" if own and not usual else ""
        return f"{BASELINES[v.baseline].label}{changed}"
    name = v.method_label + "".join(f" {s.symbol} {value:g}" for _, s, value in v.strengths[:1])
    if v.sampler == "dns" and v.loss == "bpr":
        name += f" ({SAMPLERS['auc_ns'].label} {SAMPLERS['auc_ns'].strength.symbol} 0)"  # type: ignore[union-attr]
    modules = {name: getattr(v, name) for name in MODULES}
    usual_modules = make_variant(v.dataset, v.protocol, **{**modules, "optimizer": None, "sam": v.sam})
    changes = [OPTIMIZERS[str(v.optimizer)].label] if v.optimizer != usual_modules.optimizer else []
    usual_settings = make_variant(v.dataset, v.protocol, **modules, sam=v.sam)
    shown = {*MODULES, *(s.field for _, s, _ in v.strengths[:1])}
    if v.protocol == "refit":
        shown.add("epochs")  # nobody's choice: validation found them
    changes += [
        f"{n.replace('_', ' ')} {_short(getattr(v, n))}"
        for n in FIELDS
        if n not in shown and getattr(v, n) is not None and (n == "sam" or getattr(v, n) != getattr(usual_settings, n))
        if not (n == "sam" and v.sam == "on")
    ]
    return ", ".join([name, *changes])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
