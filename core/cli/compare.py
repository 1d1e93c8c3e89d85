"""`compare`: is one variant better than another, on each metric, users and seeds considered?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.output import Output, one_line, table
from core.cli.results import SHOWN
from core.errors import Refused
from core.models.choices import PROTOCOLS
from core.settings import Settings

if TYPE_CHECKING:
    from core.uncertainty.study import Study
    from core.warehouse.database import Warehouse
    from core.warehouse.per_user import Asked

Row = dict[str, Any]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "compare",
        compare,
        "what changes from one variant to another, and whether that could be chance",
        "The difference is the second minus the first, of means over users and seeds.",
    )
    parser.add_argument("first", metavar="VARIANT", help="id or label: what is compared with")
    parser.add_argument("second", metavar="VARIANT", help="id or label: what is compared")
    parser.add_argument(
        "--metric", nargs="+", action="extend", metavar="M", help=f"one or more metrics (default {' '.join(SHOWN)})"
    )
    parser.add_argument(
        "--dataset", metavar="DATASET", help="name or id: look for both there alone, where a label is on several"
    )
    parser.add_argument("--protocol", choices=tuple(PROTOCOLS), help="look for both under that protocol alone")
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="measured where (default test)")
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="the first is everybody's baseline: correct for every variant of its data set and protocol, and label "
        "win-win, trade-off or worse",
    )


def compare(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Difference, 95 %% interval, p-values and verdict of each metric."""
    from core.warehouse.database import Warehouse
    from core.warehouse.per_user import asked, beside, find_pair, study

    dataset = None if args.dataset is None else prepared(settings, args.dataset).id
    warehouse = Warehouse.open(settings, own=False)
    try:
        first, second = find_pair(warehouse, args.first, args.second, dataset, args.protocol)
        pair = asked(warehouse, (first, second))
        family = [first, *(v for v in beside(warehouse, first) if v != first)] if args.baseline else [first, second]
        metrics = _metrics(args.metric, warehouse, pair, args.split)
        with output.progress() as progress:
            found = study(warehouse, family, metrics, args.split, progress=progress)
    finally:
        warehouse.close()
    document = {metric: _row(found, metric, pair, args.split) for metric in metrics}
    if args.baseline:
        _label(document, found, first, second)
    output.answer(document, _in_words(document, pair, args))
    _advise(document, pair, output)
    return 0


def _metrics(given: Sequence[str] | None, w: Warehouse, pair: Asked, split: str) -> list[str]:
    """The metrics asked for, each once; else those of the table of results that both have, at its cutoff or, where
    added lists are too short for that, at another. Raises Refused if they have none of these in common."""
    from core.evaluation.metrics import CUTOFFS, metric_key, parse_key

    if given:
        return list(dict.fromkeys(given))
    first, second = (_stored(w, variant, split) for variant in pair.variants)
    for k in (10, *CUTOFFS):
        if common := [key for metric in SHOWN if (key := metric_key(parse_key(metric)[0], k)) in first & second]:
            return common
    if first and second:
        them = f"{one_line(pair.labels[0])} and {one_line(pair.labels[1])}"
        raise Refused(f"{them} have no metric of the table in common on {split}. Name some with --metric.")
    if first or second:
        lacks = one_line(pair.labels[1] if first else pair.labels[0])
        raise Refused(f"{lacks} has no results on {split}. Choose the other split.")
    return list(SHOWN)  # the study says why


def _stored(w: Warehouse, variant: str, split: str) -> set[str]:
    """The metrics that a variant has a value of."""
    from core.warehouse import queries

    found = queries.metrics_of(w, variant)
    return set(found.loc[(found["split"] == split) & (found["reading"] == "epoch"), "metric"])


def _row(found: Study, metric: str, pair: Asked, split: str) -> Row:
    """What JSON has for a metric."""
    first, second = pair.variants
    row = next(r for r in found.compare(metric, first) if r["variant"] == second)
    return {
        **{key: row[key] for key in ("difference", "low", "high", "p", "p_holm", "verdict")},
        "first": {"variant": first, "label": pair.labels[0], "seeds": len(pair.runs[0]), "mean": row["baseline_value"]},
        "second": {"variant": second, "label": pair.labels[1], "seeds": len(pair.runs[1]), "mean": row["value"]},
        "compared": len(found.variants) - 1,
        "users_sd": row["users_sd"],
        "seeds_sd": row["seeds_sd"],
        "wilcoxon_over_users": row["wilcoxon"],
        "t_over_users": row["t"],
        "dataset": pair.dataset,
        "split": split,
        "protocol": pair.protocol,
    }


def _label(document: dict[str, Row], found: Study, first: str, second: str) -> None:
    """Adds to each accuracy metric the label with each popularity metric asked for."""
    from core.evaluation.metrics import METRICS, parse_key

    names = {metric: parse_key(metric)[0] for metric in document}
    kinds = {metric: METRICS[name].kind for metric, name in names.items() if name in METRICS}  # exposure has none
    for accuracy in (m for m, kind in kinds.items() if kind == "accuracy"):
        document[accuracy]["labels"] = {
            bias: next(r["label"] for r in found.win_win(accuracy, bias, first) if r["variant"] == second)
            for bias, kind in kinds.items()
            if kind == "popularity"
        }


def _in_words(document: dict[str, Row], pair: Asked, args: argparse.Namespace) -> str:
    rows = [
        {"metric": metric, **row, **_tests(row), "from": row["first"]["mean"], "to": row["second"]["mean"]}
        for metric, row in document.items()
    ]
    columns = {
        "metric": "metric", "from": "from", "to": "to", "difference": "difference", "low": "low", "high": "high",
        "p": "p", "p_holm": "p (Holm)", "verdict": "verdict", "wilcoxon_over_users": "Wilcoxon", "t_over_users": "t",
    }  # fmt: skip
    names = [
        f"{one_line(label)} ({_made(method, len(runs))})"
        for label, method, runs in zip(pair.labels, pair.methods, pair.runs, strict=True)
    ]
    compared = next(iter(document.values()))["compared"]
    paper = " The epoch was chosen on test: optimistic." if pair.protocol == "paper" else ""
    lines = [
        f"From {names[0]} to {names[1]}:",
        "",
        table(rows, columns),
        "",
        f"On {args.split} of {pair.name}, protocol {pair.protocol}.{paper} Interval (95 %) and p: over users "
        f"and seeds; Holm: for {compared} compared with the first. Wilcoxon and t: over users alone, deciding nothing.",
    ]
    for metric, row in document.items():
        lines += [f"{metric} with {bias}: {label}." for bias, label in row.get("labels", {}).items()]
    return "\n".join(lines)


def _made(method: str, seeds: int) -> str:
    from core.models.choices import LISTS

    return "lists added, not trained here" if method == LISTS else f"{seeds} seed{'s' * (seeds != 1)}"


def _tests(row: Row) -> dict[str, str]:
    return {name: _probability(row[name]) for name in ("p", "p_holm", "wilcoxon_over_users", "t_over_users")}


def _probability(p: float | None) -> str:
    """A p-value in words: digits beyond the fourth say nothing of it.

    >>> _probability(0.04321), _probability(1e-9), _probability(None)
    ('0.0432', '<0.0001', '')
    """
    if p is None:
        return ""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def _advise(document: dict[str, Row], pair: Asked, output: Output) -> None:
    from core.models.sweep import WITHOUT_CHANCE
    from core.uncertainty.verdict import ENOUGH_SEEDS, FEW_SEEDS

    if all(row["verdict"] != FEW_SEEDS for row in document.values()):
        return
    few = [
        one_line(label)
        for label, method, runs in zip(pair.labels, pair.methods, pair.runs, strict=True)
        if len(runs) < ENOUGH_SEEDS and method not in WITHOUT_CHANCE
    ]
    if not few:  # enough runs, of which too few have a value
        return
    output.say(
        f"A verdict needs {ENOUGH_SEEDS} seeds of each variant, since another seed is another result; too few of: "
        f"{' and '.join(few)}. Train more, such as `sweep ... --seed 0 1 2`."
    )
