"""The numbers of a report, all of them asked of the warehouse, and what made the runs behind them.

Here: which questions a request comes down to. Not here: any computing (core/warehouse), words and charts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.charts.trade_off_data import in_order
from core.decisions import store
from core.decisions.judge import Judged, turning_points
from core.decisions.store import Decision
from core.errors import DamagedArtifact, Refused, Unknown
from core.models.choices import LISTS
from core.report.request import Request
from core.warehouse import compare, decide, queries, verdicts, who_pays
from core.warehouse.database import Warehouse

Record = dict[str, Any]
Versions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Everything that a report tells."""

    data: pd.Series
    """The row of `queries.datasets`."""
    variants: pd.DataFrame
    points: pd.DataFrame
    seeds: pd.DataFrame
    found: pd.DataFrame
    """`verdicts.verdicts` of the points."""
    turns: pd.DataFrame
    judged: Judged | None
    figures: Mapping[str, list[Record]]
    """Split to `decide.figures` of the recommended setting; validation first."""
    kept: Decision | None
    """The saved decision for the recommended setting by that rule."""
    pairs: Mapping[tuple[str, str], pd.DataFrame]
    """Two variants to `compare.metrics`, the second against the first."""
    groups: pd.DataFrame | None
    deciles: pd.DataFrame | None
    items: pd.DataFrame | None
    """`compare.shown` of the last pair."""
    history: pd.DataFrame
    runs: pd.DataFrame
    """A row a run of the settings compared: variant, label, run, seed, epoch, engine."""
    versions: Mapping[Versions, int]
    """What trained the runs on the chart (Python, packages, RESULT_VERSION), to how many of them."""

    def label(self, variant: str | None) -> str:
        """A variant's name."""
        return str(self.variants.set_index("variant")["label"].get(variant, "none"))

    def row(self, variant: str) -> Record:
        """The row of `queries.variants` of a variant that is there."""
        rows = self.variants[self.variants["variant"] == variant]
        return {str(k): v for k, v in rows.iloc[0].items()}

    def marks(self) -> pd.DataFrame:
        """Each setting once with what chance leaves of it: by method, then by strength; references last."""
        return in_order(self.points).merge(self.found, on="variant", how="left")


def facts(w: Warehouse, asked: Request) -> Facts:
    """The numbers that a request asks for. Raises Unknown for a data set, DamagedArtifact for a run's file."""
    sets = queries.datasets(w)
    of = sets[sets["dataset"] == asked.dataset]
    if of.empty:
        raise Unknown("data set", asked.dataset, list(sets["name"]))
    variants = queries.variants(w, asked.dataset, asked.protocol)
    axes = asked.dataset, asked.split, asked.protocol, asked.bias, asked.accuracy
    points, seeds = queries.trade_off(w, *axes), queries.trade_off_seeds(w, *axes)
    if points.empty:
        raise Refused(
            f"No finished run has both {asked.accuracy} and {asked.bias} on {asked.split}. Choose other metrics."
        )
    judged = decide.judged(w, asked.dataset, asked.rule, asked.baseline) if asked.rule else None
    pairs = {pair: compare.metrics(w, *pair, asked.k, asked.split) for pair in pairs_of(asked)}
    runs = variants.loc[variants["variant"].isin(asked.pins.values()), "runs"]
    return Facts(
        data=of.iloc[0],
        variants=variants,
        points=points,
        seeds=seeds,
        found=verdicts.verdicts(w, *axes, asked.baseline, _looked_at(asked, judged)),
        turns=turning_points(points, asked.bias),
        judged=judged,
        figures=_figures(w, asked, judged),
        kept=_kept(w, asked, judged),
        pairs=pairs,
        groups=_groups(w, asked),
        deciles=who_pays.by_decile(w, asked.compared, asked.k, asked.split) if asked.compared else None,
        items=compare.shown(w, *list(pairs)[-1], asked.k, asked.split).items if pairs else None,
        history=queries.history(w, [run for of_one in runs for run in of_one]),
        runs=_runs(w, asked),
        versions=_versions(w, points, variants),
    )


def pairs_of(asked: Request) -> list[tuple[str, str]]:
    """What is compared with what: A with the baseline, B with the baseline, B with A."""
    against = [(asked.baseline, v) for v in asked.pins.values()] + [(asked.a, asked.b)]
    return [(first, second) for first, second in against if first and second and first != second]


def _looked_at(asked: Request, judged: Judged | None) -> tuple[str, ...]:
    """What must have an interval, however many settings there are: pins, and what the rule recommends."""
    return tuple(sorted({*asked.pins.values(), *([judged.recommended] if judged and judged.recommended else [])}))


def _figures(w: Warehouse, asked: Request, judged: Judged | None) -> dict[str, list[Record]]:
    if asked.rule is None or judged is None or judged.recommended is None:
        return {}
    splits: list[queries.Split] = ["validation"] if asked.split == "validation" else ["validation", "test"]
    of = asked.dataset, asked.rule, asked.baseline, judged.recommended
    return {split: decide.plain(decide.figures(w, *of, split)) for split in splits}


def _kept(w: Warehouse, asked: Request, judged: Judged | None) -> Decision | None:
    if asked.rule is None or judged is None or judged.recommended is None:
        return None
    return store.found(w.settings, asked.dataset, asked.rule, judged.recommended, judged.baseline)


def _groups(w: Warehouse, asked: Request) -> pd.DataFrame | None:
    """Who pays, by group of users; None with nothing to compare, and for a metric that no user has."""
    if asked.baseline is None or len(asked.compared) < 2:
        return None
    try:
        return who_pays.by_user_group(w, asked.compared, asked.accuracy, asked.k, asked.split)
    except Refused:
        return None


def _runs(w: Warehouse, asked: Request) -> pd.DataFrame:
    runs = queries.runs(w, asked.dataset)
    kept = runs[runs["variant"].isin(list(asked.compared)) & runs["bootstrap"].isna()]
    order = {variant: n for n, variant in enumerate(asked.compared)}
    kept = kept.assign(place=kept["variant"].map(order)).sort_values(["place", "seed", "run"])
    return kept[["variant", "label", "run", "seed", "epoch", "engine", "fields"]].reset_index(drop=True)


def _versions(w: Warehouse, points: pd.DataFrame, variants: pd.DataFrame) -> dict[Versions, int]:
    """Of every run on the chart what its meta.json says; the most frequent first. Added lists were not trained here."""
    shown = variants[variants["variant"].isin(points["variant"]) & (variants["method"] != LISTS)]
    counts: Counter[Versions] = Counter()
    for run in sorted(run for runs in shown["runs"] for run in runs):
        path = w.file_of(run, "meta.json")
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
            versions = {**meta.get("versions", {}), "results": meta.get("result_version", "")}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise DamagedArtifact(f"{path.parent.name}/{path.name}", f"it cannot be read ({error})") from error
        counts[tuple(sorted((str(k), str(v)) for k, v in versions.items()))] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
