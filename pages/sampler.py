"""Sampler: AUC-NS taken apart on a trained run: its prior, posterior and gain, what is drawn, and where beta turns."""

from __future__ import annotations

from dataclasses import astuple
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import sampler as charts
from core.errors import Refused
from core.evaluation.turning import find_turn
from core.jobs import explain
from core.models.choices import SAMPLERS
from core.models.knobs import Knobs, own_knobs, read_knobs
from core.warehouse import queries
from pages.shared import boundary, frame, people, server, tables, view, words
from pages.shared import charts as drawing

MODEL, SEED, DRAW = "model", "model_seed", "draw"
BETA, FOLLOW = "beta", "follow_run"
TEXTS = {"alpha": ("alpha", "α"), "gamma": ("gamma", "γ"), "candidates": ("m", "M"), "references": ("n", "N")}
"""Of the knobs that are typed: the widget's key, which is the URL's word, and the symbol."""
STEPS = (
    0,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.015,
    0.025,
    0.04,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    0.75,
    1,
    1.5,
    2,
    3,
    5,
    10,
)
OFFERED = 300
DRAWS = 1_000_000
NO_STEP = 0.995
SIDE_BY_SIDE = 400  # pixels: narrower, and cards stand below each other


# --- what is asked of core, remembered -------------------------------------------------------------------------------


@st.cache_resource(max_entries=4, show_spinner="Reading the model")
def _subject(cache: str, run: str) -> explain.Subject:
    return explain.read_subject(server.settings(), run)


@st.cache_data(max_entries=128, show_spinner="Drawing from the model; on a new machine the samplers are compiled first")
def _answer(question: str, cache: str, run: str, knobs: tuple[Any, ...], arguments: tuple[Any, ...]) -> Any:
    subject = _subject(cache, run)
    return getattr(explain, question)(subject, *([Knobs(*knobs)] if knobs else []), *arguments)


def ask(question: Any, run: str, knobs: Knobs | None, *arguments: Any) -> Any:
    """The answer of one of `core.jobs.explain`'s questions about a run, remembered: a finished run does not change."""
    return _answer(question.__name__, str(server.settings().cache), run, astuple(knobs) if knobs else (), arguments)


# --- controls -----------------------------------------------------------------------------------------------------


def trained(here: view.View) -> pd.DataFrame:
    """The settings that have embeddings, the pins first, then AUC-NS; under a name of its own each."""
    rows = here.variants[~here.variants["baseline"].astype(bool) & (here.variants["method"] != "pop_penalty")]
    pins = {here.a: 0, here.b: 1}
    place = [
        pins.get(v, 2 if m.endswith("auc_ns") else 3) for v, m in zip(rows["variant"], rows["method"], strict=True)
    ]
    rows = rows.assign(place=place).sort_values("place", kind="stable")
    twice = rows["label"].duplicated(keep=False)
    return rows.assign(name=rows["label"].where(~twice, rows["label"] + " " + rows["variant"].str[: view.SHORT]))


def turn_back() -> None:
    """Let every knob stand where the run's own settings are, from the next run of the page on: for callbacks."""
    st.session_state[FOLLOW] = True


def follow(own: Knobs) -> None:
    """Do so, before the widgets are drawn."""
    if st.session_state.pop(FOLLOW, False):
        st.session_state[BETA] = f"{own.beta:g}"
        for key, _ in TEXTS.values():
            st.session_state[key] = ""


def choose_run(here: view.View, rows: pd.DataFrame) -> tuple[pd.Series, str]:
    """The widgets that choose a trained run: the setting's row, and the run."""
    names = list(rows["name"])
    asked = st.session_state.get(MODEL) or st.query_params.get(MODEL)
    offered = names[:OFFERED] + [name for name in names[OFFERED:] if name == asked]
    name = st.selectbox(
        "Trained setting", offered, key=MODEL, bind="query-params", width=300, on_change=turn_back,
        help="The model that samplers draw from, as it was at the end of training. "
        + (f"The first {OFFERED} of {len(names):,}: pin another one to find it here." if len(names) > OFFERED else ""),
    )  # fmt: skip
    row = rows[rows["name"] == name].iloc[0] if name in offered else rows.iloc[0]
    runs = server.ask(queries.runs, here.dataset)
    runs = runs[(runs["variant"] == row["variant"]) & runs["bootstrap"].isna()].sort_values("seed")
    seeds = [int(seed) for seed in runs["seed"]]
    seed = st.selectbox("Seed", seeds, key=SEED, bind="query-params", width=80)
    run = runs[runs["seed"] == (seed if seed in seeds else seeds[0])].iloc[0]
    return row, str(run["run"])


def choose_beta(own: Knobs) -> str:
    """The slider of beta; its steps hold the run's own value, and what the URL or a click asks for, as written."""
    asked = str(st.session_state.get(BETA) or st.query_params.get(BETA) or "").strip()
    steps = {step: f"{step:g}" for step in (*(float(step) for step in STEPS), own.beta)}
    wanted, reasons = read_knobs({"beta": asked}, own)
    if asked and not reasons:
        steps[wanted.beta] = asked
    return str(
        st.select_slider(
            "β, the sampling prior strength",
            [steps[step] for step in sorted(steps)],
            value=steps[own.beta],
            key=BETA,
            bind="query-params",
            help="0 is DNS. A click on the curves below chooses a value too.",
        )
    )


def choose_knobs(own: Knobs, negatives: int) -> Knobs:
    """The widgets of AUC-NS's settings. What cannot be used is told, and the run's own value stands in.

    negatives: how many items the user with most of them has not taken.
    """
    follow(own)
    beta, *rest = st.columns([5, 1, 1, 1, 1], vertical_alignment="bottom")
    asked = {}
    with beta:
        asked["beta"] = choose_beta(own)
    helps = {
        "alpha": "The encoder's macro-AUC, above 0.5 and below 1: how much a high score speaks for a positive.",
        "gamma": "The false-positive-rate range of the partial AUC, above 0 to 1: the weight of the second term.",
        "candidates": "Candidates a pair, of which the rule takes one.",
        "references": "Positives and negatives that the means of the gain are over.",
    }
    for place, (name, (key, symbol)) in zip(rest, TEXTS.items(), strict=True):
        # no number input: an infinite number in the URL would break it before a page could judge it
        asked[name] = place.text_input(
            symbol, key=key, bind="query-params", placeholder=f"{getattr(own, name):g}", max_chars=20,
            help=f"{helps[name]} Empty: {getattr(own, name):g}.",
        )  # fmt: skip
    knobs, reasons = read_knobs(asked, own, negatives)
    if reasons:
        st.warning("  \n".join(words.plain(reason) for reason in reasons), icon=":material/rule:")
    return knobs


def about(row: pd.Series, knobs: Knobs, own: Knobs) -> None:
    """What the knobs stand at, and the way back."""
    sampled = str(row["method"]).endswith("auc_ns")
    what = "what this run was trained with" if sampled else "AUC-NS's defaults (this run used another sampler)"
    if knobs == own:
        st.caption(
            f"All knobs are at {what}. Turning them trains nothing: it shows what AUC-NS would draw from this model."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Turned away from {what}. The model stays as it was trained.", width="content")
        st.button(
            "Back", icon=":material/undo:", type="tertiary", on_click=turn_back, key="turn_back", help=f"To {what}."
        )


def clicked(key: str) -> None:
    """A click on a path chooses its beta: the charts' callback."""
    beta = view.clicked(st.session_state.get(key), charts.PICK, "beta")
    if beta is not None:
        st.session_state[BETA] = f"{beta:g}"


def draw_again() -> None:
    """Another draw of the pair: for the button's callback."""
    st.session_state[DRAW] = str((number_of_draw() + 1) % DRAWS)


def number_of_draw() -> int:
    """Which draw of the pair is shown; 0 for what is no number."""
    # the address has it before the widget does: it is drawn below what it decides
    text = str(st.session_state.get(DRAW) or st.query_params.get(DRAW) or "").strip()
    return int(text) % DRAWS if text.isascii() and text.isdigit() else 0


# --- the cards ----------------------------------------------------------------------------------------------------

LOOP = (
    "AUC-NS at β 0 is DNS, since every posterior is then 1, and so it is at a large β: every prior is then 0, and the "
    "second term of the gain takes the highest score too. Dashed: β 0. A click chooses a β."
)
PRIOR = (
    r"Step 1, the prior of a true negative: $P_l = \pi_l^{\,\beta}$, with $\pi_l$ the item's share of the train "
    "interactions. β bends it: near 0 all items are alike; the larger it is, the less prior unpopular items keep "
    "beside popular ones, until nobody keeps any."
)
POSTERIOR = (
    r"Steps 2 and 3: $w = f^- P\,/\,(f^- P + f^+ (1-P))$ with $f^- = 2[(1-F)\,\alpha + F(1-\alpha)]$ and "
    r"$f^+ = 2[(1-F)(1-\alpha) + F\alpha]$. α is how much a high score speaks for a positive: near 0.5 the lines are "
    "level, near 1 they fall steeply. Circles: the candidates of the pair below; the filled one is taken."
)
GAIN = (
    r"Step 4: gain $= w\,|I^+|\,\mathrm{rise} - (1-w)\,\gamma\,|I^-|\,\mathrm{fall}$, with rise the mean of "
    r"$1-\sigma(x_p-x_l)$ over N positives $p$ and fall that of $1-\sigma(x_l-x_n)$ over N negatives $n$, drawn once "
    "for the pair. The first term rewards hard candidates that surely are negatives; the second, weighted by γ, "
    "punishes those that may be positives. Step 5: of M candidates the one with the largest gain is taken."
)
DRAWN = (
    "A sampler that draws popular items more often than they stand in the catalogue pushes them down when it trains. "
    "RNS, PNS and FairStatic do not ask the model. DNS, BNS and AUC-NS take one of M candidates; strengths other than "
    "β are the defaults."
)


def told(title: str, said: str) -> None:
    """A card's heading, and its takeaway."""
    st.header(title)
    st.markdown(words.plain(said))


def turning(here: view.View, run: str, knobs: Knobs) -> None:
    """Where beta turns on this data set and this model."""
    path: explain.Path = ask(explain.beta_path, run, knobs)
    points = path.points
    turn = find_turn(*(points[column].to_numpy() for column in ("beta", "popularity", "agreement")))
    said = charts.path_takeaway(points, turn, knobs.beta)
    with st.container(border=True):
        told("Where β turns", said)
        pair = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
        for key, chart in (("by_popularity", charts.path_popularity), ("by_agreement", charts.path_agreement)):
            with pair.cell():
                drawing.chart(
                    chart(points, turn, knobs.beta), key, said, points, note=drawing.data_set(),
                    on_select=partial(clicked, key), selection_mode=[charts.PICK],
                )  # fmt: skip
        st.caption(
            f"The same {path.pairs:,} pairs with the same candidates, positives and negatives for every β, drawn from "
            f"this model of {words.plain(here.title)}; another model turns elsewhere. {LOOP}{first_step(path)}"
        )
        with st.expander("The numbers", icon=":material/table:"):
            numbers(here, points)


def first_step(path: explain.Path) -> str:
    """Why the path leaves its beginning with a step, where it does."""
    left = path.points[path.points["beta"] > 0]["agreement"].iloc[0]
    if not path.never or left > NO_STEP:
        return ""
    who = words.count(path.never, "item")
    return (
        f" It leaves β 0 with a step, of {words.percent(1 - left)} of the choices: {who} that nobody took in train "
        "lose all prior at any β above 0."
    )


def numbers(here: view.View, points: pd.DataFrame) -> None:
    """The path as a table."""
    shown = points.set_axis(["β", "Taken by", "Hot", "Agrees with DNS"], axis=1)
    config = st.column_config
    tables.table(
        shown,
        "The path over β",
        {
            "β": config.NumberColumn(format=tables.NUMBER),
            "Taken by": config.NumberColumn(format="percent", help="Share of users who took the mean negative."),
            "Hot": config.NumberColumn(format="percent", help="Share of hot items among the negatives."),
            "Agrees with DNS": config.NumberColumn(format="percent"),
        },
        key="path",
        height=260,
    )
    tables.download(points, f"beta-path-{here.facts['name']}", "path_csv")


def pieces(run: str, knobs: Knobs, found: explain.Choice | None) -> None:
    """The prior and the posterior, side by side."""
    pair = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with pair.container(border=True, height="stretch"):
        curves = ask(explain.priors, run, None, knobs.beta)
        said = charts.prior_takeaway(curves, knobs.beta)
        told("Prior against popularity", said)
        drawing.chart(charts.prior(curves, knobs.beta), "prior", said, curves, note=drawing.data_set())
        st.caption(PRIOR)
    with pair.container(border=True, height="stretch"):
        curves = ask(explain.posteriors, run, knobs)
        said = charts.posterior_takeaway(curves)
        told("Posterior against F", said)
        drawing.chart(
            charts.posterior(curves, found.items if found else None), "posterior", said, curves, note=drawing.data_set()
        )
        st.caption(POSTERIOR)


def choice_of(run: str, knobs: Knobs, user: str) -> explain.Choice | None:
    """One pair's choice; None for a user who has no pair, which is said: the other cards need nobody."""
    try:
        found: explain.Choice = ask(explain.choice, run, knobs, user, number_of_draw())
    except Refused as why:
        st.info(words.plain(str(why)), icon=":material/person_off:")
        return None
    return found


def one_pair(found: explain.Choice, user: str) -> None:
    """One pair's choice."""
    said = charts.gains_takeaway(found.items, found.of)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header(f"The gain of every candidate of user {words.plain(user)}", width="stretch")
            st.text_input(
                "Draw", key=DRAW, bind="query-params", placeholder="draw 0", max_chars=6, width=90,
                label_visibility="collapsed",
            )  # fmt: skip
            st.button(
                "Draw again",
                icon=":material/casino:",
                on_click=draw_again,
                key="draw_again",
                help="Other candidates and references.",
            )
        st.markdown(words.plain(said))
        drawing.chart(charts.gains(found.items), "gains", said, found.items, note=drawing.data_set())
        st.caption(
            f"{GAIN} Showing {len(found.items):,} of the {found.of:,} candidates, which are the items that this user "
            "has not taken."
        )


def drawn(run: str, knobs: Knobs) -> None:
    """What every sampler draws from this model."""
    found: explain.Profiles = ask(explain.profiles, run, knobs)
    said = charts.profiles_takeaway(found.shares, found.facts)
    with st.container(border=True):
        told("What each sampler draws from this model", said)
        drawing.chart(
            charts.profiles(found.shares, found.facts), "profiles", said, found.shares, note=drawing.data_set()
        )
        st.caption(f"A negative for each of the same {found.pairs:,} pairs, drawn by the samplers' own code. {DRAWN}")


def truth(run: str, knobs: Knobs) -> None:
    """On simulated data: which negatives are false, and what the posterior is worth."""
    pair = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with pair.container(border=True, height="stretch"):
        rows = ask(explain.false_negatives, run, knobs)
        said = charts.false_negatives_takeaway(rows)
        told("False negatives, by the truth", said)
        drawing.chart(charts.false_negatives(rows), "false_negatives", said, rows, note=drawing.data_set())
        st.caption(
            "Known because the data are simulated: the user likes the item, which is held out or was never shown."
        )
    with pair.container(border=True, height="stretch"):
        rows = ask(explain.posterior_check, run, knobs)
        said = charts.posterior_check_takeaway(rows)
        told("Posterior against the truth", said)
        drawing.chart(charts.posterior_check(rows), "posterior_check", said, rows, note=drawing.data_set())
        st.caption("All candidates of 100 users in ten bins of equal size. On the dashed line the posterior is right.")


def empty(here: view.View) -> None:
    """What to do while there is no trained run."""
    if here.dataset is None:
        view.no_dataset()
        return
    st.info(
        f"Explaining the sampler needs a trained run, and nothing with embeddings is finished on "
        f"{words.plain(here.title)} under protocol *{here.protocol}* yet. Train AUC-NS with its defaults on **Sweep**.",
        icon=":material/tune:",
    )
    st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/arrow_forward:")


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Sampler")
    st.caption(f"{SAMPLERS['auc_ns'].label}: {SAMPLERS['auc_ns'].line} Here it is taken apart on a trained model.")
    rows = trained(here) if here.dataset else here.variants
    if rows.empty:
        empty(here)
        return
    view.notice(here)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        row, run = choose_run(here, rows)
    with boundary.calm("the sampler"):  # whatever is wrong with one run, another can be chosen above
        subject = _subject(str(server.settings().cache), run)
        own = own_knobs(subject.variant)
        knobs = choose_knobs(own, subject.most_negatives())
        about(row, knobs, own)
        turning(here, run, knobs)
        above = st.container()
        user = people.choose(str(here.dataset), lambda: people.by_id(str(here.dataset)))
        found = choice_of(run, knobs, user) if user else None
        with above:
            pieces(run, knobs, found)
        if user and found:
            one_pair(found, user)
        drawn(run, knobs)
        if subject.truth:
            truth(run, knobs)


frame.enter()
page()
