"""Other libraries' LightGCN. Their pins are not ours: each trains in an environment of its own, asked through a pipe.

Here: one module a library (`recbole_lightgcn.py`, `lenskit_lightgcn.py`), what both run (serve.py), and what our side
does (process.py). Nothing but process.py may import what only our environment has.
"""
