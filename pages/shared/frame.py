"""The frame around every page: the sidebar with the shared choices.

Every shared choice is a widget bound to the URL and drawn here on every page, so it survives page changes and a link
reopens the same view. What a URL says is judged here before a page sees it (view.py holds the result).
Not here: which pages there are (menu.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.charts import checking
from core.charts.text import metric_name
from core.decisions.rule import DEFAULT_GIVE_UP, Kind, Rule
from core.errors import LabError
from core.evaluation.metrics import CUTOFFS, METRICS, metric_key, parse_key
from core.models.choices import PROTOCOLS
from core.warehouse import queries
from pages.shared import deciding, explained, jobs, menu, server, view, words

FRAMED = "framed"
MISSED = "missed_data_set"
CHIP = 160  # pixels of a pin's name: its button stays beside it, however long the name is
RULES: dict[str, Kind] = {"Budget": "give_up", "Target": "reach"}
RULES_HELP = (
    "**Budget**: give up some of the accuracy that the baseline has, at most, and take the best popularity metric.  \n"
    "**Target**: reach a value of the popularity metric, and take the best accuracy.  \n"
    "Judged on validation. Settings that do not keep to it are grey everywhere."
)
NO_RULE = "No rule"
PURPOSE = "How hard to push a recommender away from popular items, and what it costs."


def enter() -> None:
    """The first line of every page: makes sure that this run came through app.py.

    On a fresh server (and in every run of AppTest) Streamlit's old discovery of `pages/` is on until `st.navigation` is
    called, and runs a page whose address was opened directly without app.py. Then: call it, and begin again.
    """
    if not st.session_state.pop(FRAMED, False):
        st.navigation(menu.pages(), position="hidden")
        st.rerun()


def draw() -> None:
    """Start what has to be started, draw the sidebar, and hand the judged view to the page."""
    checking.check(server.settings().debug)
    server.start_once()
    server.version()
    with st.sidebar:
        st.caption(PURPOSE)
        facts = _data_set()
        jobs.watch()
        accuracy, bias, cutoff = _metrics()
        rule = _rule(_key(accuracy, cutoff), _key(bias, cutoff))
        split, protocol = _split_and_protocol()
        dataset = str(facts["dataset"]) if len(facts) else None
        variants = view.variants_of(dataset, protocol)
        notes = st.container()
        baseline, a, b = _pins(variants)
    axes = _key(accuracy, cutoff), _key(bias, cutoff)
    here = view.View(dataset, facts, *axes, split, protocol, variants, baseline, a, b, rule)
    view.publish(here)
    with notes:
        _outside(here)
    st.session_state[FRAMED] = True


def _data_set() -> pd.Series:
    """The chosen data set's facts; an empty series where there is none."""
    sets = server.ask(queries.datasets)
    if sets.empty:
        st.selectbox("Data set", [], placeholder="None yet", disabled=True)
        return pd.Series(dtype=object)
    rows = {_address(row, sets): row for _, row in sets.iterrows()}
    _tell_of_another(rows)
    asked = sets.index[sets["dataset"] == st.session_state.pop("choose", None)]
    if len(asked):
        st.session_state[view.DATASET] = _address(sets.loc[asked[0]], sets)
        view.forget_pins()
    chosen = st.selectbox("Data set", list(rows), key=view.DATASET, bind="query-params", on_change=_chosen)
    facts = rows.get(chosen, sets.iloc[0])
    sizes = [words.count(int(facts[n]), n.removesuffix("s")) for n in ("users", "items", "interactions")]
    simulated = ":orange-badge[simulated] " if facts["simulated"] else ""
    st.markdown(f"{simulated}:small[:gray[{' · '.join(sizes)}]]")
    return facts


def _chosen() -> None:
    """Another data set has other settings; and what a link named is not asked for any more."""
    st.session_state.pop(MISSED, None)
    view.forget_pins()


def _tell_of_another(rows: Mapping[str, pd.Series]) -> None:
    """A link to a data set that is not here must not pass for one to the first that is."""
    named = st.query_params.get(view.DATASET)
    if named and named not in rows and view.DATASET not in st.session_state:
        st.session_state[MISSED] = named
    if (missed := st.session_state.get(MISSED)) is not None:
        st.warning(
            f"The link is to a data set that is not here, {words.plain(missed)!r}: what you see is another one. Fetch "
            "or import it under **Data**.", icon=":material/link_off:",
        )  # fmt: skip


def _address(row: pd.Series, sets: pd.DataFrame) -> str:
    """How the URL names a data set: its name, with the beginning of its id where two share the name."""
    name = str(row["name"])
    return f"{name} {str(row['dataset'])[:6]}" if (sets["name"] == name).sum() > 1 else name


def _metrics() -> tuple[str, str, int]:
    accuracy = _metric("Accuracy metric", view.ACCURACY, "accuracy", "ndcg", "y")
    bias = _metric("Popularity metric", view.BIAS, "popularity", "aplt", "x")
    cutoff = st.segmented_control(
        "List length k",
        CUTOFFS,
        default=view.DEFAULT_CUTOFF,
        format_func=lambda k: f"k = {k}",
        key=view.CUTOFF,
        bind="query-params",
        required=True,
        width="stretch",
        label_visibility="collapsed",
    )
    return accuracy, bias, cutoff if cutoff in CUTOFFS else view.DEFAULT_CUTOFF


def _metric(label: str, key: str, kind: str, default: str, axis: str) -> str:
    titles = {metric.title: name for name, metric in METRICS.items() if metric.kind == kind}
    first = list(titles.values()).index(default)
    place = st.container(gap=None)
    head = place.container()
    picked = place.selectbox(
        label, list(titles), index=first, key=key, bind="query-params", on_change=view.forget_axis, args=(axis,),
        label_visibility="collapsed",
    )  # fmt: skip
    chosen = titles.get(picked, default)
    with head:
        explained.label(label, _key(chosen, view.cutoff()), key)
    return chosen


def _rule(accuracy: str, bias: str) -> Rule | None:
    """What a setting must keep to; None where there is no rule, or its number is missing."""
    kind = st.segmented_control(
        "Decide by", [*RULES, NO_RULE], default="Budget", key=view.RULE, bind="query-params", required=True,
        width="stretch", help=RULES_HELP,
    )  # fmt: skip
    amount: float | None
    if kind == "Budget":
        amount = st.number_input(
            f"Give up at most, % of {metric_name(accuracy)}", 0.0, 100.0, DEFAULT_GIVE_UP, 0.5, "%.4g", key=view.BUDGET,
            bind="query-params", persist_state="session",
        )  # fmt: skip
    elif kind == "Target":
        end = "least" if METRICS[parse_key(bias)[0]].better == "higher" else "most"
        amount = st.number_input(
            f"Reach at {end}, {metric_name(bias)}", value=None, step=0.01, format="%.4g", key=view.TARGET,
            bind="query-params", persist_state="session", placeholder="No number yet: no rule",
        )  # fmt: skip
    else:
        return None
    sure = st.toggle(
        "Surely", key=view.SURELY, bind="query-params", persist_state="session",
        help="The whole 95 % interval must keep to it, not only the mean.",
    )  # fmt: skip
    try:
        return None if amount is None else Rule(RULES[kind], float(amount), accuracy, bias, bool(sure))
    except LabError:  # a number from the URL that is out of bounds
        return None


def _key(metric: str, cutoff: int) -> str:
    return metric_key(metric, cutoff) if METRICS[metric].at_k else metric


def _split_and_protocol() -> tuple[str, str]:
    protocol = st.session_state.get(view.PROTOCOL, "validation")
    left, right = st.columns(2, gap="small")
    with right:
        protocol = st.selectbox(
            "Protocol",
            list(PROTOCOLS),
            key=view.PROTOCOL,
            bind="query-params",
            help="  \n".join(f"**{name}**: {choice.line}" for name, choice in PROTOCOLS.items()),
        )
    with left:
        split = st.selectbox(
            "Split",
            view.SPLITS,
            key=view.SPLIT,
            bind="query-params",
            disabled=protocol != "validation",
            help="Choose a strength on **validation**, report it on **test**. Other protocols have test figures only.",
        )
    protocol = protocol if protocol in PROTOCOLS else "validation"
    if protocol == "paper":
        st.markdown(":orange-badge[chosen on test] :small[:gray[Optimistic figures, as both papers report them.]]")
    return (split if protocol == "validation" and split in view.SPLITS else "test"), protocol


def _pins(variants: pd.DataFrame) -> tuple[str | None, str | None, str | None]:
    """Baseline and pins as chips; the bound text inputs that hold them fold away."""
    chips = st.container(gap="xsmall")
    # no popover: what is in a closed one is not in the browser's page, and a page change would drop its URL parameters
    with st.expander("Pins and baseline", icon=":material/keep:"):
        st.caption("A label, a method or an id; a click on the trade-off pins too.")
        texts = {
            view.BASELINE: st.text_input(
                "Baseline", view.DEFAULT_BASELINE, key=view.BASELINE, bind="query-params", max_chars=120
            ),
            view.A: st.text_input("Pin A", "", key=view.A, bind="query-params", max_chars=120),
            view.B: st.text_input("Pin B", "", key=view.B, bind="query-params", max_chars=120),
        }
    found = {key: view.resolve(text, variants) for key, text in texts.items()}
    with chips:
        for key in (view.A, view.B):
            _chip(key, found[key], texts[key], variants)
        base = variants.loc[variants["variant"] == found[view.BASELINE], "label"]
        st.caption(
            f"Baseline: {words.plain(base.iloc[0])}"
            if len(base)
            else f"Baseline: {words.plain(texts[view.BASELINE])}, not trained yet"
        )
    return found[view.BASELINE], found[view.A], found[view.B]


def _outside(here: view.View) -> None:
    """Which pins do not keep to the rule: they are grey wherever all settings are drawn."""
    pins = [(name, variant) for name, variant in (("A", here.a), ("B", here.b)) if variant]
    judged = deciding.judged(here) if pins else None
    for name, variant in pins:
        if judged and variant in judged.outside:
            st.markdown(f":gray-badge[:material/block:] :small[:gray[{name} does not keep to the rule]]")


def _chip(key: str, variant: str | None, text: str, variants: pd.DataFrame) -> None:
    name = key.upper()
    if not text:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if variant:
            label = variants.loc[variants["variant"] == variant, "label"].iloc[0]
            st.markdown(f":{view.ACCENTS[name]}-badge[{name}] {words.plain(label)}", width=CHIP)
        else:
            st.markdown(f":gray-badge[{name}] nothing finished here is called {words.plain(text[:20])}", width=CHIP)
        st.button(
            "",
            icon=":material/close:",
            key=f"unpin_{key}",
            type="tertiary",
            help=f"Unpin {name}",
            on_click=view.unpin,
            args=(key,),
        )
