"""A plan as a file: what the form asks for, to save; and a file that is asked for instead of the form.

Here: the two widgets. Not here: the file's form (core/models/plan.py), what a plan costs (pages/sweep.py).
"""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from core.errors import LabError
from core.models.choices import PROTOCOLS
from core.models.differences import value_text
from core.models.fields import FIELDS
from core.models.plan import LARGEST_FILE, Plan, parse_plan, plan_text
from core.models.sweep import Sweep
from pages.shared import tables, view, words

FILE = "plan_file"
ENDING = ("toml", "application/toml")
LONGEST = 200  # letters of a cell that lists the values of a field


def imported(here: view.View) -> Plan | None:
    """The plan that was uploaded, shown; None where there is none, or it cannot be read, which is said."""
    with st.expander("Run a plan from a file", icon=":material/upload_file:"):
        st.caption(
            "A plan is a sweep as a text file: save the one below, keep it with your work, and run it again here or by "
            "`python -m core sweep --file plan.toml`."
        )
        given = st.file_uploader(
            "A plan (plan.toml)", type=["toml"], key=FILE, max_upload_size=max(1, LARGEST_FILE // 2**20)
        )
    if given is None:
        return None
    try:
        plan = parse_plan(given.getvalue(), given.name)
    except LabError as error:
        st.warning(words.plain(error), icon=":material/rule:", title="This plan cannot be used")
        return None
    _shown(here, plan, given.name)
    return plan


def _shown(here: view.View, plan: Plan, file: str) -> None:
    """What the plan asks for, in place of the form."""
    sweep = plan.sweep
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(sweep.name or file)}** is asked for, not the form. Remove the file to get it back."
        )
        if plan.warning:
            st.warning(words.plain(plan.warning), icon=":material/history:")
        if plan.dataset_id and plan.dataset_id != here.dataset:
            st.warning(
                f"It was made for another data set, {words.plain(plan.dataset or plan.dataset_id)}. It will be trained "
                f"on {words.plain(here.title)}, which is chosen in the sidebar.",
                icon=":material/database:",
            )
        shown = pd.DataFrame(rows_of(sweep), columns=["Where", "What", "Values", "Meaning"])
        tables.table(shown, "What the plan asks for", key="plan_rows", height="content")


def rows_of(sweep: Sweep) -> list[tuple[str, str, str, str]]:
    """What a sweep asks for, a row a setting: where it counts, its name, its values as they are read, what it does."""
    rows = [
        ("All", "references", _listed("baseline", sweep.baselines), "what the methods are measured against"),
        ("All", "seeds", _listed("seed", sweep.seeds), "trainings of each setting"),
        ("All", "protocol", PROTOCOLS[sweep.protocol].label, "what chooses the epoch"),
    ]
    for number, grid in enumerate(sweep.grids, start=1):
        for name, values in grid.items():
            meaning = FIELDS[name].help if name in FIELDS else ""
            rows.append((f"Grid {number}", name.replace("_", " "), _listed(name, values), meaning))
    return [row for row in rows if row[2]]


def _listed(name: str, values: object) -> str:
    listed = values if isinstance(values, list | tuple) else [values]
    text = ", ".join(value_text(name, value) for value in listed)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def save(here: view.View, sweep: Sweep) -> None:
    """A button that saves what is asked for as plan.toml."""
    if here.dataset is None or not (sweep.grids or sweep.baselines):
        return
    name = str(here.facts["name"])
    text = plan_text(sweep, name, here.dataset)
    tables.save("Save as plan.toml", text.encode, re.sub(r"[^\w.-]+", "-", f"plan-{name}"), ENDING, "plan_save")
