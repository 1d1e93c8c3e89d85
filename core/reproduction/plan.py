"""What is trained for the published tables: every row at its authors' settings and at ours, as one sweep a data set.

Here: the parts, the authors' settings, what `--quick` leaves out. Not here: published figures (published.py), our
settings (core/models/defaults.py: a row "tuned" names its modules and when it stops), asking for runs (request.py).
All runs follow protocol `paper`: trained on train and validation, which together are the authors' train file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Unknown
from core.models.sweep import Sweep
from core.models.variant import Variant, make_variant
from core.reproduction.published import AUC_NS_PAPER, MEASURES, ML_100K, ONE_BP_PAPER, Published

PROTOCOL = "paper"
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
AUTHORS, TUNED = "authors", "tuned"
SETTINGS = {AUTHORS: "the authors' settings", TUNED: "our tuned settings"}

DATASETS = {"ml-100k-papers": "8780bfd681ab5356", "gowalla": "8b04bdfb90e3a7f0"}
"""Name in the catalogue to the id, which is a hash of the interactions: imported under any name it is the same data."""

ML_100K_PAPERS, GOWALLA = DATASETS


@dataclass(frozen=True, slots=True)
class Part:
    """A table of its own."""

    title: str
    dataset: str
    """Its name in the catalogue."""
    measures: tuple[str, ...]
    source: str
    tolerance: float | None = None
    """How far below the published NDCG@10 a row may be and still counts as reached; None where nothing is published."""


PARTS: dict[str, Part] = {
    "mf": Part("MovieLens 100K, MF", ML_100K_PAPERS, MEASURES, AUC_NS_PAPER, 0.015),
    "lightgcn": Part("MovieLens 100K, LightGCN", ML_100K_PAPERS, MEASURES, AUC_NS_PAPER, 0.02),
    "one_bp": Part("OneBP against two-sided updating", ML_100K_PAPERS, ("ndcg@10", "recall@10"), ONE_BP_PAPER),
    "gowalla": Part("Gowalla", GOWALLA, ("recall@20", "ndcg@20", "aplt@20"), f"{AUC_NS_PAPER}, {ONE_BP_PAPER}"),
}

_AS_IN_BOTH_PROGRAMS = {"optimizer": "adam", "l2_form": "dense", "init_sigma": "xavier", "dim": 32}
_PATIENCE = 25  # epochs without a better NDCG@10, after which a run stops, but MF at the authors' settings:
# there many rows stand still from epoch 25 to 60, and rise when the learning rate falls again
_SCHEDULE = {"lr": 0.1, "lr_decay": "20:0.1 60:0.1 80:0.1", "epochs": 100, **_AS_IN_BOTH_PROGRAMS}
_AUC_NS_OWN = {"beta": 0.025, "gamma": 0.006, "candidates": 5, "references": 10}

AUTHORS_SETTINGS: dict[str, Mapping[str, Any]] = {
    "mf": {"batch": 128, "l2": 1e-4, **_SCHEDULE},
    "lightgcn": {"batch": 1024, "l2": 1e-5, "layers": 2, "early_stopping": _PATIENCE, **_SCHEDULE},
    "one_bp": {"batch": 1024, "l2": 1e-5, "lr": 5e-4, "negatives": 5, "epochs": 2000, **_AS_IN_BOTH_PROGRAMS},
}
"""What the papers and their programs say of each part. A method's own parameters are its source's (fields.py)."""

AUC_NS_SETTINGS: dict[str, Mapping[str, Any]] = {
    "mf": {"alpha": 0.6, **_AUC_NS_OWN},
    "lightgcn": {"alpha": 0.75, **_AUC_NS_OWN},
}
PUBLISHED_SETTINGS: dict[str, Mapping[str, Any]] = {
    "dns": {"candidates": 5},
    "ips_cn": {"power": 1.0},
    "macr": {"macr_c": 30.0},
    "bc": {"tau": 0.07},
}
"""What a method's source says of it, where our tested default may be another."""
TUNED_SETTINGS: dict[tuple[str, str], Mapping[str, Any]] = {
    ("mf", "SAM-REG"): {"sam": "off", "lr": 0.0025, "l2": 2.1e-5, "init_sigma": 0.098},
    ("lightgcn", "SAM-REG"): {"sam": "off"},
}
"""What a tuned row sets beyond our defaults. SAM pairs cost a third of validation NDCG@10 here, whatever their window
(.135 at best, and BPR's .176), so the published row can only be the regulariser on ordinary pairs."""
ONE_BP_SETTINGS: Mapping[str, Any] = {"updater": "one_bp", "aggregation": 0.99, "duplicates": "one"}

ONE_BP_LOOKS, ONE_BP_PATIENCE = 10, 15
"""Epochs between two evaluations of the OneBP part, and evaluations without a better one after which it stops.

2,000 epochs are long, and those between evaluations time training alone."""

GOWALLA_SETTINGS: Mapping[str, Any] = {"dim": 64, "lr": 0.05, "init_sigma": 0.1, "epochs": 100, "eval_every": 20}
_HARD = {"l2": 0.015}
_ONE_BP_ON_GOWALLA = {"updater": "one_bp", "aggregation": 0.98, "l2": 0.001}
GOWALLA_METHODS: dict[str, Mapping[str, Any]] = {
    "RNS": {"sampler": "rns", "l2": 0.01},
    "DNS": {"sampler": "dns", **_HARD},
    "AUC-NS β 0.001": {"sampler": "auc_ns", "beta": 0.001, "alpha": 0.75, **_HARD},
    "AUC-NS β 0.025": {"sampler": "auc_ns", "beta": 0.025, "alpha": 0.75, **_HARD},
    "OneBP + DNS": {"sampler": "dns", **_ONE_BP_ON_GOWALLA},
    "OneBP + AUC-NS β 0.001": {"sampler": "auc_ns", "beta": 0.001, "alpha": 0.75, **_ONE_BP_ON_GOWALLA},
}
"""The main methods of both papers; 0.001 is the AUC-NS authors' beta on Gowalla, 0.025 theirs on MovieLens.

Decay and aggregation are the best of two or three values each by recall@20 on validation after 60 epochs."""

QUICK_METHODS: dict[str, tuple[str, ...]] = {
    "mf": ("RNS", "DNS", "AUC-NS"),
    "lightgcn": ("RNS", "AUC-NS"),
    "one_bp": ("two-sided", "OneBP"),
    "gowalla": ("RNS", "AUC-NS β 0.025"),
}
QUICK_EPOCHS = {"mf": 25, "lightgcn": 25, "one_bp": 50, "gowalla": 20}
"""`--quick`: these rows, with one seed, and no more epochs than this where a batch is a step."""
QUICK_PARTS = ("mf", "lightgcn", "one_bp")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A row of a table at one of its settings: a variant."""

    part: str
    encoder: str
    method: str
    """What the table calls it."""
    settings: str
    """AUTHORS or TUNED."""
    fields: Mapping[str, Any]
    """What is asked of `make_variant`."""
    published: Published | None = None

    def variant(self, dataset: str) -> Variant:
        """It, on the data set of that id."""
        return make_variant(dataset, PROTOCOL, **self.fields)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything that is trained."""

    parts: tuple[str, ...]
    quick: bool
    lines: tuple[Line, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of every variant."""
        return QUICK_SEEDS if self.quick else SEEDS

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets it needs, in the order of its parts."""
        return tuple(dict.fromkeys(PARTS[part].dataset for part in self.parts))

    def lines_of(self, dataset: str) -> tuple[Line, ...]:
        """The rows on that data set."""
        return tuple(line for line in self.lines if PARTS[line.part].dataset == dataset)

    def sweep(self, dataset: str) -> Sweep:
        """What is to be trained on that data set, cached and queued like any sweep."""
        grids = tuple({name: [value] for name, value in line.fields.items()} for line in self.lines_of(dataset))
        name = "Reproduction, quick" if self.quick else "Reproduction"
        return Sweep(grids, seeds=self.seeds, protocol=PROTOCOL, name=name)


def make_plan(only: Iterable[str] = (), quick: bool = False) -> Plan:
    """The plan for those parts; if none is named, for all, or QUICK_PARTS if it is to be quick. Raises Unknown.

    quick: fewer rows and epochs, one seed (QUICK_METHODS, QUICK_EPOCHS): whether everything works, not whether a figure
    is reached. Its runs are other runs than those of the whole plan.
    """
    asked = tuple(only)
    if unknown := [part for part in asked if part not in PARTS]:
        raise Unknown("part of the reproduction", unknown[0], PARTS)
    parts = tuple(part for part in PARTS if part in (asked or (QUICK_PARTS if quick else PARTS)))
    lines = [line for part in parts for line in _LINES[part]]
    if quick:
        lines = [_shortened(line) for line in lines if line.method in QUICK_METHODS[line.part]]
    return Plan(parts, quick, tuple(lines))


def _shortened(line: Line) -> Line:
    """The same with fewer epochs; what the compiled engine trains is quick as it is."""
    variant, most = line.variant("any"), QUICK_EPOCHS[line.part]
    if (variant.engine == "compiled" and line.part != "gowalla") or (variant.epochs or 0) <= most:
        return line
    return replace(line, fields={**line.fields, "epochs": most})


def _table_lines(part: str) -> list[Line]:
    """Every row of a part of the AUC-NS paper's table, at both settings."""
    lines = []
    for row in (row for row in ML_100K if row.encoder == part):
        own = AUC_NS_SETTINGS[part] if row.modules.get("sampler") == "auc_ns" else {}
        published = PUBLISHED_SETTINGS.get(row.modules.get("sampler") or row.modules.get("loss") or "", {})
        authors = {**row.modules, **AUTHORS_SETTINGS[part], **own, **published}
        lines.append(Line(part, part, row.method, AUTHORS, authors, row))
        tuned = {**row.modules, "early_stopping": _PATIENCE, **TUNED_SETTINGS.get((part, row.method), {})}
        lines.append(Line(part, part, row.method, TUNED, tuned, row))
    return lines


def _one_bp_lines() -> list[Line]:
    common = {"loss": "infonce", "eval_every": ONE_BP_LOOKS, "early_stopping": ONE_BP_PATIENCE}
    authors = {**common, **AUTHORS_SETTINGS["one_bp"]}
    return [
        Line("one_bp", "mf", "two-sided", AUTHORS, authors),
        Line("one_bp", "mf", "OneBP", AUTHORS, {**authors, **ONE_BP_SETTINGS}),
        Line("one_bp", "mf", "two-sided", TUNED, common),
        Line("one_bp", "mf", "OneBP", TUNED, {**common, "updater": "one_bp"}),
    ]


def _gowalla_lines() -> list[Line]:
    return [
        Line("gowalla", "mf", method, TUNED, {**fields, **GOWALLA_SETTINGS})
        for method, fields in GOWALLA_METHODS.items()
    ]


_LINES: dict[str, list[Line]] = {
    "mf": _table_lines("mf"),
    "lightgcn": _table_lines("lightgcn"),
    "one_bp": _one_bp_lines(),
    "gowalla": _gowalla_lines(),
}
