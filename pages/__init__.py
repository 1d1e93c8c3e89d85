"""The pages, one file each: widgets in, charts out.

Here: what is drawn, in which order, and the words around it. `shared/` holds what several pages draw or ask.
Not here: maths, SQL, training (core/). Streamlit takes every file directly in this folder for a page, so helpers
live in `shared/`.
"""
