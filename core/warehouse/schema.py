"""The tables of the DuckDB index: types, checks and keys.

Here: what is stored, and the version of that. Not here: how rows get in (ingestion.py) and out (queries.py).
Keys stand on the small tables only. A primary key over 5 million interactions took their insert from 0.2 to 2.5 s and
the file from 10 to 154 MB; that pairs occur once is checked when a data set is prepared.
There are no migrations: the index is rebuilt from the files whenever `SCHEMA_VERSION` differs.
"""

from __future__ import annotations

from core.ids import content_id

INGESTION_VERSION = 1
"""Raise it when ingestion computes something else from the same files."""

TABLES = (
    "CREATE TYPE split_name AS ENUM ('train', 'validation', 'test')",
    "CREATE TYPE counted_on AS ENUM ('train', 'train+validation')",
    "CREATE TYPE user_group AS ENUM ('niche', 'diverse', 'blockbuster')",
    "CREATE TYPE protocol_name AS ENUM ('validation', 'refit', 'paper')",
    "CREATE TYPE reading_name AS ENUM ('epoch', 'per-metric')",
    # which folder each row came from; the stamp tells a folder from another one of the same name
    """CREATE TABLE sources (
        kind VARCHAR NOT NULL CHECK (kind IN ('dataset', 'run', 'lists')),
        name VARCHAR NOT NULL,
        stamp VARCHAR NOT NULL,
        PRIMARY KEY (kind, name))""",
    """CREATE TABLE datasets (
        dataset VARCHAR PRIMARY KEY,
        name VARCHAR NOT NULL,
        title VARCHAR NOT NULL,
        simulated BOOLEAN NOT NULL,
        imported BOOLEAN NOT NULL,
        users INTEGER NOT NULL CHECK (users > 0),
        items INTEGER NOT NULL CHECK (items > 0),
        interactions BIGINT NOT NULL CHECK (interactions = train + validation + test),
        train BIGINT NOT NULL CHECK (train >= 0),
        validation BIGINT NOT NULL CHECK (validation >= 0),
        test BIGINT NOT NULL CHECK (test >= 0),
        gini DOUBLE NOT NULL CHECK (gini BETWEEN 0 AND 1),
        source VARCHAR NOT NULL,
        licence VARCHAR NOT NULL,
        citation VARCHAR NOT NULL,
        prepared_how VARCHAR NOT NULL,
        notes VARCHAR[] NOT NULL,
        created DOUBLE NOT NULL)""",
    """CREATE TABLE users (
        dataset VARCHAR NOT NULL,
        "user" INTEGER NOT NULL CHECK ("user" >= 0),
        user_id VARCHAR NOT NULL)""",
    """CREATE TABLE items (
        dataset VARCHAR NOT NULL,
        item INTEGER NOT NULL CHECK (item >= 0),
        item_id VARCHAR NOT NULL,
        title VARCHAR,
        year INTEGER,
        genres VARCHAR)""",
    """CREATE TABLE interactions (
        dataset VARCHAR NOT NULL,
        "user" INTEGER NOT NULL CHECK ("user" >= 0),
        item INTEGER NOT NULL CHECK (item >= 0),
        split split_name NOT NULL,
        rating DOUBLE,
        timestamp BIGINT)""",
    # share: of all users, who took the item; rank: 1 is the most popular; decile: 10 is the most popular
    """CREATE TABLE item_popularity (
        dataset VARCHAR NOT NULL,
        counted_on counted_on NOT NULL,
        item INTEGER NOT NULL CHECK (item >= 0),
        count INTEGER NOT NULL CHECK (count >= 0),
        share DOUBLE NOT NULL CHECK (share BETWEEN 0 AND 1),
        rank INTEGER NOT NULL CHECK (rank >= 1),
        decile TINYINT NOT NULL CHECK (decile BETWEEN 1 AND 10),
        hot BOOLEAN NOT NULL)""",
    # over the user's train items; null where there are none
    """CREATE TABLE user_profiles (
        dataset VARCHAR NOT NULL,
        "user" INTEGER NOT NULL CHECK ("user" >= 0),
        length INTEGER NOT NULL CHECK (length >= 0),
        mean_popularity DOUBLE CHECK (mean_popularity BETWEEN 0 AND 1),
        hot_share DOUBLE CHECK (hot_share BETWEEN 0 AND 1),
        user_group user_group NOT NULL,
        CHECK (length = 0 OR (mean_popularity IS NOT NULL AND hot_share IS NOT NULL)))""",
    # off_variant: what the method equals at its off end, if its strength has one
    """CREATE TABLE variants (
        variant VARCHAR PRIMARY KEY,
        dataset VARCHAR NOT NULL,
        protocol protocol_name NOT NULL,
        label VARCHAR NOT NULL,
        method VARCHAR NOT NULL,
        method_label VARCHAR NOT NULL,
        baseline BOOLEAN NOT NULL,
        path VARCHAR NOT NULL,
        strength DOUBLE CHECK (isfinite(strength)),
        strength_symbol VARCHAR,
        off_strength DOUBLE,
        off_variant VARCHAR,
        fields VARCHAR NOT NULL CHECK (json_valid(fields)),
        CHECK ((strength IS NULL) = (strength_symbol IS NULL)),
        CHECK ((off_variant IS NULL) = (off_strength IS NULL)))""",
    # folder: below the cache, where that is not runs/<run>: of added lists
    """CREATE TABLE runs (
        run VARCHAR PRIMARY KEY,
        variant VARCHAR NOT NULL,
        seed BIGINT NOT NULL CHECK (seed >= 0),
        bootstrap BIGINT CHECK (bootstrap >= 0),
        epoch INTEGER NOT NULL CHECK (epoch >= 0),
        epochs_run INTEGER NOT NULL CHECK (epochs_run >= 0),
        seconds DOUBLE NOT NULL CHECK (seconds >= 0),
        engine VARCHAR NOT NULL,
        peak_memory_mb DOUBLE,
        created DOUBLE NOT NULL,
        folder VARCHAR)""",
    # a metric that is not defined for a run (NaN) has no row
    """CREATE TABLE metrics (
        run VARCHAR NOT NULL,
        split split_name NOT NULL,
        metric VARCHAR NOT NULL,
        reading reading_name NOT NULL,
        value DOUBLE NOT NULL CHECK (isfinite(value)),
        epoch INTEGER NOT NULL CHECK (epoch >= 0))""",
    """CREATE TABLE histories (
        run VARCHAR NOT NULL,
        epoch INTEGER NOT NULL CHECK (epoch >= 0),
        seconds DOUBLE,
        loss DOUBLE CHECK (isfinite(loss)),
        metric DOUBLE CHECK (isfinite(metric)))""",
)

SCHEMA_VERSION = content_id([*TABLES, INGESTION_VERSION])
"""Hash of the definitions: a change of a table cannot forget to raise it."""

CREATE = (
    "CREATE TABLE schema_version (version VARCHAR PRIMARY KEY)",
    *TABLES,
    f"INSERT INTO schema_version VALUES ('{SCHEMA_VERSION}')",  # noqa: S608 - a hash of our own words
)
