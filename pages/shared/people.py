"""The row of widgets that chooses a user: by id, by a title they took, the next one, or anybody.

Pages share what is found and who is chosen, so going from one to another keeps the user. Here: the widgets.
Not here: in which order a page offers users (the page), and what it shows of the one that is chosen.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import streamlit as st

from core.warehouse import finding_users, queries
from pages.shared import boundary, server, words

USER, FIND, FIRST = "user", "find", "first_user"
OFFERED = 100

Offer = Callable[[], tuple[list[str], str]]
"""The users to choose from, best first, and how they came about, in words."""


def go_to(user: str) -> None:
    """Show that user: for callbacks."""
    st.session_state[USER] = user


def anyone(dataset: str) -> None:
    """Show a user at random: for a callback. Nobody where the data set has gone meanwhile."""
    with boundary.attempt("the choice of a user"):
        if users := list(server.ask(queries.user_profiles, dataset)["user_id"]):
            go_to(random.choice(users))


def begin_again() -> None:
    """Show the first of the users who are found next: for callbacks of what finds and orders them."""
    st.session_state[USER] = None
    st.session_state[FIRST] = True


def by_id(dataset: str) -> tuple[list[str], str]:
    """The first users by id: an `Offer` for pages that have no better order."""
    found = server.ask(finding_users.find_users, dataset, "", OFFERED)
    return list(found["user_id"]), f"the first {words.count(len(found), 'user')} by id"


def choose(dataset: str, offer: Offer, order: Callable[[], None] | None = None, split: str = "test") -> str | None:
    """The row, and who is chosen; None where nobody is found, which is said.

    offer: asked while nothing is searched for; order: draws a widget beside the search.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Find by id or title", key=FIND, bind="query-params", placeholder="405, or fargo", max_chars=80, width=190,
            on_change=begin_again,
        )  # fmt: skip
        if order:
            order()
        offered, told = _found(dataset) or offer()
        first = st.session_state.pop(FIRST, False)
        asked = None if first else st.session_state.get(USER) or st.query_params.get(USER)
        if asked and asked not in offered and len(server.ask(queries.user, dataset, str(asked), split)):
            offered = [str(asked), *offered]
        if not offered:
            st.caption("Nobody matches. Try a part of an id, or a word of a title.")
            return None
        if asked not in offered:
            st.session_state[USER] = offered[0]
        # no default: whoever was chosen by Random or Next would be it, left out of the URL, and lost in a fresh browser
        user = st.selectbox("User", offered, index=None, key=USER, bind="query-params", width=130) or offered[0]
        later = offered[(offered.index(user) + 1) % len(offered)]
        st.button(
            "Next", icon=":material/arrow_forward:", on_click=go_to, args=(later,), help="The next in this order."
        )
        st.button("Random", icon=":material/casino:", on_click=anyone, args=(dataset,))
    st.caption(f"{told[0].upper()}{told[1:]}.")
    return user


def _found(dataset: str) -> tuple[list[str], str] | None:
    """Who matches the search, and how that came about; None where nothing is searched for."""
    text = str(st.session_state.get(FIND, "") or "").strip()
    if not text:
        return None
    found = server.ask(finding_users.find_users, dataset, text, OFFERED)
    exact = found["user_id"] == text
    told = (
        f"{words.count(len(found), 'user')} found by id or by a title they took"
        if len(found) < OFFERED
        else f"the first {OFFERED} users found by id or by a title they took"
    )
    return list(found.loc[exact, "user_id"]) + list(found.loc[~exact, "user_id"]), told
