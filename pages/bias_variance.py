"""Bias and variance: what another set of clicks would have changed, and whether less popularity bias is worth it."""

from __future__ import annotations

import json
from typing import Any, get_args

import pandas as pd
import streamlit as st

from core.charts import bias_variance as charts
from core.charts import palette
from core.charts.text import capitalised, provenance
from core.errors import LabError
from core.evaluation.decomposition import Loss
from core.jobs import control, decomposing
from core.jobs.decomposing import FEWEST, REPLICATES, By, Question
from core.models.sweep import Sweep
from core.models.variant import variant_from_fields
from core.warehouse import queries
from pages.shared import boundary, frame, jobs, server, tables, view, words
from pages.shared import charts as drawing

LOSS, BY, GROUP, COMPARED, FIRST = "loss", "by", "decile", "bv", "bv_first"
ASKED, NUMBER = "bv_train", "bv_replicates"
LOSS_NAMES: dict[Loss, str] = {"brier": "Brier", "logistic": "Logistic"}
BY_NAMES: dict[By, str] = {"bootstrap": "Samples of the clicks", "seeds": "Seeds only"}
MOST_REPLICATES = 200
DEFAULT_SHOWN, MOST_SHOWN = 8, 16
SIDE_BY_SIDE = 300  # pixels: narrower, and cards stand below each other

LOSS_HELP = r"""
Of $p = \sigma(x_{ui} - x_{uj})$, how sure the model is that user $u$ prefers $i$, held out, to $j$, never taken.
**Brier**: $(1 - p)^2$, between 0 and 1; 0.25 is guessing. **Logistic**: $-\ln p$, 0 or more; 0.69 is guessing, and
one sure mistake can weigh as much as many good guesses. Lower is better.
"""
HOW = r"""
A **triple** is a user, an item held out, and an item the user never touched, drawn once and the same for every
setting. A model says that the user prefers the first with probability $p_r = \sigma(x_{ui} - x_{uj})$, in replicate
$r$.

- Brier: $\frac1R\sum_r (1-p_r)^2 = (1-p)^2 + \frac1R\sum_r (p_r-p)^2$, with $p$ the mean of the $p_r$.
- Logistic: $\frac1R\sum_r -\log p_r = -\log p + \frac1R\sum_r \mathrm{KL}(p\,\|\,p_r)$, with $p = \sigma$ of the
  mean logit.

The first term is **bias and noise** in one: a triple has one label, which cannot tell them apart. Noise is the same for
every setting, so a *difference* of this term is a difference of bias. On the simulated data set the true probability is
known, and noise stands apart. The second term is **variance**: how much the model moves when it is trained on another
sample of the clicks, or with another seed.

Intervals hold 95 %: over users, and over the replicates there are (jackknife), both errors added. Differences are
paired: replicate $r$ of every setting was trained on the same sample.
"""


# --- what is there -------------------------------------------------------------------------------------------------


def numbers_of(here: view.View, by: By) -> pd.Series:
    """How many replicates each finished setting has, by variant id; the pins first, then as on every page."""
    runs = server.ask(queries.runs, here.dataset)
    runs = runs[(runs["protocol"] == here.protocol) & (runs["engine"].isin({"compiled", "autograd"}))]
    runs = runs[runs["bootstrap"].notna()] if by == "bootstrap" else runs[runs["bootstrap"].isna()]
    return runs.groupby("variant", sort=False)["run"].nunique()


@st.cache_data(max_entries=64, show_spinner="Comparing the replicates")
def _decomposed(cache: str, version: int, variants: tuple[str, ...], question: Question, most: int) -> pd.DataFrame:
    found = [variant_from_fields(json.loads(fields)) for fields in variants]
    settings = server.settings()
    replicates = decomposing.finished_replicates(settings, found, question.by, most)
    return decomposing.decomposition(settings, [r for r in replicates if len(r.runs) >= FEWEST], question)


def fields_of(here: view.View) -> pd.DataFrame:
    """Every trained setting of this data set and protocol, in the legends' order of methods, by strength.

    variant, label, method, strength, fields (JSON).
    """
    runs = server.ask(queries.runs, here.dataset)
    runs = runs[(runs["protocol"] == here.protocol) & (runs["engine"].isin({"compiled", "autograd"}))]
    rows = runs.drop_duplicates("variant")[["variant", "label", "method", "strength", "fields"]]
    place = {method: n for n, method in enumerate(palette.in_order(rows["method"]))}
    return rows.assign(place=rows["method"].map(place)).sort_values(["place", "strength", "label"], kind="stable")


def first_of(here: view.View, ready: pd.DataFrame) -> int:
    """Where the others are compared from: the sidebar's baseline, else DNS, from which AUC-NS's path begins."""
    places = {variant: n for n, variant in enumerate(ready["variant"])}
    dns = [n for n, method in enumerate(ready["method"]) if method == "dns"]
    return places.get(str(here.baseline), dns[0] if dns else 0)


# --- training replicates ---------------------------------------------------------------------------------------------


def sweep_of(rows: pd.DataFrame, protocol: str, by: By, replicates: int) -> Sweep:
    """The sweep that trains replicates of those settings."""
    grids = []
    for text in rows["fields"]:
        settings = {k: v for k, v in json.loads(text).items() if k not in {"dataset", "protocol"}}
        grids.append({name: [value] for name, value in settings.items()})
    plain = Sweep(tuple(grids), protocol=protocol, name="Replicates")
    return decomposing.replicated(plain, by, replicates)


def training(here: view.View, rows: pd.DataFrame, by: By, already: pd.Series) -> None:
    """Choose settings, see what their replicates would cost, and train them."""
    names = dict(zip(rows["variant"], rows["label"], strict=True))
    with st.expander("Train replicates", icon=":material/play_arrow:", expanded=bool((already < FEWEST).all())):
        pins = [variant for variant in (here.baseline, here.a, here.b) if variant in names]
        chosen = st.multiselect(
            "Settings", list(names), default=list(dict.fromkeys(pins)), key=ASKED, format_func=names.__getitem__,
            placeholder="Settings that were trained before", help="The baseline and the pins, unless chosen otherwise.",
        )  # fmt: skip
        number = st.slider(
            "Replicates of each", FEWEST, MOST_REPLICATES, REPLICATES, key=NUMBER,
            help="20 are usual. The variance of few replicates is told too small, by 1 / R of it.",
        )  # fmt: skip
        if not chosen:
            st.caption("Choose at least one setting.")
            return
        asked = rows[rows["variant"].isin(chosen)]
        sweep = sweep_of(asked, here.protocol, by, number)
        try:
            planned = control.plan(server.settings(), str(here.dataset), sweep)
        except LabError as error:
            st.warning(words.plain(error), icon=":material/rule:")
            return
        todo = planned.to_train
        time = f", about {words.duration(planned.seconds)}" if planned.seconds is not None and todo else ""
        st.caption(
            f"{words.count(planned.runs, 'run')}: {planned.cached:,} cached, {planned.waiting:,} under way, "
            f"{todo:,} to train{time}."
        )
        st.button(
            f"Train {words.count(todo, 'run')}" if todo else "Everything is trained or under way",
            type="primary", icon=":material/play_arrow:", disabled=not todo, on_click=jobs.start,
            args=(str(here.dataset), sweep, "the replicates"),
        )  # fmt: skip


# --- the answer ------------------------------------------------------------------------------------------------------


def choose() -> tuple[Loss, By]:
    """The page's own choices."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        loss = st.segmented_control(
            "Loss", get_args(Loss), default="brier", key=LOSS, bind="query-params", format_func=LOSS_NAMES.__getitem__,
            required=True, help=LOSS_HELP,
        )  # fmt: skip
        by = st.segmented_control(
            "Replicates differ by", get_args(By), default="bootstrap", key=BY, bind="query-params",
            format_func=BY_NAMES.__getitem__, required=True,
            help="Another sample of the clicks changes all that a model is made of. Seeds alone show what chance in "
            "training does on the same clicks.",
        )  # fmt: skip
    return loss or "brier", by or "bootstrap"


def answer(here: view.View, rows: pd.DataFrame, counts: pd.Series, question: Question) -> None:
    """Charts and words about the settings that have enough replicates."""
    ready = rows[rows["variant"].isin(counts[counts >= FEWEST].index)]
    names = dict(zip(ready["variant"], ready["label"], strict=True))
    fields = {variant: str(text) for variant, text in zip(ready["variant"], ready["fields"], strict=True)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        first = st.selectbox(
            "Compared with", list(names), index=first_of(here, ready),
            key=FIRST, format_func=names.__getitem__, width=300,
        )  # fmt: skip
        others = [variant for variant in names if variant != first]
        pins = [variant for variant in (here.a, here.b) if variant in others]
        shown = st.multiselect(
            "Settings", others, default=list(dict.fromkeys(pins + others))[:DEFAULT_SHOWN], key=COMPARED,
            format_func=names.__getitem__, max_selections=MOST_SHOWN, placeholder="None: what is compared with, alone",
        )  # fmt: skip
    order = [first, *(variant for variant in others if variant in shown)]
    found = _decomposed(
        str(server.settings().cache), server.version(), tuple(fields[v] for v in order), question, MOST_REPLICATES
    )
    st.markdown(words.plain(charts.takeaway(found, "all")))
    # the same words as above the charts of other pages
    st.caption(capitalised(provenance(question.split, here.protocol)) + ". The split is chosen in the sidebar.")
    panels(found, question)
    deciles(found, question)
    numbers(here, found, question)


def panels(found: pd.DataFrame, question: Question) -> None:
    """All, cold and hot items side by side."""
    grid = st.grid(3, gap="medium", min_column_width=SIDE_BY_SIDE)
    for group in charts.GROUPS:
        if group not in set(found["group"]):
            continue
        said, rows = charts.takeaway(found, group), found[found["group"] == group]
        with grid.container(border=True, height="stretch"):
            st.header(charts.GROUPS[group].capitalize())
            drawing.chart(charts.parts(found, group, question.loss), f"parts_{group}", said, rows)
            if "d_loss" in found and found["d_loss"].notna().any():
                drawing.chart(charts.differences(found, group), f"differences_{group}", said, rows)
            st.caption(words.plain(said))


def deciles(found: pd.DataFrame, question: Question) -> None:
    """One decile of popularity, on request."""
    with st.expander("By popularity decile", icon=":material/bar_chart:"):
        there = [group for group in dict.fromkeys(found["group"]) if group not in charts.GROUPS]
        if not there:
            st.caption("No held-out item.")
            return
        group = st.select_slider("Popularity decile of the held-out item", there, value=there[-1], key=GROUP)
        said = charts.takeaway(found, group)
        drawing.chart(charts.parts(found, group, question.loss), "parts_decile", said, found[found["group"] == group])
        st.caption(words.plain(said))


def numbers(here: view.View, found: pd.DataFrame, question: Question) -> None:
    """The terms as a table, to download."""
    columns = {
        "label": "Setting",
        "group": "Items",
        "loss": "Loss",
        "bias": "Bias" if charts.knows_noise(found) else charts.WITH_NOISE,
        "variance": "Variance",
        "d_loss": "Change of loss",
        "replicates": "Replicates",
        "triples": "Triples",
    }
    kept = {k: v for k, v in columns.items() if k in found}
    number = st.column_config.NumberColumn(format=tables.NUMBER)
    formats: dict[str, Any] = {kept[k]: number for k in ("loss", "bias", "variance", "d_loss") if k in kept}
    with st.expander("The numbers", icon=":material/table:"):
        tables.table(found[list(kept)].rename(columns=kept), "Bias and variance", formats, key="bv_table", height=320)
        out = found.assign(dataset=here.dataset, simulated=here.simulated, split=question.split, protocol=here.protocol)
        tables.download(out, f"bias-variance-{here.facts['name']}-{question.split}", "bv_csv")


def empty(here: view.View) -> None:
    """What to do while nothing is trained."""
    if here.dataset is None:
        view.no_dataset()
        return
    st.info(
        f"Nothing is trained on {words.plain(here.title)} under protocol *{here.protocol}* yet, so there is nothing to "
        "replicate. Start on **Sweep**.",
        icon=":material/tune:",
    )
    st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/arrow_forward:")


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Bias and variance")
    st.caption(
        "A model trained on other clicks of the same users would be another one. How much of its error is that, and "
        "does less popularity bias lower the rest by more?"
    )
    rows = fields_of(here) if here.dataset else pd.DataFrame()
    if rows.empty:
        empty(here)
        return
    view.notice(here)
    loss, by = choose()
    counts = numbers_of(here, by)
    training(here, rows, by, counts)
    if (counts >= FEWEST).any():
        with boundary.calm("the decomposition"):
            answer(here, rows, counts, Question(loss, by, "test" if here.split == "test" else "validation"))
    else:
        st.info(
            f"No setting has {FEWEST} finished replicates of this kind yet. Train some above; {REPLICATES} of each "
            "setting are usual.",
            icon=":material/hourglass_empty:",
        )
    with st.expander("How to read this, and the formulas", icon=":material/menu_book:"):
        st.markdown(HOW)


frame.enter()
page()
