"""The router: page configuration, navigation, the shared frame, and the boundary around everything.

`streamlit run app.py`. What the pages share is in pages/shared/; each page is one file in pages/.
No `url_path` is set on any page: on a fresh server a deep link is found by its file's name.
"""

from contextlib import nullcontext

import streamlit as st

from pages.shared import boundary, frame, view

st.set_page_config("Longtail Lab", ":material/ssid_chart:", layout="wide")
st.logo(frame.LOGO, size="large")
page = st.navigation(frame.navigation())
with boundary.calm("the page"):
    with nullcontext() if view.published() else st.spinner("Opening the results and seeing to the first work"):
        frame.draw()
    boundary.report()
    page.run()
