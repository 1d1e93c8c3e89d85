"""The router: page configuration, navigation, the shared frame, and the boundary around everything.

`streamlit run app.py`. What the pages share is in pages/shared/; each page is one file in pages/.
No `url_path` is set on any page: on a fresh server a deep link is found by its file's name.
"""

from contextlib import AbstractContextManager, nullcontext

import streamlit as st

from pages.shared import menu

st.set_page_config("Longtail Lab", ":material/ssid_chart:", layout="wide")
st.logo(".streamlit/logo.svg", size="large")
page = st.navigation(menu.pages())


def patience(text: str) -> AbstractContextManager[object]:
    """A spinner at a session's first run; later ones have nothing to wait for."""
    return nullcontext() if "view" in st.session_state else st.spinner(text)


with patience("Starting"):  # a fresh server's first visitor waits for pandas, DuckDB and Altair
    from pages.shared import boundary, frame, tour

with boundary.calm("the page"):
    with patience("Opening the results and seeing to the first work"):
        frame.draw()
    boundary.report()
    tour.saw(page.url_path)
    page.run()
