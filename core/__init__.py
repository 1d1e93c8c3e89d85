"""Longtail Lab's engine: data sets, models, evaluation, jobs and the results warehouse.

Nothing in this package knows of Streamlit; `python -m core` does everything the pages do.
"""

__version__ = "0.1.0"
