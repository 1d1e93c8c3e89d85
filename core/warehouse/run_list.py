"""The list of all runs: finished ones from the index, the others from the queue, in one table that is searched, sorted
and cut into pages in SQL.

Here: how both meet, the filters and orders, counts, pages, and failures by reason. Not here: the queue's own rows
(jobs/queue.py `Queue.latest`), which are handed in and live for one query, since they change by the second; what is
done to a run (jobs/control.py). Lists that somebody added are no runs and are not here.

A row is a run, or the preparation of a data set. Its state:
  running, waiting, failed, cancelled   as its job says
  done         its result is here, whatever any job says
  deleted      its job was done once, and its result is not here any more
  unreadable   its result is here and was left out of the index; the reason says why
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from core.errors import Unknown
from core.evaluation.metrics import all_keys
from core.warehouse.database import Warehouse

STATES = ("running", "waiting", "failed", "done", "cancelled", "unreadable", "deleted")
"""In the order in which they ask for attention."""
LISTED = tuple(state for state in STATES if state != "deleted")
"""What is shown where no state was asked for."""

_NUMBER = re.compile(r"\b(seed|replicate)\s+([0-9]{1,9})\b", re.ASCII)
_JOBS = pa.schema(
    [
        ("job", pa.int64()), ("kind", pa.string()), ("run", pa.string()), ("dataset", pa.string()),
        ("setting", pa.string()), ("method", pa.string()), ("protocol", pa.string()), ("seed", pa.int64()),
        ("bootstrap", pa.int64()), ("state", pa.string()), ("share", pa.float64()), ("epoch", pa.int64()),
        ("seconds", pa.float64()), ("reason", pa.string()), ("moment", pa.float64()),
        ("sweep", pa.int64()), ("created", pa.float64()),
    ]
)  # fmt: skip
_PRESENT = ("seed", "bootstrap", "seconds", "epoch", "memory", "validated", "unfinished")
_PROBLEMS = pa.schema([("run", pa.string()), ("problem", pa.string())])

_ROWS = """
    finished AS (
        SELECT r.run, r.variant, v.dataset, v.label AS setting, v.method, v.protocol::VARCHAR AS protocol, r.seed,
               r.bootstrap, r.epoch, r.epochs_run, r.seconds, r.peak_memory_mb AS memory, r.created AS moment
        FROM runs r JOIN variants v USING (variant) WHERE v.method <> 'lists'),
    ours AS (
        SELECT *, CASE WHEN sweep IS NULL THEN created ELSE min(created) OVER (PARTITION BY sweep) END AS asked
        FROM jobs WHERE kind = 'prepare' OR run IS NOT NULL),
    joined AS (
        SELECT coalesce(f.run, j.run, p.run) AS run, j.job, coalesce(j.kind, 'train') AS kind, f.variant,
               CASE WHEN f.run IS NOT NULL THEN 'done' WHEN p.run IS NOT NULL THEN 'unreadable'
                    WHEN j.state = 'queued' THEN 'waiting'
                    WHEN j.state = 'done' AND j.kind = 'train' THEN 'deleted' ELSE j.state END AS state,
               coalesce(f.dataset, j.dataset) AS dataset,
               coalesce(f.setting, j.setting, 'Run ' || p.run) AS setting, coalesce(f.method, j.method) AS method,
               coalesce(f.protocol, j.protocol) AS protocol, coalesce(f.seed, j.seed) AS seed,
               coalesce(f.bootstrap, j.bootstrap) AS bootstrap, f.epoch, f.epochs_run, j.share,
               coalesce(f.seconds, j.seconds) AS seconds, f.memory, coalesce(f.moment, j.moment) AS moment,
               coalesce(j.asked, f.moment) AS asked,
               CASE WHEN f.run IS NULL THEN coalesce(p.problem, j.reason) END AS reason
        FROM finished f FULL JOIN ours j ON j.run = f.run FULL JOIN problems p ON p.run = coalesce(f.run, j.run)
        WHERE NOT $of_sweep OR j.job IS NOT NULL),
    titled AS (
        SELECT l.*, d.dataset AS dataset_here, coalesce(d.title, l.dataset) AS title
        FROM joined l LEFT JOIN (
            SELECT dataset, title, dataset AS key FROM datasets
            UNION ALL SELECT min(dataset), min(title), name FROM datasets GROUP BY name) d ON d.key = l.dataset),
    matching AS (
        FROM titled
        WHERE (len($methods) = 0 OR method IN (SELECT unnest($methods::VARCHAR[])))
          AND ($dataset IS NULL OR dataset_here = $dataset)
          AND ($protocol IS NULL OR protocol = $protocol)
          AND ($seed IS NULL OR seed = $seed) AND ($replicate IS NULL OR bootstrap = $replicate)
          AND len(list_filter($words::VARCHAR[], lambda word: NOT (
              contains(lower(concat_ws(' ', setting, title, protocol, state, reason)), word)
              OR (length(word) >= 4 AND starts_with(coalesce(run, ''), word))))) = 0)"""

COUNTS = f"""
    WITH {_ROWS} SELECT state, count(*) AS n, count(seed) AS seed, count(bootstrap) AS bootstrap,
        count(seconds) AS seconds, count(epoch) AS epoch, count(memory) AS memory,
        count(*) FILTER (state NOT IN ('done', 'deleted')) AS unfinished,
        count(*) FILTER (protocol = 'validation') AS validated, min(title) AS first_title, max(title) AS last_title
    FROM matching GROUP BY state"""  # noqa: S608 - our own text

PAGE = f"""
    WITH {_ROWS},
    page AS (
        SELECT *, row_number() OVER () AS place FROM (
            FROM matching l WHERE state IN (SELECT unnest($states::VARCHAR[])) ORDER BY {{order}},
                setting, seed, bootstrap NULLS FIRST, run, job LIMIT $limit OFFSET $offset)),
    curves AS (
        SELECT run, list(metric ORDER BY epoch) FILTER (metric IS NOT NULL) AS curve
        FROM histories WHERE run IN (SELECT run FROM page WHERE state = 'done') GROUP BY run),
    measured AS (
        SELECT run, max(value) FILTER (metric = $accuracy) AS metric, max(value) FILTER (metric = $bias) AS bias
        FROM metrics WHERE run IN (SELECT run FROM page WHERE state = 'done')
        AND split = 'validation' AND reading = 'epoch' AND metric IN ($accuracy, $bias) GROUP BY run)
    SELECT p.* EXCLUDE (dataset_here, asked, place), m.metric, m.bias, c.curve
    FROM page p LEFT JOIN curves c USING (run) LEFT JOIN measured m USING (run) ORDER BY p.place"""  # noqa: S608

_METRIC = """(SELECT m.value FROM metrics m WHERE m.run = l.run AND m.split = 'validation' AND m.reading = 'epoch'
    AND m.metric = $accuracy)"""
ORDERS = {
    "newest": """CASE state WHEN 'running' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END,
        CASE state WHEN 'waiting' THEN job END, moment DESC NULLS LAST""",
    "asked": "asked DESC NULLS LAST, job",
    "oldest": "moment NULLS LAST",
    "setting": "lower(setting)",
    "metric": f"{_METRIC} DESC NULLS LAST",
    "epoch": "epoch DESC NULLS LAST",
    "slowest": "seconds DESC NULLS LAST",
    "memory": "memory DESC NULLS LAST",
}
"""Orders of `page`. "newest": what is under way first, as it will be trained. "asked": the sweep that was asked for
last first, its runs as they are trained; nothing changes its place when a run begins or ends. "metric": the best value
of the accuracy metric. Rows that are equal by an order follow each other by setting, seed and replicate."""

FAILURES = f"""
    WITH {_ROWS},
    failed AS (SELECT *, regexp_replace(coalesce(reason, ''), '[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?', '0', 'g') AS kind_of
               FROM matching WHERE state = 'failed')
    SELECT arg_max(reason, moment) AS reason, count(*) AS n, list(job ORDER BY job) AS jobs,
           list(DISTINCT setting ORDER BY setting) AS settings
    FROM failed GROUP BY kind_of ORDER BY n DESC, reason"""  # noqa: S608 - our own text

METRICS_OF_RUN = """
    SELECT metric, max(value) FILTER (split = 'validation' AND reading = 'epoch') AS validation,
           max(value) FILTER (split = 'test' AND reading = 'epoch') AS test,
           max(value) FILTER (reading = 'per-metric') AS own_best,
           max(epoch) FILTER (reading = 'per-metric') AS own_epoch
    FROM metrics WHERE run = $run GROUP BY metric"""

ENDS = """
    SELECT r.run, any_value(r.seconds) AS seconds, max(m.value) AS metric
    FROM runs r LEFT JOIN metrics m ON m.run = r.run AND m.split = 'validation' AND m.reading = 'epoch'
        AND m.metric = 'ndcg@10'
    WHERE r.run IN (SELECT unnest($runs::VARCHAR[])) GROUP BY r.run"""

CHOICES = """
    SELECT DISTINCT method, d.dataset, coalesce(d.title, k.dataset) AS title, protocol
    FROM (SELECT method, dataset, protocol::VARCHAR AS protocol FROM variants WHERE method <> 'lists'
          UNION FROM asked) k LEFT JOIN datasets d USING (dataset)
    ORDER BY ALL"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for; nothing asked for is everything but what was deleted."""

    text: str = ""
    """Words that all occur in the row: in its setting, data set, protocol, state or reason, or its id begins so.
    "seed 2" and "replicate 2" are those numbers and no others."""
    states: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    dataset: str | None = None
    protocol: str | None = None

    def __post_init__(self) -> None:
        """Raises Unknown for a state that there is not."""
        for state in self.states:
            if state not in STATES:
                raise Unknown("state", state, STATES)


class RunList:
    """The list at one moment: the index, and the queue's rows as they were handed in."""

    def __init__(self, w: Warehouse, latest: Mapping[str, Sequence[Any]], of_sweep: bool = False):
        """latest: what `Queue.latest` gave, read before the index was refreshed, or what has just finished counts as
        deleted; of_sweep: it is that of one sweep, and nothing else is wanted."""
        self._w, self._of_sweep = w, of_sweep
        self._known: dict[Wanted, pd.DataFrame] = {}
        bad = [(p.source.name, p.text) for p in w.problems if p.source.kind == "run"]
        self._tables = {
            "jobs": pa.table(dict(latest), schema=_JOBS),
            "problems": pa.Table.from_pylist([{"run": r, "problem": t} for r, t in bad], schema=_PROBLEMS),
        }

    def counts(self, wanted: Wanted) -> dict[str, int]:
        """How many rows each state has, zeros included; the states asked for do not matter."""
        found = self._grouped(wanted)
        known = dict(zip(found["state"], found["n"].astype(int), strict=True))
        return {state: known.get(state, 0) for state in STATES}

    def present(self, wanted: Wanted) -> frozenset[str]:
        """What any of the rows asked for has: of seed, bootstrap, seconds, epoch, memory, "validated" (a protocol with
        validation metrics), "unfinished" (a state that has something to tell), and "titles" where they are of more
        than one data set."""
        found = self._grouped(wanted)
        rows = found[found["state"].isin(wanted.states or LISTED)]
        several = len({*rows["first_title"].dropna(), *rows["last_title"].dropna()}) > 1
        return frozenset(name for name in _PRESENT if rows[name].sum() > 0) | ({"titles"} if several else set())

    def _grouped(self, wanted: Wanted) -> pd.DataFrame:
        """COUNTS of that, asked once."""
        if wanted not in self._known:
            self._known[wanted] = self._ask(COUNTS, wanted)
        return self._known[wanted]

    def page(
        self,
        wanted: Wanted,
        order: str = "newest",
        limit: int = 100,
        offset: int = 0,
        accuracy: str = "ndcg@10",
        bias: str = "aplt@10",
    ) -> pd.DataFrame:
        """Some rows, in an order of ORDERS.

        run (missing for a preparation), job (missing where none is known), kind, variant, state, dataset, setting,
        method, protocol, seed, bootstrap, epoch (the chosen one), epochs_run, share, seconds, memory (MB, the highest),
        moment (when it was finished, else ended, began, was asked for), reason, title (of the data set), metric and
        bias (the two metrics asked for, on validation at the chosen epoch; missing under a protocol without
        validation), curve (what the epoch was chosen by over the epochs, a list).
        """
        if order not in ORDERS:
            raise Unknown("order", order, ORDERS)
        states, sql = list(wanted.states or LISTED), PAGE.format(order=ORDERS[order])
        return self._ask(sql, wanted, states=states, limit=limit, offset=offset, accuracy=accuracy, bias=bias)

    def failures(self, wanted: Wanted) -> pd.DataFrame:
        """What failed, by reason, the most frequent first: reason (the latest wording), n, jobs, settings (lists).

        Reasons that differ in numbers alone are one.
        """
        found = self._ask(FAILURES, wanted)
        return found.assign(**{name: [list_.tolist() for list_ in found[name]] for name in ("jobs", "settings")})

    def _ask(self, sql: str, wanted: Wanted, **values: Any) -> pd.DataFrame:
        numbers = {name: int(n) for name, n in _NUMBER.findall(wanted.text.lower())}
        asked = {
            "words": _NUMBER.sub(" ", wanted.text.lower()).replace(",", " ").split(),
            "seed": numbers.get("seed"),
            "replicate": numbers.get("replicate"),
            "methods": list(wanted.methods),
            "dataset": wanted.dataset,
            "protocol": wanted.protocol,
            "of_sweep": self._of_sweep,
        }
        return self._w.frame(sql, self._tables, **asked, **values)


def choices(w: Warehouse, asked: Sequence[tuple[str | None, str, str | None]]) -> pd.DataFrame:
    """What the list can be filtered by: each method, dataset (id; missing if it is gone), title and protocol.

    asked: what `Queue.asked` gave, for what is not finished.
    """
    columns = list(zip(*asked, strict=True)) or [(), (), ()]
    names = ("method", "dataset", "protocol")
    table = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
    return w.frame(CHOICES, {"asked": table})


def metrics_of_run(w: Warehouse, run: str) -> pd.DataFrame:
    """What a run was measured at, a row a metric in the order of the registry: metric, validation, test (both at the
    chosen epoch), own_best and own_epoch (under protocol paper: on test, at the metric's own best epoch). Missing where
    it was not measured. Exposure by decile is left out."""
    found = w.frame(METRICS_OF_RUN, run=run).set_index("metric")
    return found.loc[[key for key in all_keys() if key in found.index]].reset_index()


def ends(w: Warehouse, runs: Sequence[str]) -> dict[str, tuple[float | None, float]]:
    """What came of finished runs, without those that are not here: NDCG@10 on validation at the chosen epoch, None
    under a protocol without validation; seconds of training."""
    found = w.frame(ENDS, runs=list(runs)).to_dict("records")
    return {r["run"]: (None if pd.isna(r["metric"]) else float(r["metric"]), float(r["seconds"])) for r in found}
