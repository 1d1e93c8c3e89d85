"""Other libraries' metrics beside ours, on the same lists. Theirs run in an environment of their own.

Here: what is measured (data.py), the files it is handed over in (folder.py), one module a library (`with_*.py`), where
definitions differ (differences.py), the environment (environment.py), and the table (table.py).
folder.py and `with_*.py` are run by the other environment's Python: they import nothing of core.
"""
