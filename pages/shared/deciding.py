"""The card that decides: what the sidebar's rule recommends, the sentence to copy, and the button that saves it.

Chosen on validation. The test figures are shown once the setting is saved as a decision, and not before.
Here: the card, saved decisions as a list. Not here: the rule's widgets (frame.py), how it judges (core/decisions), its
words (core/charts/decision.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from core.charts import decision as told
from core.charts.text import metric_name
from core.decisions import store
from core.decisions.judge import Judged
from core.decisions.rule import Rule
from core.errors import DamagedArtifact
from core.warehouse import decide
from pages.shared import boundary, server, view, words

NOTE, UNDO = "decision_note", "deleted_decision"


def judged(here: view.View) -> Judged | None:
    """What the rule makes of the settings; None without a rule, or where there is nothing to choose on."""
    if here.rule is None or here.dataset is None or here.variants.empty or here.protocol != decide.PROTOCOL:
        return None
    try:
        found = server.ask(decide.judged, here.dataset, here.rule, here.baseline)
    except DamagedArtifact:  # said by what needs the same values to draw the chart
        return None
    return found if len(found.rows) else None


def card(here: view.View, found: Judged | None) -> None:
    """The recommendation, or why there is none."""
    if here.protocol != decide.PROTOCOL:
        st.caption(
            f"No rule under protocol *{here.protocol}*: it leaves nothing to choose on but the test split. Decide "
            "under protocol *validation*."
        )
        return
    if found is None or here.rule is None:
        _premature(here)
        return
    with st.container(border=True), boundary.calm("the decision"):
        _card(here, here.rule, found)


def _card(here: view.View, rule: Rule, found: Judged) -> None:
    chosen = found.recommended
    figures = _figures(here, rule, chosen) if chosen else []
    advice = told.advice(found, rule)
    baseline = here.label(found.baseline) if found.baseline else "the baseline"
    kept = store.found(server.settings(), str(here.dataset), rule, chosen, found.baseline) if chosen else None
    if kept is None:
        _premature(here)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{words.plain(advice.lead)}** :gray-badge[chosen on validation]", width="stretch")
        if chosen:
            _buttons(here, rule, found, chosen, kept is not None)
    st.markdown(f"The rule: {words.plain(told.rule_text(rule, baseline))}. {words.plain(advice.rest)}")
    if not chosen:
        return
    if kept is None:
        st.caption(
            "Its test figures are shown once it is saved as a decision: looking first, and deciding then, would make "
            "them too good."
        )
        st.code(_told(here, rule, chosen, figures, "validation"), language=None, wrap_lines=True)
        return
    st.markdown(f":green-badge[:material/check: decided {_day(kept)}] {words.plain(kept.note)}")
    now = _told(here, rule, chosen, figures, "validation")
    for sentence in (
        *told.then_and_now(kept, "validation", here.title, now),
        *told.then_and_now(kept, "test", here.title, None),
    ):
        st.code(sentence, language=None, wrap_lines=True)


def _premature(here: view.View) -> None:
    """A warning where test figures are shown before a decision."""
    if here.split == "test":
        st.markdown(f":orange-badge[test split] :small[{told.PREMATURE}.]")


def _told(here: view.View, rule: Rule, chosen: str, figures: list[dict[str, Any]], split: str) -> str:
    """What to copy into a report."""
    baseline = here.label(here.baseline) if here.baseline else "the baseline"
    return told.sentence(here.label(chosen), baseline, rule, figures, split, here.title)


def _buttons(here: view.View, rule: Rule, found: Judged, chosen: str, is_saved: bool) -> None:
    pinned = chosen in {here.a, here.b}
    st.button(
        "Pinned" if pinned else "Pin it", icon=":material/keep:", key="pin_recommended", on_click=view.pin,
        args=(chosen,), disabled=pinned, help="Pin it, and see on Compare and Users what it changes",
    )  # fmt: skip
    if not is_saved:
        with st.popover("Save as decision", icon=":material/gavel:", type="primary"):
            st.text_area("Why (if you like)", key=NOTE, max_chars=store.LONGEST_NOTE, height=80)
            st.button(
                "Save, and show the test figures", key="save_decision", type="primary", on_click=_save,
                args=(here, rule, chosen, found.baseline),
            )  # fmt: skip


def _save(here: view.View, rule: Rule, chosen: str, baseline: str | None) -> None:
    with boundary.attempt("the decision"):
        labels = dict(zip(here.variants["variant"], here.variants["label"], strict=True))
        note = st.session_state.get(NOTE) or ""
        one = decide.decision(server.warehouse(), str(here.dataset), rule, labels, chosen, baseline, note)
        store.save(server.settings(), one)
        st.session_state[NOTE] = ""
        boundary.say("Decided. It is kept on the Overview, with its figures of today.")


def _figures(here: view.View, rule: Rule, variant: str) -> list[dict[str, Any]]:
    return decide.plain(server.ask(decide.figures, here.dataset, rule, here.baseline, variant, decide.CHOSEN_ON))


def _day(one: store.Decision) -> str:
    return f"{datetime.fromtimestamp(one.saved).astimezone():%-d %B %Y}"


# --- saved ones


def last(here: view.View, titles: dict[str, str], shown: int = 5) -> None:
    """The last decisions of all data sets, each with its test figures and a button that forgets it."""
    found = store.decisions(server.settings(), limit=shown + 1)
    if not found:
        st.caption("None yet. **Trade-off** recommends a setting by the sidebar's rule, and saves it.")
    for one in found[:shown]:
        with st.container(border=True, gap="xsmall"):
            _one(here, one, titles.get(one.dataset, "a data set that was removed"))
    if len(found) > shown:
        st.caption("Older ones: `python -m core decisions`.")
    if (gone := st.session_state.get(UNDO)) is not None:
        st.button("Undo: keep it again", icon=":material/undo:", key="undo_decision", on_click=_restore, args=(gone,))


def _one(here: view.View, one: store.Decision, title: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{words.plain(one.label)}** on {words.plain(title)}", width="stretch")
        st.button(
            "", icon=":material/close:", key=f"forget_{one.id}", type="tertiary", help="Forget this decision",
            on_click=_forget, args=(one.id,),
        )  # fmt: skip
    split = "test" if one.of("test") else "validation"
    figures = {row["metric"]: row for row in one.of(split)}
    numbers = [
        f"{metric_name(key)} {words.number(row['value'])}"
        + (f" (baseline {words.number(row['baseline_value'])})" if row["baseline_value"] is not None else "")
        for key, row in figures.items()
    ]
    st.markdown(f":small[{words.plain(', '.join(numbers))}, {split} split]")
    reason = f" {one.note}" if one.note else ""
    st.caption(f"{_day(one)}: {words.plain(told.rule_text(one.rule, one.baseline_label))}.{words.plain(reason)}")
    if one.dataset == here.dataset and one.variant in set(here.variants["variant"]) - {here.a, here.b}:
        st.button(
            "Pin it", icon=":material/keep:", key=f"pin_decision_{one.id}", type="tertiary", on_click=view.pin,
            args=(one.variant,),
        )  # fmt: skip


def _forget(number: int) -> None:
    with boundary.attempt("the decision"):
        st.session_state[UNDO] = store.delete(server.settings(), number)


def _restore(gone: store.Decision) -> None:
    with boundary.attempt("the decision"):
        store.restore(server.settings(), gone)
        st.session_state[UNDO] = None
