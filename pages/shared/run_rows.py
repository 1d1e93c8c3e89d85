"""The rows of the list of runs: what each is, what can be done to it, and which are selected.

Here: no drawing. Not here: the table (run_table.py), what actions do (run_actions.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

SELECTED, TABLE = "runs_selected", "runs_table"
OPEN, PIN_A, PIN_B, CANCEL, RETRY, AGAIN, DELETE = "Open", "Pin A", "Pin B", "Cancel", "Retry", "Train again", "Delete"
CAN = {
    "running": (OPEN, CANCEL),
    "waiting": (OPEN, CANCEL),
    "failed": (OPEN, RETRY),
    "cancelled": (OPEN, RETRY),
    "done": (OPEN, PIN_A, PIN_B, DELETE),
    "unreadable": (OPEN, DELETE),
    "deleted": (OPEN, AGAIN),
}
"""What can be done to a row in each state."""


@dataclass(frozen=True, slots=True)
class Row:
    """What an action needs to know of a row of the table."""

    key: str
    """The run's id, or "#" and the job's number: what `run` in the address takes."""
    run: str | None
    job: int | None
    state: str
    label: str
    variant: str | None
    dataset: str
    protocol: str | None
    replicate: bool
    seconds: float

    @property
    def can(self) -> tuple[str, ...]:
        """The actions it has; a preparation that is done has none but opening it."""
        return CAN[self.state] if self.run or self.state != "done" else (OPEN,)


def rows_of(page: pd.DataFrame) -> list[Row]:
    """The page's rows as actions need them."""
    return [
        Row(
            key=r["run"] if isinstance(r["run"], str) else f"#{int(r['job'])}",
            run=r["run"] if isinstance(r["run"], str) else None,
            job=None if pd.isna(r["job"]) else int(r["job"]),
            state=r["state"],
            label=label(r),
            variant=r["variant"] if isinstance(r["variant"], str) else None,
            dataset=str(r["dataset"]),
            protocol=r["protocol"] if isinstance(r["protocol"], str) else None,
            replicate=not pd.isna(r["bootstrap"]),
            seconds=0.0 if pd.isna(r["seconds"]) else float(r["seconds"]),
        )
        for r in page.to_dict("records")
    ]


def label(row: Mapping[Any, Any]) -> str:
    """A row in words."""
    seed = "" if pd.isna(row["seed"]) else f", seed {int(row['seed'])}"
    replicate = "" if pd.isna(row["bootstrap"]) else f", replicate {int(row['bootstrap'])}"
    return f"{row['setting']}{seed}{replicate}"


def selection_key(keys: Sequence[str]) -> str:
    """The table's key. Selected are runs, not places: when others take the places, the table begins anew, with the same
    runs selected."""
    state = st.session_state
    chosen = [place for place, key in enumerate(keys) if key in state.get(SELECTED, ())]
    generation, before = state.get(TABLE, (0, ()))
    if chosen and tuple(keys) != before:
        generation += 1
    state[TABLE] = (generation, tuple(keys))
    key = f"{TABLE}_{generation}"
    if key not in state and chosen:
        state[key] = {"selection": {"rows": chosen, "columns": [], "cells": []}}
    return key


def selected(keys: Sequence[str]) -> None:
    """Remember what is selected: the table's callback. keys: of the rows as they were drawn."""
    generation, _ = st.session_state[TABLE]
    picked = st.session_state[f"{TABLE}_{generation}"]["selection"]["rows"]
    st.session_state[SELECTED] = frozenset(keys[place] for place in picked if place < len(keys))


def select(keys: Sequence[str]) -> None:
    """Select exactly those rows: for callbacks."""
    generation, _ = st.session_state.get(TABLE, (0, ()))
    st.session_state[SELECTED] = frozenset(keys)
    st.session_state[TABLE] = (generation + 1, ())


def forget_selection() -> None:
    """Select nothing: for callbacks."""
    select(())
