"""A rule, its answer and a decision in words, to read and to copy.

Here: sentences over `decisions.judge.Judged`, `decide.figures` and `decisions.store.Decision`. Not here: how a rule
judges (core/decisions), the trade-off chart (trade_off.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.charts.text import better, capitalised, metric_name, number, p_value, signed
from core.decisions.judge import Judged
from core.decisions.rule import Rule
from core.decisions.store import Decision
from core.uncertainty.verdict import BETTER, ENOUGH_SEEDS, FEW_SEEDS, NO_INTERVAL, SAME, WORSE

PREMATURE = "Test figures, and no decision is saved for them: who chooses by them makes them too good"
"""Said where the test split is shown before a setting is decided for."""


class Advice(NamedTuple):
    """What is said of a rule: plain text, labels as they are."""

    lead: str
    """The recommendation in a few words."""
    rest: str
    """How sure the gain is and what the rule leaves out, or why there is nothing."""


def rule_text(rule: Rule, baseline: str) -> str:
    """The rule in words. baseline: the label of what it compares with.

    >>> rule_text(Rule("give_up", 1, "ndcg@10", "aplt@10"), "RNS")
    'give up at most 1 % of the NDCG@10 of RNS for the best cold share of the list (APLT@10)'
    >>> rule_text(Rule("reach", 0.05, "ndcg@10", "aplt@10", sure=True), "RNS")
    'reach a cold share of the list (APLT@10) of 0.0500 or more, with its whole 95 % interval, at the best NDCG@10'
    """
    wanted = metric_name(rule.wanted)
    surely = ", with its whole 95 % interval," if rule.sure else ""
    if rule.kind == "give_up":
        what = f"give up at most {rule.amount:g} % of the {metric_name(rule.accuracy)} of {baseline}{surely}"
        return f"{what} for the best {wanted}"
    end = "more" if better(rule.bias) == "higher" else "less"
    return f"reach a {metric_name(rule.bias)} of {number(rule.amount)} or {end}{surely} at the best {wanted}"


def advice(judged: Judged, rule: Rule) -> Advice:
    """What the rule recommends, whether that is surely better in what is wanted, and what the rule leaves out; how the
    recommended one does in numbers is `sentence`."""
    rows = judged.rows
    labels = dict(zip(rows["variant"], rows["label"], strict=True))
    baseline = labels.get(judged.baseline, "the baseline")
    if judged.recommended is None:
        lead = "Nothing keeps to the rule" if judged.possible else "The rule cannot be judged yet"
        return Advice(lead, _nothing(judged, rule, baseline))
    label = labels[judged.recommended]
    kept = int(rows["keeps"].sum())
    counts = f"{kept} of {len(rows)} settings {'keeps' if kept == 1 else 'keep'} to the rule"
    beyond = int((rows["keeps"] & rows["beyond"]).sum())
    if beyond:
        counts += f"; {beyond} of them beyond the turning point of {'its' if beyond == 1 else 'their'} path, not taken"
    if judged.recommended == judged.baseline:
        told = f"No other setting that keeps to the rule has a better {metric_name(rule.wanted)}"
        return Advice(f"Keep {label}", f"{told}. {counts}.")
    return Advice(label, " ".join(part for part in (_wanted(judged, rule, baseline), f"{counts}.") if part))


def _wanted(judged: Judged, rule: Rule, baseline: str) -> str:
    """Whether the recommended one is surely better in what is wanted: it has the best mean, and a rule asks no more."""
    row = judged.rows[judged.rows["variant"] == judged.recommended].iloc[0]
    name = metric_name(rule.wanted)
    if row["wanted"] in {BETTER, WORSE}:
        return f"Its {name} is {row['wanted']} than that of {baseline} (Holm's p {p_value(row['wanted_p'])})."
    if row["wanted"] == SAME:
        p = f"(Holm's p {p_value(row['wanted_p'])})"
        if not row["gain"] > 0:
            return (
                f"None that keeps to the rule has a better {name} than {baseline}; this one cannot be told from it {p}."
            )
        return (
            f"Its {name} cannot be told from that of {baseline} {p}: it is the best mean of those that keep to the "
            "rule, and may be chance."
        )
    if row["wanted"] == FEW_SEEDS:
        return f"Whether its {name} differs from that of {baseline} is open: that needs {ENOUGH_SEEDS} seeds of both."
    if row["wanted"] == NO_INTERVAL:
        return f"Whether its {name} differs from that of {baseline} is open: it has no interval."
    return ""


def _nothing(judged: Judged, rule: Rule, baseline: str) -> str:
    if rule.kind == "give_up" and judged.baseline is None:
        return "It is told against the baseline, which has no finished run here. Train it, or name another one."
    if rule.sure and not judged.possible:
        needs = f"which needs {ENOUGH_SEEDS} seeds of both"
        return f"No setting but {baseline} has the interval that it asks for, {needs}. Train more."
    if rule.sure:
        return f"No setting surely does: no interval lies within. Train more seeds, or ask less than to {_plain(rule)}."
    if rule.kind == "reach" and len(judged.rows):
        side = max if better(rule.bias) == "higher" else min
        best = judged.rows.loc[judged.rows["change"] == side(judged.rows["change"])].iloc[0]
        return f"The nearest is {best['label']}, at {number(best['change'])}. Ask for less, or train stronger settings."
    return f"No setting does, not even {baseline}."


def _plain(rule: Rule) -> str:
    return f"give up {rule.amount:g} %" if rule.kind == "give_up" else f"reach {number(rule.amount)}"


def sentence(
    label: str, baseline: str, rule: Rule, figures: Sequence[Mapping[str, Any]], split: str, title: str = ""
) -> str:
    """One setting against the baseline on both metrics, in a sentence to copy. title: of the data set, to stand alone.

    Relative changes have the interval of the difference over the baseline's mean, over users and seeds.
    """
    parts = [_figure(row) for row in sorted(figures, key=lambda row: row["metric"] != rule.accuracy)]
    where = f" on {title}" if title else ""
    subject = f"{label}, the baseline," if label == baseline else f"{label} against {baseline}"
    return f"{subject}{where}, {split} split: {'; '.join(parts)}."


def decided(kept: Decision) -> str:
    """When a decision was saved, and why. The day is of Greenwich, so that every machine tells the same.

    >>> rule = Rule("give_up", 1, "ndcg@10", "aplt@10")
    >>> decided(Decision("d", rule, "v", "DNS", None, "", [], "Agreed with sales.", 1, 1.8e9))
    'Decided on 15 January 2027: Agreed with sales.'
    """
    day = datetime.fromtimestamp(kept.saved, UTC)
    return f"Decided on {day:%-d %B %Y}{f': {kept.note}' if kept.note else '.'}"


def then_and_now(kept: Decision, split: str, title: str, now: str | None) -> list[str]:
    """A decision's sentence on a split, with the figures of its day; and today's, where results have changed since.

    now: the same sentence by today's results, where it is asked for.
    """
    rows = kept.of(split)
    if not rows:
        return [now] if now else []
    then = sentence(kept.label, kept.baseline_label, kept.rule, rows, split, title)
    return [then] if now in {None, then} else [f"On that day: {then}", f"Now: {now}"]


def _figure(row: Mapping[str, Any]) -> str:
    told = f"{capitalised(metric_name(row['metric']))} {number(row['value'])}"
    if _missing(row["baseline_value"]) or _missing(row["difference"]):
        return told
    told += f" instead of {number(row['baseline_value'])}"
    scale = row["baseline_value"]
    unit, values = "", [row[f"difference{end}"] for end in ("", "_low", "_high")]
    if scale > 0:
        unit, values = " %", [100 * (v / scale) if not _missing(v) else v for v in values]
    change, low, high = values
    ends = "no interval" if _missing(low) else f"95 % interval {signed(low)} to {signed(high)}{unit}"
    p = "" if _missing(row["p"]) else f", Holm's p {p_value(row['p'])}"
    return f"{told}, {signed(change)}{unit} ({ends}{p})"


def _missing(value: Any) -> bool:
    return value is None or math.isnan(value)
