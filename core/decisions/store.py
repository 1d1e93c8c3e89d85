"""Decisions that were saved: which setting, by which rule, with the figures of that day. They are the user's own.

Here: their table in `state.sqlite`, beside the queue's; nothing deletes one but the user. Not here: how a setting is
chosen (judge.py), the figures (core/warehouse/decide.py).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.decisions.rule import Rule
from core.decisions.state import open_state
from core.errors import BadInput, Unknown
from core.settings import Settings

LONGEST_NOTE = 2000

CREATE = """CREATE TABLE IF NOT EXISTS decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, variant TEXT NOT NULL, baseline TEXT,
    document TEXT NOT NULL, saved REAL NOT NULL) STRICT"""
INSERT = """INSERT INTO decision (dataset, variant, baseline, document, saved)
    VALUES (:dataset, :variant, :baseline, :document, :saved) RETURNING id"""
SELECT = """SELECT * FROM decision WHERE (:dataset IS NULL OR dataset = :dataset) AND (:id IS NULL OR id = :id)
    AND (:variant IS NULL OR variant = :variant) ORDER BY id DESC LIMIT :limit"""
EVERY = {"dataset": None, "id": None, "variant": None, "limit": -1}
DELETE = "DELETE FROM decision WHERE id = :id RETURNING *"
RESTORE = """INSERT INTO decision (id, dataset, variant, baseline, document, saved)
    VALUES (:id, :dataset, :variant, :baseline, :document, :saved) ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class Decision:
    """A setting that somebody decided for."""

    dataset: str
    """Its id."""
    rule: Rule
    variant: str
    label: str
    baseline: str | None
    baseline_label: str
    figures: Sequence[dict[str, Any]]
    """Rows of `decide.figures` with their `split`, as they were when it was saved: validation, then test."""
    note: str = ""
    """Why, in the user's words."""
    id: int = 0
    saved: float = 0.0
    """Seconds since 1970; both set by `save`."""

    def of(self, split: str) -> list[dict[str, Any]]:
        """Its figures on that split, as rows of `decide.figures`."""
        return [{k: v for k, v in row.items() if k != "split"} for row in self.figures if row["split"] == split]


def save(settings: Settings, decision: Decision) -> Decision:
    """Keep a decision; the same with its number and time. Raises BadInput for a note that is too long."""
    if len(decision.note) > LONGEST_NOTE:
        raise BadInput("note", f"it has {len(decision.note)} characters", f"Keep it below {LONGEST_NOTE}.")
    kept = replace(decision, saved=time.time())
    with open_state(settings, CREATE) as db:
        row = db.execute(INSERT, _columns(kept)).fetchone()
    return replace(kept, id=int(row["id"]))


def decisions(settings: Settings, dataset: str | None = None, limit: int = 100) -> list[Decision]:
    """The decisions, newest first; of one data set, or of all."""
    if not settings.state.exists():
        return []
    with open_state(settings, CREATE) as db:
        return [_decision(row) for row in db.execute(SELECT, EVERY | {"dataset": dataset, "limit": limit})]


def found(settings: Settings, dataset: str, rule: Rule, variant: str, baseline: str | None) -> Decision | None:
    """The last decision for that setting by that rule, against that baseline; None where there is none."""
    if not settings.state.exists():
        return None
    with open_state(settings, CREATE) as db:
        kept = [_decision(row) for row in db.execute(SELECT, EVERY | {"dataset": dataset, "variant": variant})]
    return next((one for one in kept if (one.rule, one.baseline) == (rule, baseline)), None)


def decision(settings: Settings, number: int) -> Decision:
    """One decision. Raises Unknown."""
    with open_state(settings, CREATE) as db:
        row = db.execute(SELECT, EVERY | {"id": number}).fetchone()
    if row is None:
        raise Unknown("decision", str(number))
    return _decision(row)


def delete(settings: Settings, number: int) -> Decision:
    """Forget a decision; what it was, for `restore`. Raises Unknown."""
    with open_state(settings, CREATE) as db:
        row = db.execute(DELETE, {"id": number}).fetchone()
    if row is None:
        raise Unknown("decision", str(number))
    return _decision(row)


def restore(settings: Settings, deleted: Decision) -> None:
    """Keep a deleted decision again, under its number and time."""
    with open_state(settings, CREATE) as db:
        db.execute(RESTORE, {"id": deleted.id, **_columns(deleted)})


def _columns(kept: Decision) -> dict[str, Any]:
    document = {
        "rule": kept.rule.to_json(),
        "label": kept.label,
        "baseline_label": kept.baseline_label,
        "figures": list(kept.figures),
        "note": kept.note,
    }
    text = json.dumps(document, allow_nan=False)
    return {
        "dataset": kept.dataset,
        "variant": kept.variant,
        "baseline": kept.baseline,
        "document": text,
        "saved": kept.saved,
    }


def _decision(row: sqlite3.Row) -> Decision:
    document = json.loads(row["document"])
    return Decision(
        dataset=row["dataset"],
        rule=Rule.from_json(document["rule"]),
        variant=row["variant"],
        label=document["label"],
        baseline=row["baseline"],
        baseline_label=document["baseline_label"],
        figures=document["figures"],
        note=document["note"],
        id=row["id"],
        saved=row["saved"],
    )
