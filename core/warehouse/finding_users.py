"""Whom to look at: users by id, by a title they took, and by how much their list changes between two runs.

Here: the questions, whose answers are users in an order. Not here: what one of them is shown (queries.py, paths.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.errors import Refused, Unknown
from core.evaluation.groups import USER_GROUPS
from core.evaluation.metrics import METRICS, metric_key, parse_key
from core.models.choices import LISTS
from core.warehouse.database import Warehouse
from core.warehouse.queries import PER_USER, TOP_K, Split, about_run, ask_files, counted_on

FIND_USERS = """
    WITH titled AS (
        SELECT t."user", count(DISTINCT i.item) AS titles, arg_min(i.title, p.rank) AS matched
        FROM items i JOIN interactions t USING (dataset, item)
        JOIN item_popularity p ON p.dataset = i.dataset AND p.item = i.item AND p.counted_on = 'train'
        WHERE i.dataset = $dataset AND $text <> '' AND contains(lower(i.title), lower($text)) GROUP BY t."user")
    SELECT u.user_id, p.length, p.mean_popularity, p.user_group::VARCHAR AS user_group, t.matched,
           coalesce(t.titles, 0) AS titles
    FROM users u JOIN user_profiles p USING (dataset, "user") LEFT JOIN titled t USING ("user")
    WHERE u.dataset = $dataset AND (contains(lower(u.user_id), lower($text)) OR t.matched IS NOT NULL)
      AND ($user_group IS NULL OR p.user_group = $user_group::user_group)
    ORDER BY u.user_id <> $text, NOT starts_with(lower(u.user_id), lower($text)),
             NOT contains(lower(u.user_id), lower($text)), length(u.user_id), u."user"
    LIMIT $limit"""

USERS_BY_CHANGE = """
    WITH a AS (SELECT "user" AS user_id, item FROM read_parquet($lists_a) WHERE split = $split AND rank <= $k),
    b AS (SELECT "user" AS user_id, item FROM read_parquet($lists_b) WHERE split = $split AND rank <= $k),
    popularity AS (SELECT i.item_id AS item, p.share FROM items i JOIN item_popularity p USING (dataset, item)
                   WHERE i.dataset = $dataset AND p.counted_on = $counted_on),
    of_a AS (SELECT user_id, avg(share) AS popularity FROM a JOIN popularity USING (item) GROUP BY user_id),
    of_b AS (SELECT user_id, avg(share) AS popularity FROM b JOIN popularity USING (item) GROUP BY user_id),
    common AS (SELECT user_id, count(*) AS n FROM a JOIN b USING (user_id, item) GROUP BY user_id),
    scored AS (SELECT a."user" AS user_id, if(isfinite(a."{metric}"), a."{metric}", NULL) AS of_a,
                      if(isfinite(b."{metric}"), b."{metric}", NULL) AS of_b
               FROM read_parquet($values_a) a JOIN read_parquet($values_b) b USING ("user", split)
               WHERE split = $split),
    changes AS (
        SELECT s.user_id, coalesce(c.n, 0) / $k AS overlap, s.of_a AS value_a, s.of_b AS value_b,
               s.of_b - s.of_a AS change, of_b.popularity - of_a.popularity AS popularity_change,
               p.user_group::VARCHAR AS user_group, u."user"
        FROM scored s JOIN of_a USING (user_id) JOIN of_b USING (user_id) LEFT JOIN common c USING (user_id)
        JOIN users u ON u.dataset = $dataset AND u.user_id = s.user_id
        JOIN user_profiles p ON p.dataset = u.dataset AND p."user" = u."user"
        WHERE $user_group IS NULL OR p.user_group = $user_group::user_group)
    SELECT * EXCLUDE ("user") FROM changes ORDER BY {order}, "user" LIMIT $limit"""

ORDERS = {
    "lists": "overlap, abs(change) DESC NULLS LAST",
    "change": "abs(change) DESC NULLS LAST, overlap",
    "gain": "change DESC NULLS LAST, overlap",
    "loss": "change NULLS LAST, overlap",
    "popularity": "popularity_change, overlap",
}
"""Orders of `users_by_change`: fewest items in common; largest change, gain, loss of accuracy; fall of popularity."""

_FILES = (("lists", TOP_K), ("values", PER_USER))


def find_users(
    w: Warehouse, dataset: str, text: str, limit: int | None = 50, user_group: str | None = None
) -> pd.DataFrame:
    """Users by a part of their id, best match first, then those who took an item with that in its title; capitals
    do not matter. No text: the first users.

    user_id, length, mean_popularity, user_group, matched (the most popular such title; missing for who is found by id
    alone), titles (how many such items). limit: None for all; user_group: only that one. Raises Unknown for a group.
    """
    _judge_group(user_group)
    return w.frame(FIND_USERS, dataset=dataset, text=text.strip(), limit=limit, user_group=user_group)


def users_by_change(
    w: Warehouse,
    run_a: str,
    run_b: str,
    split: Split = "test",
    limit: int | None = 100,
    order: str = "lists",
    k: int = 10,
    user_group: str | None = None,
    metric: str | None = None,
) -> pd.DataFrame:
    """Whose lists of k differ between two runs of one data set: users who have both.

    user_id, overlap (share of k in both lists), value_a, value_b (the metric), change (b - a; missing where one of them
    has no value), popularity_change (mean popularity of the list, as a share of users, b - a), user_group.
    order: one of ORDERS; metric: the key of an accuracy metric, NDCG@k by default; limit: None for all;
    user_group: only that one. Raises Unknown, Refused for a metric without a value a user, DamagedArtifact.
    """
    if order not in ORDERS:
        raise Unknown("order", order, ORDERS)
    _judge_group(user_group)
    about, other = about_run(w, run_a), about_run(w, run_b)
    if about["dataset"] != other["dataset"]:
        raise Unknown("run of the same data set", run_b)
    key = judged_metric(metric or metric_key("ndcg", k))
    files = {f"{kind}_{side}": (run, file) for side, run in (("a", run_a), ("b", run_b)) for kind, file in _FILES}
    return ask_files(
        w,
        USERS_BY_CHANGE.format(metric=key, order=ORDERS[order]),
        files,
        dataset=about["dataset"],
        split=split,
        k=k,
        counted_on=counted_on(about["protocol"]),
        user_group=user_group,
        limit=limit,
    )


def ids_by_change(
    w: Warehouse, run_a: str, run_b: str, split: Split, order: str, k: int, user_group: str | None, metric: str
) -> list[str]:
    """The ids of all users of `users_by_change`, in its order."""
    found = users_by_change(w, run_a, run_b, split, None, order, k, user_group, metric)
    return [str(user) for user in found["user_id"]]


def ids_found(w: Warehouse, dataset: str, text: str, user_group: str | None = None) -> dict[str, str | None]:
    """All users of `find_users`, in its order, to the title that matched; None for who is found by id alone."""
    found = find_users(w, dataset, text, None, user_group)
    known = found["matched"].notna()
    return {
        str(user): str(title) if named else None
        for user, title, named in zip(found["user_id"], found["matched"], known, strict=True)
    }


def metric_for(w: Warehouse, runs: Sequence[str], wanted: str, k: int) -> str:
    """The metric by which users of these runs can be told apart: that one, or NDCG@k where one of them lacks it.

    Added lists have no scores, and so none of the metrics that need them; some metrics have no value a user.
    """
    metric = METRICS.get(parse_key(wanted)[0])
    added = any(about_run(w, run)["method"] == LISTS for run in runs)
    lacks = metric is None or not metric.per_user or (metric.needs == "scores" and added)
    return metric_key("ndcg", k) if lacks else wanted


def judged_metric(key: str) -> str:
    """The key of a metric that users have. It is part of a query's text, so nothing but the registry's gets there."""
    name = parse_key(key)[0]
    if name not in METRICS or not METRICS[name].per_user:
        raise Refused(f"{key!r} has no value for a single user: it describes all lists together. Choose another one.")
    return key


def _judge_group(group: str | None) -> None:
    if group is not None and group not in USER_GROUPS:
        raise Unknown("group of users", group, USER_GROUPS)
