"""The table of runs on the screen: a page of the list, with curves and progress, and the way to the other pages.

Not here: the list (core/warehouse/run_list.py), what its buttons do (run_actions.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.jobs.queue import State
from pages.shared import jobs, run_actions, run_rows, tables, words
from pages.shared.run_rows import Row

PAGE = "run_page"
PAGE_ROWS, HEIGHT, HEIGHT_BESIDE_OPEN = 100, 460, 250


def table(page: pd.DataFrame, rows: Sequence[Row], beside_open: bool) -> None:
    """The rows of a page, to select and to act on."""
    keys = [row.key for row in rows]
    config = st.column_config
    several = len(set(page["title"])) > 1
    tables.table(
        shown(page, rows, several),
        "Runs and jobs with state, validation metric, epochs, seconds and memory",
        {
            "Run": config.TextColumn(width=240, pinned=True),
            "Do": config.ButtonColumn(
                key=run_actions.CLICK, on_click=run_actions.clicked, args=(tuple(rows),), type="tertiary", width=50,
                help="The same buttons stand above the table for selected rows.",
            ),
            "State": config.TextColumn(width=190),
            "Validation": config.LineChartColumn(width=90, help="NDCG@10 over the epochs, on what chose the epoch."),
            "NDCG@10": config.NumberColumn(
                format="%.3f", help="On validation, at the best epoch; of what runs, the latest.", width=75
            ),
            "Best epoch": config.NumberColumn(format="%d", width=80),
            "Seconds": config.NumberColumn(format="%.1f", help="Training.", width=75),
            "MB": config.NumberColumn(format="%.0f", help="The highest memory of its process.", width=60),
            "When": config.DatetimeColumn(format="distance", width=110),
            "Seed": config.NumberColumn(format="%d", width=55),
            "Replicate": config.NumberColumn(format="%d", width=75),
            "Data set": config.TextColumn(width=130),
        },
        height=HEIGHT_BESIDE_OPEN if beside_open else (HEIGHT if len(rows) > 11 else "content"),
        key=run_rows.selection_key(keys),
        on_select=partial(run_rows.selected, tuple(keys)),
        selection_mode="multi-row",
        placeholder="",
        lazy=False,
    )  # fmt: skip


def shown(page: pd.DataFrame, rows: Sequence[Row], several: bool) -> pd.DataFrame:
    """The columns of the table; progress and curve of what runs are asked of the queue, for these rows alone."""
    live = jobs.queue().jobs_of(row.job for row in rows if row.job is not None and row.state in {"running", "waiting"})
    steps = dict(zip(live, jobs.steps(list(live.values())), strict=True))
    curves = {n: job_curve(n) for n, job in live.items() if job.state == State.RUNNING}
    columns: dict[str, list[Any]] = {
        "Do": [list(row.can) for row in rows],
        "State": [state(row, steps.get(row.job or 0), r) for row, r in zip(rows, page["reason"], strict=True)],
        "curve": [curves.get(row.job or 0, c) for row, c in zip(rows, page["curve"], strict=True)],
        "metric": [live[row.job].metric if row.job in live else m for row, m in zip(rows, page["metric"], strict=True)],
    }
    moment = pd.to_datetime(page["moment"], unit="s", utc=True)
    found = page.assign(**{n: pd.Series(c, page.index) for n, c in columns.items()}, moment=moment)
    names = {
        "setting": "Run", "Do": "Do", "seed": "Seed", "bootstrap": "Replicate", "State": "State",
        "curve": "Validation", "metric": "NDCG@10", "epoch": "Best epoch", "seconds": "Seconds", "memory": "MB",
        "moment": "When", "title": "Data set",
    }  # fmt: skip
    gone = (["bootstrap"] if page["bootstrap"].isna().all() else []) + ([] if several else ["title"])
    return found[[name for name in names if name not in gone]].rename(columns=names)


def job_curve(job: int) -> list[float]:
    """The validation metric of what runs, as far as it is."""
    return [metric for *_, metric in jobs.queue().curve(job) if metric is not None]


def state(row: Row, step: str | None, reason: object) -> str:
    """A row's state, with how far it is or why it is so."""
    said = step or (reason if isinstance(reason, str) else "")
    return f"{row.state}: {said}" if said and said != row.state else row.state


def paging(n: int) -> int:
    """The way to the other parts of the list; the number of the one that is shown."""
    pages = max(1, -(-n // PAGE_ROWS))
    with st.container(horizontal=True, horizontal_alignment="right"):
        chosen = st.pagination(pages, key=PAGE, bind="query-params", on_change=run_rows.forget_selection)
    return min(max(1, int(chosen)), pages)


def part(number: int, n: int, deleted: int) -> None:
    """Which part of the list is shown. Above the table, where its toolbar would cover buttons."""
    first = (number - 1) * PAGE_ROWS + 1
    shown = f"Showing {first:,}–{min(number * PAGE_ROWS, n):,} of {n:,}." if n else ""
    rest = f" {words.count(deleted, 'deleted run')} not listed." if deleted else ""
    st.caption(shown + rest)
