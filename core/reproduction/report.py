"""docs/reproduction.md: the comparison as a page, from finished runs and nothing else.

Here: the page's words and tables. Not here: the figures (comparison.py, cost.py), the sentences on deviations
(deviations.py). Written twice from the same runs it differs in its date at most.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from core import __version__
from core.errors import DamagedArtifact, Unknown
from core.evaluation.metrics import key_title
from core.jobs import artifacts
from core.models import RESULT_VERSION
from core.models.choices import ENCODERS
from core.reproduction import comparison, cost
from core.reproduction.comparison import JUDGED_BY, READINGS, SHORT_READINGS, VERDICTS, Reading
from core.reproduction.deviations import DEVIATIONS, TRIED
from core.reproduction.machine import machine
from core.reproduction.plan import AUTHORS, DATASETS, PARTS, SETTINGS, Plan, make_plan
from core.reproduction.published import ML_1M
from core.settings import Settings
from core.warehouse import queries
from core.warehouse.database import Warehouse

DAY = "%Y-%m-%d"
SHORT = {AUTHORS: "authors'", "tuned": "tuned"}
UNEXPLAINED = "It has not been looked into yet."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the figures are from."""

    asked: int
    finished: int
    seconds: float
    """Working time of the finished runs, added up."""
    first: float
    """When the first run was finished and when the last one, in seconds since 1970."""
    last: float
    versions: dict[str, str]


def report(w: Warehouse, only: tuple[str, ...] = (), quick: bool = False) -> str:
    """The page, in Markdown."""
    plan = make_plan(only, quick)
    found = comparison.figures(w, only, quick)
    tables = [part for part in plan.parts if PARTS[part].tolerance is not None]
    parts = [
        _head(plan),
        _origin(origin(w.settings, plan), plan),
        _in_short(w, found, plan),
        *(_accuracy(w, found, part) for part in tables),
        *(_one_bp(w, found, quick) for _ in ("one_bp",) if "one_bp" in plan.parts),
        *(_gowalla(found) for _ in ("gowalla",) if "gowalla" in plan.parts),
        *([_below(found)] if tables else []),
        _deviations(w, found, only, quick),
        *(_everything(found, part) for part in tables),
        *([_ml_1m()] if tables and not only else []),
    ]
    return "\n\n".join(parts) + "\n"


def unexplained(found: pd.DataFrame) -> list[tuple[str, str]]:
    """(part, method) of the rows that are below without a word on what was tried. found: from `comparison.figures`."""
    judged = comparison.verdicts(found)
    below = judged[judged["verdict"] == "below"]
    return [key for key in zip(below["part"], below["method"], strict=True) if key not in TRIED]


def origin(settings: Settings, plan: Plan) -> Origin:
    """Of the plan's finished runs; a run that cannot be read counts as not finished."""
    runs = [run.id for name in plan.datasets for run in plan.sweep(name).runs(DATASETS[name])]
    metas = [meta for run in runs if (meta := _meta(settings, run))]
    versions: dict[str, set[str]] = {}
    for meta in metas:
        for name, one in meta.get("versions", {}).items():
            versions.setdefault(name, set()).add(str(one))
    if any(meta.get("engine") == "autograd" for meta in metas):
        versions.setdefault("torch", {version("torch")})  # as installed where the page is written
    times = [float(meta.get("created", math.nan)) for meta in metas]
    return Origin(
        asked=len(runs),
        finished=len(metas),
        seconds=sum(float(meta.get("seconds", 0.0)) + float(meta.get("overhead", 0.0)) for meta in metas),
        first=min(times, default=math.nan),
        last=max(times, default=math.nan),
        versions={name: ", ".join(sorted(found)) for name, found in versions.items()},
    )


def _meta(settings: Settings, run: str) -> dict[str, Any] | None:
    try:
        return artifacts.read_meta(settings, run)
    except (DamagedArtifact, Unknown):
        return None


# ---------------------------------------------------------------- the page, part by part


def _head(plan: Plan) -> str:
    command = f"python -m core reproduce{' --quick' if plan.quick else ''}"
    quick = (
        "\n\n**This is the quick version**: few rows, one seed, few epochs. It shows that everything works, and says "
        "nothing about whether a figure is reached."
        if plan.quick
        else ""
    )
    return (
        "# The published tables, reproduced\n\n"
        "The tables of the AUC-NS paper ([arXiv 2306.01348](https://arxiv.org/abs/2306.01348)) and the claim of the "
        "OneBP paper ([arXiv 2403.18227](https://arxiv.org/abs/2403.18227)), beside our own runs: once at the authors' "
        "settings, once at the settings that this program has for the same method. Every figure of ours on this page "
        "is from a run of this program, and the page itself is written by it. To repeat it, which goes on where it was "
        f"interrupted:\n\n    {command} --wait --out docs/reproduction.md\n\n"
        "All figures are **chosen on test**: the best epoch was picked by looking at the test split, as both papers "
        "did, so they are optimistic. They are read in two ways:\n\n"
        + "\n".join(f"- *{SHORT_READINGS[name]}*: {words}." for name, words in READINGS.items())
        + quick
    )


def _origin(found: Origin, plan: Plan) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in sorted(found.versions.items()))
    facts = {
        "runs": f"{found.finished} of {found.asked} finished, seeds {', '.join(map(str, plan.seeds))}",
        "trained": f"{_day(found.first)} to {_day(found.last)}, {_hours(found.seconds)} of working time, added up",
        "machine": f"{machine()} (where this page was written)",
        "versions": f"Longtail Lab {__version__}, results {RESULT_VERSION}; {versions or 'no run yet'}",
        "data sets": ", ".join(f"`{name}` ({DATASETS[name]})" for name in plan.datasets),
        "protocol": "`paper`: trained on train and validation, which together are the authors' train file",
    }
    return "## What was run\n\n" + _table(["what", "which"], facts.items())


def _in_short(w: Warehouse, found: pd.DataFrame, plan: Plan) -> str:
    judged = comparison.verdicts(found)
    lines = []
    for part in judged["part"].unique():
        counts = judged.loc[judged["part"] == part, "verdict"].value_counts()
        told = [f"{counts[v]} {words}" for v, words in VERDICTS.items() if v in counts]
        within = f"reached means at most {PARTS[part].tolerance} below the published NDCG@10, in both readings"
        lines.append(f"- **{PARTS[part].title}**, {counts.sum()} rows: {'; '.join(told)} ({within}).")
    if "one_bp" in plan.parts:
        costs = cost.cost(w, plan.quick)
        lines += [f"- **OneBP**, {SETTINGS[s]}: {said}" for s in SETTINGS if (said := cost.in_words(costs, s))]
    return "## In short\n\n" + "\n".join(lines)


def _accuracy(w: Warehouse, found: pd.DataFrame, part: str) -> str:
    """NDCG@10 of a part's rows, both settings, both readings, verdict and time."""
    own = found[found["part"] == part]
    tables = {reading: comparison.side_by_side(own, reading, JUDGED_BY) for reading in READINGS}
    judged = comparison.verdicts(own).set_index("method")["verdict"]
    seconds = _seconds_a_run(w, part)
    variants = own.drop_duplicates(["method", "settings"]).set_index(["method", "settings"])["variant"]
    rows = []
    for n, method in enumerate(tables["epoch"]["method"]):
        cells: list[str] = []
        for table in tables.values():
            cells += [_beside(table.iloc[n], settings) for settings in SETTINGS]
        first = tables["epoch"].iloc[n]
        published = f"{first['published']:.4f}{' (sic)' if first['sic'] else ''}"
        times = " / ".join(_plain(seconds.get(variants[method, s], math.nan)) for s in SETTINGS)
        rows.append([method, published, *cells, VERDICTS[judged[method]], times])
    heads = [f"{SHORT[s]}, {name}" for name in SHORT_READINGS.values() for s in SETTINGS]
    return (
        f"## {PARTS[part].title}: NDCG@10\n\n"
        "Mean over the finished seeds ± their standard deviation, and the difference to the published figure; "
        "without ±, one seed.\n\n"
        + _table(["method", "published", *heads, "verdict", "seconds a run (authors' / tuned)"], rows)
    )


def _one_bp(w: Warehouse, found: pd.DataFrame, quick: bool) -> str:
    own = found[found["part"] == "one_bp"]
    costs = cost.cost(w, quick)
    rows = []
    for row in costs.to_dict("records"):
        figures = own[(own["method"] == row["method"]) & (own["settings"] == row["settings"])]
        measured = [_measured(figures, reading, m) for m in PARTS["one_bp"].measures for reading in READINGS]
        rows.append(
            [
                SETTINGS[row["settings"]],
                row["method"],
                *measured,
                _plain(row["epoch_seconds"], 3),
                _plain(row["best_epoch"]),
                _plain(row["epochs_to_reach"]),
                _plain(row["seconds_to_reach"], 1),
            ]
        )
    heads = [f"{key_title(m)}, {name}" for m in PARTS["one_bp"].measures for name in SHORT_READINGS.values()]
    more = ["seconds an epoch", "best epoch", "epochs to two-sided's best", "seconds to it"]
    return (
        f"## {PARTS['one_bp'].title}\n\n"
        "InfoNCE with five negatives on MovieLens 100K, the papers' split. Both updatings have the same settings; the "
        "claim is less work an epoch and a better model. Seconds an epoch are of training alone, the median over the "
        "epochs that nothing was evaluated in, as the runs were trained: beside each other, one to a core.\n\n"
        + _table(["settings", "updating", *heads, *more], rows)
    )


def _gowalla(found: pd.DataFrame) -> str:
    own = found[found["part"] == "gowalla"]
    measures = PARTS["gowalla"].measures
    rows = [
        [method, *(_measured(figures, reading, m) for m in measures for reading in READINGS)]
        for method, figures in own.groupby("method", sort=False)
    ]
    heads = [f"{key_title(m)}, {name}" for m in measures for name in SHORT_READINGS.values()]
    return (
        f"## {PARTS['gowalla'].title}\n\n"
        "As far as two cores allow: MF at 64 dimensions, 100 epochs, looked at five times, where OneBP's authors "
        "train 1,024 dimensions. So these rows compare the methods with each other, and with no published figure. The "
        "split is LightGCN's.\n\n" + _table(["method", *heads], rows)
    )


def _below(found: pd.DataFrame) -> str:
    judged = comparison.verdicts(found)
    below = judged[judged["verdict"] == "below"]
    lines = [
        f"- **{ENCODERS[row['encoder']].label}, {row['method']}**: "
        f"{TRIED.get((row['part'], row['method']), UNEXPLAINED)}"
        for row in below.to_dict("records")
    ]
    return "## Rows that are below, and what was tried\n\n" + ("\n".join(lines) or "None.")


def _deviations(w: Warehouse, found: pd.DataFrame, only: tuple[str, ...], quick: bool) -> str:
    lines = [f"- **{what}.** {how}" for what, how in DEVIATIONS.items()]
    if found["counted_on"].eq("all").any():
        counted = comparison.hot_by_count(w, only, quick)
        by = ", ".join(
            f"{key_title(m)} by {d:.4f}" for m, d in zip(counted["metric"], counted["difference"], strict=True)
        )
        lines.append(
            f"- **How much the count of hot items matters.** On the same lists the two ways differ at most: {by}."
        )
    return "## Where this differs from the authors' programs\n\n" + "\n".join(lines)


def _everything(found: pd.DataFrame, part: str) -> str:
    """Every metric of a part, one table a reading: three lines a method."""
    sections = [f"## {PARTS[part].title}: every metric"]
    for reading, words in READINGS.items():
        rows: list[list[str]] = []
        for method, own in found[(found["part"] == part) & (found["reading"] == reading)].groupby("method", sort=False):
            rows += _three_lines(str(method), own)
        heads = [key_title(m) for m in PARTS[part].measures]
        short = [h.partition("(")[2].rstrip(")") or h for h in heads]
        sections.append(f"### {words[:1].upper()}{words[1:]}\n\n" + _table(["method", "whose", *short], rows))
    return "\n\n".join(sections)


def _three_lines(method: str, own: pd.DataFrame) -> list[list[str]]:
    """Published, authors' settings, tuned settings; a cell a metric."""
    lines = [[f"**{method}**", "published"], *(["", SHORT[s]] for s in SETTINGS)]
    for _, cells in own.groupby("metric", sort=False):
        first = cells.iloc[0]
        lines[0].append(f"{first['published']:.4f}{' (sic)' if first['sic'] else ''}")
        for line, settings in zip(lines[1:], SETTINGS, strict=True):
            figure = cells[cells["settings"] == settings].iloc[0]
            line.append(_with_difference(figure["mean"], figure["seed_sd"], figure["difference"]))
    return lines


def _ml_1m() -> str:
    rows = [[ENCODERS[encoder].label, method, f"{value:.4f}"] for encoder, method, value in ML_1M]
    return (
        "## MovieLens 1M\n\nPublished in the same paper. The split of these rows is not at hand, so nothing was "
        "trained for them.\n\n" + _table(["encoder", "method", "published NDCG@10"], rows)
    )


# ---------------------------------------------------------------- cells


def _beside(row: pd.Series, settings: str) -> str:
    return _with_difference(row[settings], row[f"{settings}_sd"], row[f"{settings}_difference"])


def _with_difference(mean: float, sd: float, difference: float) -> str:
    if math.isnan(mean):
        return "not trained"
    return _with_spread(mean, sd) + ("" if math.isnan(difference) else f" ({difference:+.4f})")


def _with_spread(mean: float, sd: float) -> str:
    return f"{mean:.4f}" + ("" if math.isnan(sd) else f" ± {sd:.4f}")


def _measured(figures: pd.DataFrame, reading: Reading, metric: str) -> str:
    row = figures[(figures["reading"] == reading) & (figures["metric"] == metric)].iloc[0]
    return _with_difference(row["mean"], row["seed_sd"], math.nan)


def _seconds_a_run(w: Warehouse, part: str) -> dict[str, float]:
    """Variant to the mean working time of its runs."""
    found = queries.variants(w, DATASETS[PARTS[part].dataset], "paper")
    return {variant: float(seconds) for variant, seconds in zip(found["variant"], found["seconds"], strict=True)}


def _plain(value: float, digits: int = 0) -> str:
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def _day(moment: float) -> str:
    return "no run yet" if math.isnan(moment) else time.strftime(DAY, time.gmtime(moment))


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
