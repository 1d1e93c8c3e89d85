"""The table of runs on the screen: a page of the list, with curves and progress, and the way to the other pages.

Not here: the list (core/warehouse/run_list.py), what its buttons do (run_actions.py).
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.evaluation.metrics import METRICS, key_title, parse_key
from core.jobs.queue import Job, State
from pages.shared import jobs, row_menu, run_actions, run_rows, tables, view, words
from pages.shared.run_rows import Row

PAGE = "run_page"
BUTTONS = 42  # pixels
LIVE_METRIC = "ndcg@10"
"""What a running job tells of itself."""
NEEDS = {
    "metric": "validated", "bias": "validated", "seconds": "seconds", "seed": "seed", "bootstrap": "bootstrap",
    "now": "unfinished", "epoch": "epoch", "memory": "memory", "title": "titles",
}  # fmt: skip
"""What of `RunList.present` a column needs; the others always stand."""
PAGE_ROWS, HEIGHT, HEIGHT_BESIDE_OPEN = 100, 460, 250


def table(page: pd.DataFrame, rows: Sequence[Row], present: Container[str], beside_open: bool) -> None:
    """The rows of a page, to select and to act on. present: as `RunList.present` says of the whole result."""
    keys = [row.key for row in rows]
    do, menus = row_menu.columns(
        run_actions.CLICK, keys, rows, run_actions.act_on_one, type="tertiary", width=BUTTONS,
        help="The same buttons stand above the table for selected rows.",
    )  # fmt: skip
    here = view.current()
    tables.table(
        shown(page, rows, present, do),
        "Runs and jobs with state, the two metrics on validation, epochs, seconds and memory",
        {**columns(here.accuracy, here.bias), **menus},
        height=HEIGHT_BESIDE_OPEN if beside_open else (HEIGHT if len(rows) > 11 else "content"),
        key=run_rows.selection_key(keys),
        on_select=partial(run_rows.selected, tuple(keys)),
        selection_mode="multi-row",
        placeholder="",
        lazy=False,
    )


def columns(accuracy: str, bias: str) -> dict[str, Any]:
    """What each column is. Those up to the seconds fit where the window is 1,024 pixels wide."""
    config = st.column_config
    of = "on validation, at the chosen epoch"
    live = "; of what runs, the latest" if accuracy == LIVE_METRIC else ""
    return {
        "setting": config.TextColumn("Run", width=176, pinned=True),
        "state": config.TextColumn("State", width=86),
        "metric": config.NumberColumn(
            short(accuracy), format="%.3f", help=f"{key_title(accuracy)}, {of}{live}.", width=76
        ),
        "bias": config.NumberColumn(short(bias), format=tables.NUMBER, help=f"{key_title(bias)}, {of}.", width=76),
        "seconds": config.NumberColumn("Seconds", format="%.1f", help="Training.", width=68),
        "seed": config.NumberColumn("Seed", format="%d", width=48),
        "bootstrap": config.NumberColumn("Replicate", format="%d", width=75),
        "now": config.TextColumn("Now", width=190),
        "curve": config.LineChartColumn("Curve", width=84, help="What chose the epoch, over the epochs."),
        "epoch": config.NumberColumn("Best epoch", format="%d", width=80),
        "memory": config.NumberColumn("MB", format="%.0f", help="The highest memory of its process.", width=54),
        "moment": config.DatetimeColumn("When", format="distance", width=104),
        "title": config.TextColumn("Data set", width=120),
    }


def short(key: str) -> str:
    """A metric in a narrow heading: its abbreviation where it has one.

    >>> short("ndcg@10"), short("aplt@10"), short("gini@10")
    ('NDCG@10', 'APLT@10', 'Gini of exposure@10')
    """
    title = key_title(key).removesuffix(f", {METRICS[parse_key(key)[0]].unit}")
    found = re.search(r"\((.+)\)$", title)
    return found[1] if found else title


def shown(page: pd.DataFrame, rows: Sequence[Row], present: Container[str], do: str) -> pd.DataFrame:
    """The columns of the table; progress and curve of what runs are asked of the queue, for these rows alone.

    Left out is what no row of the whole result has: what differed from page to page would jump. do: the name of the
    buttons' column.
    """
    live = jobs.queue().jobs_of(row.job for row in rows if row.job is not None and row.state in {"running", "waiting"})
    steps = dict(zip(live, jobs.steps(list(live.values())), strict=True))
    curves = {n: job_curve(n) for n, job in live.items() if job.state == State.RUNNING}
    made: dict[str, list[Any]] = {
        do: [list(row.can) for row in rows],
        "state": [state(row, live.get(row.job or 0)) for row in rows],
        "now": [now(row, steps.get(row.job or 0), r) for row, r in zip(rows, page["reason"], strict=True)],
        "curve": [curves.get(row.job or 0, c) for row, c in zip(rows, page["curve"], strict=True)],
    }
    if view.current().accuracy == LIVE_METRIC:
        made["metric"] = [
            live[row.job].metric if row.job in live else m for row, m in zip(rows, page["metric"], strict=True)
        ]
    moment = pd.to_datetime(page["moment"], unit="s", utc=True)
    found = page.assign(**{n: pd.Series(c, page.index) for n, c in made.items()}, moment=moment)
    names = [
        "setting", do, "state", "metric", "bias", "seconds", "seed", "bootstrap", "now", "curve", "epoch", "memory",
        "moment", "title",
    ]  # fmt: skip
    return found[[name for name in names if name not in NEEDS or NEEDS[name] in present]]


def job_curve(job: int) -> list[float]:
    """The validation metric of what runs, as far as it is."""
    return [metric for *_, metric in jobs.queue().curve(job) if metric is not None]


def state(row: Row, job: Job | None) -> str:
    """A row's state, with the part that is done of what runs."""
    return f"{row.state} {job.share:.0%}" if job and job.state == State.RUNNING and job.share else row.state


def now(row: Row, step: str | None, reason: object) -> str:
    """How far it is, or why it is in that state."""
    said = step or (reason if isinstance(reason, str) else "")
    return "" if said == row.state else said


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
