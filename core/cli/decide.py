"""`decide`: which setting a rule recommends, and keeping that as a decision. `decisions`: those that were kept."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.output import Output, one_line, table
from core.cli.rules import add_rule, asked_rule
from core.errors import Refused
from core.settings import Settings


def add(commands: Commands) -> None:
    """Declare the commands."""
    parser = add_command(
        commands,
        "decide",
        decide,
        "which setting to take by a rule, chosen on validation",
        "Test figures are told once it is saved as a decision.",
    )
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    add_rule(parser, " (default 1)")
    parser.add_argument("--baseline", default="rns", metavar="VARIANT", help="id, label or method (default rns)")
    parser.add_argument("--save", action="store_true", help="keep it as a decision, and tell its test figures")
    parser.add_argument("--note", default="", metavar="TEXT", help="why, kept with the decision")
    kept = add_command(commands, "decisions", decisions, "decisions that were saved, newest first")
    kept.add_argument("dataset", metavar="DATASET", nargs="?", help="only of this data set")
    kept.add_argument("--forget", type=int, metavar="N", help="forget the decision of that number")


def decide(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """What the rule recommends; with --save it is kept."""
    from core.charts import decision as told
    from core.decisions import store
    from core.decisions.rule import DEFAULT_GIVE_UP, Rule
    from core.report import make_request
    from core.warehouse import decide as asked
    from core.warehouse import queries
    from core.warehouse.database import Warehouse
    from core.warehouse.queries import Split

    rule = asked_rule(args) or Rule("give_up", DEFAULT_GIVE_UP, args.accuracy, args.bias, args.sure)
    info = prepared(settings, args.dataset)
    warehouse = Warehouse.open(settings, own=False)
    try:
        base = make_request(warehouse, info.id, args.accuracy, args.bias, "validation", baseline=args.baseline).baseline
        here = queries.variants(warehouse, info.id, asked.PROTOCOL)
        labels = dict(zip(here["variant"], here["label"], strict=True))
        judged = asked.judged(warehouse, info.id, rule, base)
        advice, chosen = told.advice(judged, rule), judged.recommended
        if chosen is None and args.save:
            raise Refused(f"{advice.lead}, so there is nothing to save. {advice.rest}")
        kept = None
        if args.save:
            one = asked.decision(warehouse, info.id, rule, labels, str(chosen), base, args.note)
            kept = store.save(settings, one)
        splits: tuple[Split, ...] = (asked.CHOSEN_ON, "test") if kept else (asked.CHOSEN_ON,)
        figures = {
            split: asked.plain(asked.figures(warehouse, info.id, rule, base, chosen, split)) if chosen else []
            for split in splits
        }
    finally:
        warehouse.close()
    baseline = labels.get(base or "", "the baseline")
    document = {
        "dataset": info.id,
        "rule": rule.to_json(),
        "baseline": base,
        "recommended": chosen,
        "label": labels.get(chosen or ""),
        "outside": sorted(judged.outside),
        "figures": figures,
        "decision": kept.id if kept else None,
    }
    lines = [f"The rule: {told.rule_text(rule, baseline)}.", f"{advice.lead}. {advice.rest}"]
    lines += [told.sentence(labels[chosen], baseline, rule, figures[s], s, info.title) for s in splits if chosen]
    lines += [f"Kept as decision {kept.id}."] if kept else []
    output.answer(document, "\n".join(one_line(line) for line in lines))
    return 0


def decisions(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The list; with --forget one is deleted first."""
    from core.charts.decision import rule_text
    from core.decisions import store

    if args.forget is not None:
        gone = store.delete(settings, args.forget)
        output.say(f"Forgotten: decision {gone.id}, {one_line(gone.label)}.")
    dataset = prepared(settings, args.dataset).id if args.dataset else None
    found = store.decisions(settings, dataset, limit=10_000)
    document = [
        {
            "decision": one.id,
            "saved": datetime.fromtimestamp(one.saved, UTC).isoformat(timespec="seconds"),
            "dataset": one.dataset,
            "variant": one.variant,
            "label": one.label,
            "rule": one.rule.to_json(),
            "baseline": one.baseline,
            "figures": list(one.figures),
            "note": one.note,
        }
        for one in found
    ]
    shown = [row | {"by": rule_text(one.rule, one.baseline_label)} for row, one in zip(document, found, strict=True)]
    columns = {"decision": "decision", "saved": "saved", "label": "label", "by": "rule"}
    output.answer(document, table(shown, columns) if shown else "No decision was saved yet. `decide --save` keeps one.")
    return 0
