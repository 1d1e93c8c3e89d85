"""Data sets: from a file, an upload or a known address to immutable prepared files.

catalogue    the known data sets: addresses, licences, how each is prepared by default
acquire      fetch a known data set and publish it; sources.py says where files come from
imports      preview and import the user's own files
readers/     one module per on-disk format, all giving one table
preparation  checks, filters and splits of that table; splits.py has the rules of splitting
held_out     a published split, kept as a bit for each interaction
simulated    a generated data set with known true preferences
prepared     a prepared data set in memory, and its id
store        the prepared folders: list, find, read, publish, remove
"""
