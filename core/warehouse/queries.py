"""What pages, charts and commands ask: each question a function, its SQL beside it, its answer a pandas frame.

Here: the questions and the columns of their answers. Not here: how rows got in (ingestion.py), how they are drawn
(core/charts). Values reach SQL as parameters. Frames are sorted, and never hold a number that was not stored.

Words that many of them share:
  split      "validation" or "test": where a metric was measured; a protocol says what chose the epoch (metrics.md)
  reading    "epoch": all metrics from the run's chosen epoch; "per-metric": each metric from its own best epoch, which
             only runs of protocol "paper" have
  popularity the share of users who took an item, counted on train; for a run's lists, on what it was trained on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import duckdb
import numpy as np
import pandas as pd

from core.datasets.store import TRAINED_ON
from core.errors import DamagedArtifact, Unknown
from core.evaluation.metrics import EXPOSURE_NAMES, metric_key, parse_key
from core.ids import by_prefix
from core.jobs import recommending
from core.warehouse.database import Warehouse

Split = Literal["validation", "test"]
Reading = Literal["epoch", "per-metric"]

# ---------------------------------------------------------------- data sets

DATASETS = """
    SELECT dataset, name, title, simulated, imported, users, items, interactions, train, validation, test,
           interactions / (users::DOUBLE * items) AS density, gini, source, licence, citation, prepared_how, notes
    FROM datasets ORDER BY created, dataset"""

ITEM_POPULARITY = """
    SELECT i.item, i.item_id, i.title, i.year, i.genres, p.count, p.share, p.rank, p.decile, p.hot
    FROM item_popularity p JOIN items i USING (dataset, item)
    WHERE p.dataset = $dataset AND p.counted_on = $counted_on ORDER BY p.rank"""

DECILE_SHARES = """
    WITH taken AS (
        SELECT item, count(*) FILTER (split IN (SELECT unnest($trained_on::split_name[]))) AS trained,
               count(*) FILTER (split = 'test') AS test
        FROM interactions WHERE dataset = $dataset GROUP BY item)
    SELECT p.decile, count(*) AS items,
           coalesce(sum(t.trained) / nullif(sum(sum(t.trained)) OVER (), 0), 0) AS train_share,
           coalesce(sum(t.test) / nullif(sum(sum(t.test)) OVER (), 0), 0) AS test_share,
           count(*) / sum(count(*)) OVER () AS catalogue_share
    FROM item_popularity p LEFT JOIN taken t USING (item)
    WHERE p.dataset = $dataset AND p.counted_on = $counted_on GROUP BY p.decile ORDER BY p.decile"""

POPULARITY_COUNTS = """
    SELECT count FROM item_popularity WHERE dataset = $dataset AND counted_on = 'train' ORDER BY count"""

USER_PROFILES = """
    SELECT u.user_id, p.length, p.mean_popularity, p.hot_share, p.user_group::VARCHAR AS user_group
    FROM user_profiles p JOIN users u USING (dataset, "user")
    WHERE p.dataset = $dataset ORDER BY p."user" """

RATINGS = """
    SELECT count(rating) > 0 AS ratings, count(timestamp) > 0 AS times FROM interactions WHERE dataset = $dataset"""


def datasets(w: Warehouse) -> pd.DataFrame:
    """All prepared data sets, oldest first.

    dataset (id), name, title, simulated, imported, users, items, interactions, train, validation, test, density
    (share of all pairs), gini (of train popularity), source, licence, citation, prepared_how, notes (a list).
    """
    return w.frame(DATASETS)


def item_popularity(w: Warehouse, dataset: str, protocol: str = "validation") -> pd.DataFrame:
    """Each item of the catalogue, most popular first, counted on what that protocol trains on.

    item (number), item_id, title, year, genres (may be null), count, share (of all users), rank (from 1),
    decile (10 is the most popular), hot.
    """
    return w.frame(ITEM_POPULARITY, dataset=dataset, counted_on=counted_on(protocol))


def decile_shares(w: Warehouse, dataset: str, protocol: str = "validation") -> pd.DataFrame:
    """What each popularity decile has: decile, items, train_share (of the interactions trained on), test_share,
    catalogue_share (of the items)."""
    return w.frame(
        DECILE_SHARES,
        dataset=dataset,
        counted_on=counted_on(protocol),
        trained_on=list(TRAINED_ON[protocol]),
    )


def lorenz(w: Warehouse, dataset: str, points: int = 200) -> pd.DataFrame:
    """The Lorenz curve of train popularity, from (0, 0) to (1, 1): item_share, least popular first; interaction_share.

    At most `points` rows, evenly spread over the items, both ends kept.
    """
    return lorenz_curve(w.frame(POPULARITY_COUNTS, dataset=dataset)["count"].to_numpy(), points)


def lorenz_curve(counts: np.ndarray[Any, Any], points: int = 200) -> pd.DataFrame:
    """The Lorenz curve of any counts: item_share, interaction_share. No interactions: the diagonal."""
    total = np.concatenate([[0], np.cumsum(np.sort(counts))])
    at = np.unique(np.linspace(0, len(counts), min(points, len(counts) + 1)).round().astype(np.int64))
    share = at / max(len(counts), 1)
    return pd.DataFrame({"item_share": share, "interaction_share": total[at] / total[-1] if total[-1] else share})


def user_profiles(w: Warehouse, dataset: str) -> pd.DataFrame:
    """Each user's profile in train: user_id, length, mean_popularity (of its items, as shares of users), hot_share,
    user_group ("niche", "diverse", "blockbuster")."""
    return w.frame(USER_PROFILES, dataset=dataset)


def profile_histograms(w: Warehouse, dataset: str, bins: int = 30) -> pd.DataFrame:
    """How users differ: measure ("length", "mean_popularity"), low, high, users. Lengths in bins of equal ratio.

    A bin holds low <= value < high, the last one its upper end too.
    """
    profiles = user_profiles(w, dataset)
    lengths = profiles["length"].to_numpy()
    longest = max(int(lengths.max(initial=1)), 2)
    edges = np.unique(np.geomspace(1, longest + 1, bins + 1).round().astype(np.int64))
    popularity = profiles["mean_popularity"].dropna().to_numpy()
    return pd.concat([_histogram("length", lengths, edges), _histogram("mean_popularity", popularity, bins)])


def _histogram(measure: str, values: np.ndarray[Any, Any], bins: Any) -> pd.DataFrame:
    users, edges = np.histogram(values, bins)
    return pd.DataFrame({"measure": measure, "low": edges[:-1], "high": edges[1:], "users": users})


def has_ratings_and_times(w: Warehouse, dataset: str) -> tuple[bool, bool]:
    """Does any interaction carry a rating, and any a time?"""
    row = w.frame(RATINGS, dataset=dataset).iloc[0]
    return bool(row["ratings"]), bool(row["times"])


# ---------------------------------------------------------------- runs and variants

PRESENT = """
    (v.method <> 'lists' OR v.protocol = 'validation' OR EXISTS (
        FROM variants o WHERE o.dataset = v.dataset AND o.protocol = v.protocol AND o.method <> 'lists'))"""
"""Added lists stand under every protocol, but under `refit` and `paper` only beside runs: else tables repeat them."""

RUNS = f"""
    SELECT r.run, r.variant, v.label, v.method, v.method_label, v.path, v.strength, r.seed, r.bootstrap,
           v.protocol::VARCHAR AS protocol, r.epoch, r.epochs_run, r.seconds, r.engine, r.peak_memory_mb, r.created,
           v.fields
    FROM runs r JOIN variants v USING (variant)
    WHERE v.dataset = $dataset AND {PRESENT}
    ORDER BY v.method, v.path, v.strength, v.variant, r.seed, r.bootstrap NULLS FIRST"""  # noqa: S608 - our own text

VARIANTS = f"""
    SELECT v.variant, v.label, v.method, v.method_label, v.baseline, v.path, v.strength,
           v.strength_symbol AS symbol, v.protocol::VARCHAR AS protocol, count(*) AS seeds,
           list(r.run ORDER BY r.seed) AS runs, arg_min(r.run, r.seed) AS first_run,
           avg(r.epoch) AS epoch, avg(r.seconds) AS seconds, any_value(v.fields) AS fields
    FROM variants v JOIN runs r USING (variant)
    WHERE v.dataset = $dataset AND v.protocol = $protocol AND r.bootstrap IS NULL AND {PRESENT}
    GROUP BY ALL ORDER BY v.baseline DESC, v.method, v.path, v.strength, v.variant"""  # noqa: S608 - our own text

VARIANT_METRICS = f"""
    SELECT v.variant, v.label, v.method, v.method_label, v.path, v.strength, count(*) AS seeds, m.metric,
           avg(m.value ORDER BY r.seed) AS mean, stddev_samp(m.value ORDER BY r.seed) AS seed_sd,
           min(m.value) AS low, max(m.value) AS high
    FROM variants v JOIN runs r USING (variant) JOIN metrics m USING (run)
    WHERE v.dataset = $dataset AND v.protocol = $protocol AND r.bootstrap IS NULL AND {PRESENT}
      AND m.split = $split AND m.reading = $reading
      AND ($metrics IS NULL OR m.metric IN (SELECT unnest($metrics::VARCHAR[])))
    GROUP BY ALL ORDER BY v.method, v.path, v.strength, v.variant, m.metric"""  # noqa: S608 - our own text

METRICS_OF = """
    SELECT m.split::VARCHAR AS split, m.metric, m.reading::VARCHAR AS reading, count(*) AS seeds,
           avg(m.value ORDER BY r.seed) AS mean, stddev_samp(m.value ORDER BY r.seed) AS seed_sd,
           min(m.value) AS low, max(m.value) AS high
    FROM runs r JOIN metrics m USING (run)
    WHERE r.variant = $variant AND r.bootstrap IS NULL GROUP BY ALL ORDER BY split, m.metric, reading"""

METRICS_OF_RUNS = """
    SELECT r.run, m.split::VARCHAR AS split, m.metric, m.reading::VARCHAR AS reading, m.value, m.epoch
    FROM runs r JOIN metrics m USING (run) JOIN variants v USING (variant)
    WHERE v.dataset = $dataset AND ($split IS NULL OR m.split = $split::split_name)
    ORDER BY r.run, m.split, m.metric, m.reading"""

HISTORY = """
    SELECT r.run, r.variant, v.label, v.method, v.protocol::VARCHAR AS protocol, r.seed, h.epoch, h.seconds, h.loss,
           h.metric, h.epoch = r.epoch AS chosen
    FROM histories h JOIN runs r USING (run) JOIN variants v USING (variant)
    WHERE r.run IN (SELECT unnest($runs::VARCHAR[])) ORDER BY r.seed, r.run, h.epoch"""


def runs(w: Warehouse, dataset: str) -> pd.DataFrame:
    """Every finished run: run, variant, label, method, method_label, path, strength, seed, bootstrap, protocol, epoch
    (the chosen one), epochs_run, seconds, engine, peak_memory_mb, created, fields (JSON text)."""
    return w.frame(RUNS, dataset=dataset)


def variants(w: Warehouse, dataset: str, protocol: str = "validation") -> pd.DataFrame:
    """Every variant with a finished run, baselines first: variant, label, method, method_label, baseline, path,
    strength, symbol, protocol, seeds, runs (a list by seed), first_run, epoch and seconds (means over seeds), fields
    (JSON text)."""
    return w.frame(VARIANTS, dataset=dataset, protocol=protocol)


def named(variants: pd.DataFrame, name: str) -> str:
    """The variant of `variants` that a name means: label, method, id or the id's beginning. Raises Unknown."""
    asked = name.strip().casefold()
    for column in ("label", "method"):
        found = variants.loc[variants[column].str.casefold() == asked, "variant"]
        if len(found):
            return str(found.iloc[0])
    try:
        return by_prefix("variant", name.strip(), list(variants["variant"]))
    except Unknown as error:
        raise Unknown("finished setting", name, [*variants["label"], *variants["variant"]]) from error


def variant_metrics(
    w: Warehouse,
    dataset: str,
    split: Split,
    protocol: str,
    metrics: Sequence[str] | None = None,
    reading: Reading = "epoch",
) -> pd.DataFrame:
    """One row per variant and metric (all metrics if None): variant, label, method, method_label, path, strength,
    seeds, metric, mean, seed_sd (missing for one seed), low, high (smallest and largest of the seeds)."""
    asked = None if metrics is None else list(metrics)
    return w.frame(VARIANT_METRICS, dataset=dataset, split=split, protocol=protocol, metrics=asked, reading=reading)


def metrics_of(w: Warehouse, variant: str) -> pd.DataFrame:
    """All metrics of a variant over its seeds: split, metric, reading, seeds, mean, seed_sd, low, high."""
    return w.frame(METRICS_OF, variant=variant)


def metrics_of_runs(w: Warehouse, dataset: str, split: Split | None = None) -> pd.DataFrame:
    """All metrics of every run, long: run, split, metric, reading, value, epoch."""
    return w.frame(METRICS_OF_RUNS, dataset=dataset, split=split)


def history(w: Warehouse, runs: Sequence[str]) -> pd.DataFrame:
    """What those runs went through: run, variant, label, method, protocol, seed, epoch, seconds, loss, metric (NDCG@10
    on what chooses the epoch; missing between evaluations), chosen (is it the epoch that the results are from?)."""
    return w.frame(HISTORY, runs=list(runs))


# ---------------------------------------------------------------- trade-off

_POINTS = f"""
    SELECT v.variant, r.run, r.seed, x.value AS x, y.value AS y
    FROM variants v JOIN runs r USING (variant) JOIN metrics x USING (run)
    JOIN metrics y ON y.run = r.run AND y.split = x.split AND y.reading = x.reading
    WHERE v.dataset = $dataset AND v.protocol = $protocol AND r.bootstrap IS NULL AND {PRESENT}
      AND x.split = $split AND x.reading = $reading AND x.metric = $x AND y.metric = $y"""  # noqa: S608 - our own text

TRADE_OFF = f"""
    WITH points AS ({_POINTS}),
    spreads AS (  -- in the order of the seeds: a sum's last digit depends on it, and a report is the same bytes
        SELECT variant, count(*) AS seeds, avg(x ORDER BY seed) AS x, avg(y ORDER BY seed) AS y,
               min(x) AS x_low, max(x) AS x_high, min(y) AS y_low, max(y) AS y_high,
               stddev_samp(x ORDER BY seed) AS x_sd, stddev_samp(y ORDER BY seed) AS y_sd
        FROM points GROUP BY variant),
    own AS (
        SELECT v.variant, v.label, v.method, v.method_label, v.baseline, v.path, v.strength,
               v.strength_symbol AS symbol, false AS also_on, v.off_variant, v.off_strength, s.* EXCLUDE (variant)
        FROM spreads s JOIN variants v USING (variant)),
    off_ends AS (
        SELECT off.* REPLACE (p.method AS method, p.method_label AS method_label, p.path AS path,
                              p.off_strength AS strength, p.symbol AS symbol, true AS also_on)
        FROM (SELECT DISTINCT method, method_label, path, symbol, off_variant, off_strength FROM own) p
        JOIN own off ON off.variant = p.off_variant)
    SELECT * EXCLUDE (off_variant, off_strength),
           row_number() OVER (PARTITION BY path ORDER BY strength NULLS FIRST, variant) - 1 AS "order"
    FROM (FROM own UNION ALL BY NAME FROM off_ends)
    ORDER BY baseline DESC, method, path, "order" """  # noqa: S608 - our own text

TRADE_OFF_SEEDS = f"""
    SELECT p.variant, v.label, v.method, v.path, v.strength, p.run, p.seed, p.x, p.y
    FROM ({_POINTS}) p JOIN variants v USING (variant)
    ORDER BY v.method, v.path, v.strength, p.variant, p.seed"""  # noqa: S608 - our own text


def trade_off(
    w: Warehouse, dataset: str, split: Split, protocol: str, x: str, y: str, reading: Reading = "epoch"
) -> pd.DataFrame:
    """The points of the trade-off chart: means over seeds of metric `x` against metric `y`.

    variant, label, method, method_label, baseline, path, strength, symbol, also_on, seeds, x, y, x_low, x_high, y_low,
    y_high (smallest and largest of the seeds), x_sd, y_sd (missing for one seed), order (along the path, from 0).
    One row per variant has also_on False: those are the marks. A variant that another method equals at its off end
    (DNS for AUC-NS) has a further row, also_on True, with that method, its path and the off strength, for each such
    path that has points of its own: the paths are drawn through all rows.
    """
    return w.frame(TRADE_OFF, **_axes(dataset, split, protocol, x, y, reading))


def trade_off_seeds(
    w: Warehouse, dataset: str, split: Split, protocol: str, x: str, y: str, reading: Reading = "epoch"
) -> pd.DataFrame:
    """The single seeds behind `trade_off`: variant, label, method, path, strength, run, seed, x, y."""
    return w.frame(TRADE_OFF_SEEDS, **_axes(dataset, split, protocol, x, y, reading))


def _axes(dataset: str, split: str, protocol: str, x: str, y: str, reading: str) -> dict[str, Any]:
    parse_key(x), parse_key(y)
    return {"dataset": dataset, "split": split, "protocol": protocol, "x": x, "y": y, "reading": reading}


# ---------------------------------------------------------------- exposure

EXPOSURE = """
    SELECT v.variant, v.label, v.method, m.metric, avg(m.value ORDER BY r.seed) AS share,
           min(m.value) AS low, max(m.value) AS high, count(*) AS seeds
    FROM variants v JOIN runs r USING (variant) JOIN metrics m USING (run)
    WHERE v.variant IN (SELECT unnest($variants::VARCHAR[])) AND r.bootstrap IS NULL
      AND m.split = $split AND m.reading = 'epoch' AND m.metric IN (SELECT unnest($metrics::VARCHAR[]))
    GROUP BY ALL"""


def exposure(w: Warehouse, dataset: str, split: Split, protocol: str, variants: Sequence[str]) -> pd.DataFrame:
    """Which share of the recommendation slots (of lists of 10) each popularity decile gets, against what users took.

    variant, label, method, decile, share (mean over seeds), low, high, seeds, train_share, test_share: variants in the
    order given, deciles from 1 (least popular).
    """
    keys = {metric_key(name, 10): decile for decile, name in enumerate(EXPOSURE_NAMES, start=1)}
    found = w.frame(EXPOSURE, variants=list(variants), split=split, metrics=list(keys))
    found["decile"] = found.pop("metric").map(keys).astype("int64")
    shares = decile_shares(w, dataset, protocol)[["decile", "train_share", "test_share"]]
    position = {variant: n for n, variant in enumerate(variants)}
    order = found["variant"].map(position).astype("int64")
    merged = found.assign(position=order).merge(shares, on="decile").sort_values(["position", "decile"])
    columns = ["variant", "label", "method", "decile", "share", "low", "high", "seeds", "train_share", "test_share"]
    return merged[columns].reset_index(drop=True)


# ---------------------------------------------------------------- one user

ITEM_FACTS = "i.item_id, i.title, i.year, i.genres, p.count, p.share AS popularity, p.percentile, p.decile, p.hot"

POPULARITY = """(
        SELECT item, count, share, decile, hot, rank,
               (rank() OVER (ORDER BY count) - 1) / count(*) OVER () AS percentile
        FROM item_popularity WHERE dataset = $dataset AND counted_on = $counted_on)"""
"""Each item's popularity; percentile: the share of the catalogue's items that fewer users took."""

_LISTED = f"""
    SELECT l.rank, {ITEM_FACTS}, l.score,
           EXISTS (FROM interactions h JOIN users u USING (dataset, "user") WHERE h.dataset = $dataset
                   AND u.user_id = $user AND h.item = i.item AND h.split = $split::split_name) AS hit
    FROM listed l
    JOIN items i ON i.dataset = $dataset AND i.item_id = l.item
    JOIN {POPULARITY} p ON p.item = i.item
    ORDER BY l.rank"""  # noqa: S608 - our own text

USER_LIST = f"""
    WITH listed AS (FROM read_parquet($path) WHERE "user" = $user AND split = $split AND rank <= $k) {_LISTED}"""

RERANKED_LIST = f"""
    WITH listed AS (SELECT unnest($items::VARCHAR[]) AS item, unnest($scores::FLOAT[]) AS score,
                           unnest(range(1, len($items) + 1))::INTEGER AS rank) {_LISTED}"""

USER_ITEMS = f"""
    SELECT {ITEM_FACTS}, t.rating, t.timestamp, t.split::VARCHAR AS split
    FROM users u JOIN interactions t USING (dataset, "user")
    JOIN items i USING (dataset, item)
    JOIN {POPULARITY} p ON p.item = t.item
    WHERE u.dataset = $dataset AND u.user_id = $user AND t.split IN (SELECT unnest($splits::split_name[]))
    ORDER BY t.timestamp DESC NULLS LAST, p.rank"""  # noqa: S608 - our own text

USER = """
    SELECT u.user_id, p.length, p.mean_popularity, p.hot_share, p.user_group::VARCHAR AS user_group,
           (SELECT count(*) FROM interactions t WHERE t.dataset = $dataset AND t."user" = u."user"
            AND t.split = $split::split_name) AS held_out
    FROM users u JOIN user_profiles p USING (dataset, "user") WHERE u.dataset = $dataset AND u.user_id = $user"""

TOP_K, PER_USER = "top_k.parquet", "per_user.parquet"
TRAIN = "train"

RUN_OF = """
    SELECT r.run, v.variant, v.label, v.method, v.dataset, v.protocol::VARCHAR AS protocol
    FROM runs r JOIN variants v USING (variant) WHERE r.run = $run"""


def user(w: Warehouse, dataset: str, user_id: str, split: Split = "test") -> pd.DataFrame:
    """One user, one row: user_id, length, mean_popularity, hot_share, user_group, held_out (items in that split).

    No row for an unknown user.
    """
    return w.frame(USER, dataset=dataset, user=user_id, split=split)


def user_list(
    w: Warehouse, run: str, user_id: str, split: Split = "test", k: int = 20, against: str | None = None
) -> pd.DataFrame:
    """What a run shows a user: rank (from 1), item_id, title, year, genres, count, popularity (share of users),
    percentile (share of the items that fewer users took), decile, hot, score, hit (did the user take it in that
    split?), other_rank. No row where the user has nothing held out.

    other_rank: the item's rank in the list of k of the run `against`; missing where that list lacks it.
    Popularity is counted on what the run was trained on. Raises Unknown for a run, DamagedArtifact for its file.
    """
    about = about_run(w, run)
    asked = {"dataset": about["dataset"], "user": user_id, "split": split, "k": k}
    found = ask_files(w, USER_LIST, {"path": (run, TOP_K)}, counted_on=counted_on(about["protocol"]), **asked)
    other = (
        user_list(w, against, user_id, split, k).set_index("item_id")["rank"] if against else pd.Series(dtype="int64")
    )
    return found.assign(other_rank=found["item_id"].map(other).astype("Int64"))


def reranked_list(
    w: Warehouse, run: str, user_id: str, split: Split = "test", k: int = 20, penalty: float | None = 0.0
) -> pd.DataFrame:
    """What a run would show a user under a popularity penalty of that strength, which replaces its own if it has one.

    penalty: None for the run as it is, 0 for none at all. Columns as in `user_list`, without other_rank; scored now, so
    there is a list for a user with nothing held out, too.
    Raises Unknown for a run or a user, DamagedArtifact for the run's file.
    """
    about = about_run(w, run)
    known = recommending.known(w.settings, run)
    shown = recommending.show(known, user_id, split, k, penalty)
    items = [str(known.dataset.item_ids[item]) for item in shown.items]
    asked: dict[str, Any] = {
        "dataset": about["dataset"],
        "user": user_id,
        "split": split,
        "counted_on": counted_on(about["protocol"]),
    }
    return w.frame(RERANKED_LIST, items=items, scores=shown.scores.tolist(), **asked)


def user_history(w: Warehouse, dataset: str, user_id: str, split: Split = "test") -> pd.DataFrame:
    """What a user took before what `split` holds out, most recent first where times are known, else most popular first.

    item_id, title, year, genres, count, popularity, percentile, decile, hot, rating, timestamp (both may be missing),
    split.
    """
    before = ["train"] if split == "validation" else ["train", "validation"]
    return w.frame(USER_ITEMS, dataset=dataset, user=user_id, splits=before, counted_on=TRAIN)


def user_held_out(w: Warehouse, dataset: str, user_id: str, split: Split = "test") -> pd.DataFrame:
    """What a user took in that split; columns as in `user_history`."""
    return w.frame(USER_ITEMS, dataset=dataset, user=user_id, splits=[split], counted_on=TRAIN)


def about_run(w: Warehouse, run: str) -> dict[str, str]:
    """run, variant, label, method, dataset, protocol of a finished run. Raises Unknown."""
    found = w.frame(RUN_OF, run=run)
    if found.empty:
        raise Unknown("run", run)
    return {str(name): str(value) for name, value in found.iloc[0].items()}


def ask_files(w: Warehouse, sql: str, files: Mapping[str, tuple[str, str]], **values: Any) -> pd.DataFrame:
    """A query over files of runs that the index knows. files: (run, file) for each parameter that is a path.

    Raises DamagedArtifact, which names the file.
    """
    paths: dict[str, Any] = {name: str(w.file_of(run, file)) for name, (run, file) in files.items()}
    try:
        return w.frame(sql, **paths, **values)
    except duckdb.Error as error:
        guilty = next((path for path in paths.values() if path in str(error)), " or ".join(paths.values()))
        raise DamagedArtifact(guilty, str(error)) from error


def counted_on(protocol: str) -> str:
    """What popularity is counted on: that which is trained on. Raises Unknown."""
    if protocol not in TRAINED_ON:
        raise Unknown("protocol", protocol, TRAINED_ON)
    return "+".join(TRAINED_ON[protocol])
