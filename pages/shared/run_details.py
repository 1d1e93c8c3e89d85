"""One run or job, opened: its settings, curve, metrics, files, time and memory, log; live while it is under way.

Here: what is shown. Not here: which one is open, and what is done to it (pages/runs.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import learning
from core.errors import LabError
from core.evaluation.metrics import key_title
from core.jobs import artifacts, exporting
from core.jobs.queue import ACTIVE, Job, Kind
from core.models import differences
from core.models.variant import Run
from core.warehouse import queries
from core.warehouse.run_list import metrics_of_run
from pages.shared import boundary, charts, jobs, server, tables, view, words

LOG_LINES = 200
CHECKED = "run_checked"
ZIP = ("zip", "application/zip")
SPLIT_COLUMNS = ("validation", "test", "own_best", "own_epoch")
CELL = 420  # pixels: narrower, and the parts stand below each other
FILES = {
    "meta.json": "What it is, what made it, and the checksums",
    "factors.safetensors": "What scores items",
    "metrics.parquet": "Metrics of both splits",
    "per_user.parquet": "Metrics of each user",
    "top_k.parquet": "Each user's list",
    "history.parquet": "Loss and validation metric by epoch",
}
DAMAGED = "This run cannot be read. Deleting it is safe: it can be trained again on **Sweep**."


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open: a finished run, a job, or both."""

    run: str | None
    job: Job | None
    meta: Mapping[str, Any]
    """What a finished run's meta.json says; empty if it is not finished, or cannot be read."""
    problem: str = ""
    """Why a finished run cannot be read."""

    @property
    def label(self) -> str:
        """The setting with its seed, or what is prepared."""
        if self.job:
            return self.job.label
        seed = f", seed {self.meta['seed']}" if self.meta else ""
        number = self.meta.get("bootstrap")
        label = self.meta.get("label", f"Run {self.run}")
        return f"{label}{seed}" + ("" if number is None else f", replicate {number}")

    @property
    def fields(self) -> Mapping[str, Any]:
        """Its settings, as `Variant.used` gives them; empty for a preparation."""
        if self.meta:
            return self.meta["fields"]  # type: ignore[no-any-return]
        return self.job.payload["variant"] if self.job and self.job.kind == Kind.TRAIN else {}

    @property
    def under_way(self) -> bool:
        """Is it queued or running?"""
        return not self.meta and self.job is not None and self.job.state in ACTIVE


def find(text: str) -> Opened | None:
    """What a text names: the beginning of a run's id, or "#" and a job's number. None if nothing, or several."""
    asked, queue = text.strip().lower(), jobs.queue()
    if asked.startswith("#"):
        number = int(asked[1:]) if asked[1:].isascii() and asked[1:].isdecimal() and len(asked) < 12 else -1
        job = queue.jobs_of([number]).get(number)
        return opened(job.run, job) if job else None
    known = {*artifacts.finished_runs(server.settings()), *(run for run in queue.latest()["run"] if run)}
    found = [run for run in known if run.startswith(asked)] if asked else []
    return opened(found[0], queue.latest_of(found[0])) if len(found) == 1 else None


def opened(run: str | None, job: Job | None) -> Opened:
    """What is known of a run and its job."""
    if run is None or not artifacts.is_finished(server.settings(), run):
        return Opened(run, job, {})
    try:
        return Opened(run, job, artifacts.read_meta(server.settings(), run))
    except LabError as error:
        return Opened(run, job, {}, str(error))


def show(o: Opened) -> None:
    """Everything that is known of it."""
    if o.problem:
        st.error(f"{words.plain(o.problem)}  \n{DAMAGED}", icon=":material/report:")
    cells = st.grid(2, gap="medium", min_column_width=CELL)
    parts = ([curve, settings] if o.fields else []) + ([measured, cost] if o.meta else [])
    for part in parts:
        with cells.cell():
            part(o)
    files(o)
    log(o)


def curve(o: Opened) -> None:
    """The learning curve; of what is under way as far as it is, kept up to date."""

    def draw() -> None:
        with boundary.calm("the learning curve"):
            if o.under_way and o.job:
                progress(jobs.queue().job(o.job.id))
            rows = history(o)
            if rows.dropna(subset=["loss", "metric"], how="all").empty:
                st.caption("No learning curve: nothing was learnt in epochs." if o.meta else "No epoch has ended yet.")
                return
            said = learning.takeaway(rows)
            charts.chart(learning.curves(rows), f"curve_{o.run}", said, rows, note=where(o))
            st.caption(words.plain(said))

    st.subheader("Learning curve")
    st.fragment(draw, run_every=jobs.BUSY_EVERY if o.under_way else None)()


def progress(job: Job) -> None:
    """Where a job under way is."""
    st.progress(min(1.0, job.share or 0.0), text=words.plain(jobs.step(job)))


def history(o: Opened) -> pd.DataFrame:
    """The rows of the curve: a finished run's from the index, else what its job has reported."""
    if o.meta:
        return server.ask(queries.history, (str(o.run),))
    points = jobs.queue().curve(o.job.id) if o.job and o.fields else []
    rows = pd.DataFrame(points, columns=["epoch", "seconds", "loss", "metric"]).astype(float)
    run = Run.from_json(o.job.payload) if len(rows) and o.job else None
    if run is None:
        return rows
    about = {"run": o.run, "variant": run.variant.id, "label": run.variant.label, "method": run.variant.method}
    return rows.assign(**about, protocol=run.variant.protocol, seed=run.seed, chosen=False)


def where(o: Opened) -> str:
    """Where the numbers are from: data set and protocol."""
    sets = server.ask(queries.datasets)
    titles = sets.loc[sets["dataset"] == o.fields.get("dataset"), "title"]
    return (
        f"{titles.iloc[0] if len(titles) else 'a data set that is not here any more'}, protocol {o.fields['protocol']}"
    )


def shows_test(o: Opened) -> bool:
    """May test figures be shown? Validation selects, test reports: where test is asked for, or all that there is."""
    return view.current().split == "test" or o.fields.get("protocol") != "validation"


def measured(o: Opened) -> None:
    """The metrics of the splits that may be shown."""
    st.subheader("Metrics")
    found = server.ask(metrics_of_run, str(o.run))
    found.insert(0, "title", [key_title(key) for key in found["metric"]])
    hidden = [] if shows_test(o) else ["test"]
    found = found.drop(columns=[name for name in SPLIT_COLUMNS if name in hidden or found[name].isna().all()])
    if hidden:
        st.caption("Test figures are shown with split *test* in the sidebar. Settings are chosen on validation.")
    number = st.column_config.NumberColumn
    tables.table(
        found,
        "What this run was measured at" + (", on validation" if hidden else ""),
        {
            "title": st.column_config.TextColumn("Metric", width=230, pinned=True),
            "metric": None,
            "validation": number("Validation", format=tables.NUMBER),
            "test": number("Test", format=tables.NUMBER, help="Read once, at the chosen epoch."),
            "own_best": number("Best on test", format=tables.NUMBER, help="At its own best epoch: optimistic."),
            "own_epoch": number("At epoch", format="%d"),
        },
        name=f"metrics-{o.run}",
        key=f"metrics_{o.run}",
        height=380,
    )


def settings(o: Opened) -> None:
    """Its settings, those that are not as by default first."""
    st.subheader("Settings")
    rows = sorted(differences.settings(o.fields, o.fields), key=lambda row: not changed(row))
    n = sum(map(changed, rows))
    st.caption(f"{words.count(n, 'setting')} of {len(rows)} not as by default, first in the table. {where(o)}.")
    frame = pd.DataFrame(
        {
            "Setting": [row.name for row in rows],
            "Value": [row.first for row in rows],
            "Default": [row.default or "-" for row in rows],
            "Changed": [changed(row) for row in rows],
            "Meaning": [row.what for row in rows],
        }
    )
    tables.table(
        frame,
        "The settings of this run, changed ones first",
        {
            "Changed": st.column_config.CheckboxColumn(width="small"),
            "Value": st.column_config.TextColumn(width="small"),
        },
        name=f"settings-{o.run}",
        key=f"settings_{o.run}",
        height=380,
    )


def changed(row: differences.Setting) -> bool:
    """Is the setting another than where nothing is chosen?"""
    return bool(row.default) and row.first != row.default


def cost(o: Opened) -> None:
    """Time and memory, and what made it."""
    st.subheader("Time and memory")
    m = o.meta
    epochs = max(int(m.get("epochs_run") or 0), 1)
    seconds, around = float(m.get("seconds", math.nan)), m.get("overhead")
    memory = m.get("peak_memory_mb") or None
    shown = {
        "Training": words.seconds(seconds),
        "An epoch": words.seconds(seconds / epochs),
        "Around it": words.seconds(around),
        "Epochs": f"{m['epoch']} best of {m.get('epochs_run', '-')}",
        "Memory": f"{words.number(memory)} MB" if memory else "-",
        "Engine": str(m.get("engine", "-")),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, value in shown.items():
            st.markdown(f":small[:gray[{name}]]  \n{words.plain(value)}", width="content")
    versions = ", ".join(f"{name} {number}" for name, number in m.get("versions", {}).items())
    st.caption(
        "Around it: reading the data, measuring, writing. Memory: the highest of its process, program included. "
        f"Made with {words.plain(versions)}."
    )


def files(o: Opened) -> None:
    """The files of a finished run, and whether they hold what was written."""
    if not o.meta or o.run is None:
        return
    folder = server.settings().runs / o.run
    st.subheader("Files")
    rows = artifacts.listing(folder)
    frame = pd.DataFrame(rows, columns=["File", "Bytes", "SHA-256"])
    frame.insert(1, "Holds", [FILES.get(name, "") for name in frame["File"]])
    tables.table(
        frame,
        "The files of this run",
        {"Bytes": st.column_config.NumberColumn(format="localized")},
        key=f"files_{o.run}",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{words.count(int(frame['Bytes'].sum()), 'byte')} in {words.plain(folder)}", width="content")
        st.button(
            "Check the files",
            icon=":material/fact_check:",
            type="tertiary",
            key=f"check_{o.run}",
            on_click=check,
            args=(o.run,),
        )
        whole = partial(exporting.run_zip, server.settings(), o.run)
        tables.save("Export (zip)", whole, f"run-{o.run}", ZIP, f"zip_{o.run}")
        run, wrong = st.session_state.get(CHECKED, (None, ()))
        if run == o.run and not wrong:
            st.caption(":material/check: Every file holds what was written.", width="content")
    if run == o.run and wrong:
        st.error(words.plain(" ".join(wrong)), icon=":material/report:")


def check(run: str) -> None:
    """Compare a run's files with their checksums: for callbacks."""
    with boundary.attempt("the check"):
        st.session_state[CHECKED] = (run, tuple(artifacts.verify(server.settings().runs / run)))


def log(o: Opened) -> None:
    """The end of its job's log."""
    with st.expander("Log", icon=":material/receipt_long:", expanded=not o.meta, key=f"log_{o.run or o.label}"):
        if o.job:
            jobs.log_tail(o.job, LOG_LINES)
        else:
            st.caption("It was trained by another queue, whose logs are not here.")
