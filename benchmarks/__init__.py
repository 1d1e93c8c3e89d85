"""Measurements that tests leave out: speed beside other libraries, and the search behind the default settings."""
