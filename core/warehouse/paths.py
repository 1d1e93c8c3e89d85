"""Along a path: the settings that one method makes over its debias strength, and what a user is shown at each.

Here: which paths go through a setting, the runs of a seed along one, and one user's lists from all of them at once.
Not here: one list with everything about it (queries.py), whom to look at (finding_users.py), the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd

from core.errors import DamagedArtifact
from core.warehouse.database import Warehouse
from core.warehouse.finding_users import judged_metric
from core.warehouse.queries import ITEM_FACTS, PER_USER, POPULARITY, TOP_K, Split, about_run, counted_on

PATHS = """
    WITH here AS (SELECT dataset, protocol, path FROM variants WHERE variant = $variant),
    trained AS (
        SELECT v.* FROM variants v JOIN here h USING (dataset, protocol)
        WHERE EXISTS (FROM runs r WHERE r.variant = v.variant AND r.bootstrap IS NULL)),
    points AS (
        SELECT path, method, method_label, strength_symbol AS symbol, variant, label, strength, false AS off
        FROM trained WHERE strength IS NOT NULL
        UNION ALL
        SELECT DISTINCT p.path, p.method, p.method_label, p.strength_symbol, off.variant, off.label, p.off_strength,
               true
        FROM trained p JOIN trained off ON off.variant = p.off_variant)
    SELECT p.*, r.runs, r.seeds, count(*) OVER (PARTITION BY p.path) AS points
    FROM points p
    JOIN (SELECT variant, list(run ORDER BY seed) AS runs, list(seed ORDER BY seed) AS seeds
          FROM runs WHERE bootstrap IS NULL GROUP BY variant) r USING (variant)
    WHERE p.path IN (SELECT path FROM points WHERE variant = $variant)
    ORDER BY p.path <> (SELECT path FROM here), points DESC, p.method, p.path, p.strength, p.variant"""

SEEDS = """
    SELECT v.variant, r.run, r.seed FROM runs r JOIN variants v USING (variant)
    WHERE v.variant IN (SELECT unnest($variants::VARCHAR[])) AND r.bootstrap IS NULL ORDER BY v.variant, r.seed"""

_FILES = "(SELECT unnest($paths::VARCHAR[]) AS filename, unnest($runs::VARCHAR[]) AS run)"

LISTS = f"""
    WITH listed AS (
        SELECT f.run, l.item, l.rank, l.score
        FROM read_parquet($paths, filename = true) l JOIN {_FILES} f USING (filename)
        WHERE l."user" = $user AND l.split = $split AND l.rank <= $k),
    taken AS (
        SELECT t.item FROM interactions t JOIN users u USING (dataset, "user")
        WHERE t.dataset = $dataset AND u.user_id = $user AND t.split = $split::split_name)
    SELECT l.run, l.rank, {ITEM_FACTS}, l.score, i.item IN (FROM taken) AS hit
    FROM listed l
    JOIN items i ON i.dataset = $dataset AND i.item_id = l.item
    JOIN {POPULARITY} p ON p.item = i.item
    ORDER BY list_position($runs::VARCHAR[], l.run), l.rank"""  # noqa: S608 - our own text

VALUES = f"""
    SELECT f.run, if(isfinite(v."{{metric}}"), v."{{metric}}"::DOUBLE, NULL) AS value
    FROM read_parquet($paths, filename = true, union_by_name = true) v JOIN {_FILES} f USING (filename)
    WHERE v."user" = $user AND v.split = $split
    ORDER BY list_position($runs::VARCHAR[], f.run)"""  # noqa: S608 - our own text


def paths_through(w: Warehouse, variant: str) -> pd.DataFrame:
    """The paths on which a finished setting lies, its own first: a row for each point, in order of strength.

    path, method, method_label, symbol (of the strength), variant, label, strength, off (is it the method's off end,
    where it equals a setting of another path?), runs, seeds (lists, by seed), points (of that path).
    Where the strength is all that differs, settings share a path; the off end (DNS for AUC-NS) belongs to many. No row
    for a setting without a strength that is no off end either.
    """
    return w.frame(PATHS, variant=variant)


def seeds_of(w: Warehouse, variants: Sequence[str]) -> pd.DataFrame:
    """The finished runs of some settings, replicates left out: variant, run, seed."""
    return w.frame(SEEDS, variants=list(variants))


def lists_along(w: Warehouse, runs: Sequence[str], user_id: str, split: Split = "test", k: int = 10) -> pd.DataFrame:
    """What each of these runs, of one data set and protocol, shows a user: one query over all their files.

    run, rank (from 1), item_id, title, year, genres, count, popularity (share of users), percentile (share of the items
    that fewer users took), decile, hot, score, hit (did the user take it in that split?); runs in the order given. No
    row for a user with nothing held out. Raises Unknown for a run, DamagedArtifact for its file.
    """
    about = about_run(w, runs[0])
    asked = {"k": k, "dataset": about["dataset"], "counted_on": counted_on(about["protocol"])}
    return _from_all(w, LISTS, runs, TOP_K, user=user_id, split=split, **asked)


def values_along(w: Warehouse, runs: Sequence[str], user_id: str, metric: str, split: Split = "test") -> pd.DataFrame:
    """A user's value of a metric under each of these runs: run, value (missing where it is not defined).

    No row for a user with nothing held out. Raises Refused for a metric without a value a user, DamagedArtifact.
    """
    return _from_all(w, VALUES.format(metric=judged_metric(metric)), runs, PER_USER, user=user_id, split=split)


def _from_all(w: Warehouse, sql: str, runs: Sequence[str], file: str, **values: Any) -> pd.DataFrame:
    """A query over one file of each of these runs, each read once."""
    runs = list(dict.fromkeys(runs))
    paths = [str(w.file_of(run, file)) for run in runs]
    try:
        return w.frame(sql, paths=paths, runs=runs, **values)
    except duckdb.Error as error:
        guilty = next((path for path in paths if path in str(error)), f"{file} of one of {len(paths)} runs")
        raise DamagedArtifact(guilty, str(error)) from error
