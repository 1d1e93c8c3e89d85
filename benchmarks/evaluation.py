"""Seconds to evaluate one run, ours beside RecTools', from one run on this machine.

    python -m benchmarks.evaluation [DATASET ...] [--rounds 5] [--env FOLDER] [--json FILE]

One run: validation (where the data set has one) and test, all users, cuts at 5, 10, 20. Its scores are those of random
embeddings of 32 dimensions: what is measured does not depend on how good they are. Rows:

    ranking     scores of every user for all items, lists of 20, AUC, partial AUC, ranks of held-out items; only ours
    metrics     every metric of the registry, from these lists
    both have   of these lists, only the metrics that RecTools has too
    RecTools    the same metrics, its calc_metrics

RecTools runs in the environment of `python -m benchmarks.metric_libraries`, which is made if it is not there. Shown are
the least of the rounds by the clock on the wall and by the processor's, one thread each, tables and arrays made before;
then the most memory that the metrics of the test split hold at once, of a quarter, half and all of its users.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.metric_libraries import data
from benchmarks.metric_libraries.environment import HOME, ONE_THREAD, ROOT, ready
from core.datasets.acquire import acquire
from core.datasets.interactions import Interactions
from core.datasets.store import Dataset, find_dataset, read_dataset
from core.errors import LabError, Unknown
from core.evaluation.metrics import CUTOFFS
from core.kernels import use_kernel_cache
from core.settings import Settings, read_settings

BOTH_HAVE = ("precision", "recall", "f1", "hit_rate", "ndcg", "map", "mrr", "arp", "novelty", "coverage")
DIM, SEED = 32, 0

Spent = tuple[float, float]
"""Seconds by the wall's clock and by the processor's."""


def splits(dataset: Dataset) -> dict[str, tuple[Interactions, Interactions, Interactions]]:
    """By split: what is masked, held out, and counted on, as in a run of protocol `validation`."""
    found = {"test": (dataset.train.merged(dataset.validation), dataset.test, dataset.train)}
    if len(dataset.validation):
        found["validation"] = (dataset.train, dataset.validation, dataset.train)
    return found


def random_factors(dataset: Dataset) -> Any:
    """A scorer whose embeddings are random."""
    from core.models.scorers import Factors

    rng = np.random.default_rng(SEED)
    sizes = dataset.train.n_users, dataset.train.n_items
    return Factors(*(rng.normal(size=(n, DIM)).astype(np.float32) for n in sizes))


def ours(dataset: Dataset, rounds: int) -> tuple[dict[str, Spent], dict[str, Any]]:
    """Least of the rounds by row, both splits together; and the lists by split."""
    from core.evaluation import measure
    from core.evaluation.ranking import top_k

    scorer = random_factors(dataset)
    rows: dict[str, list[list[Spent]]] = {"ranking": [], "metrics": [], "both have": []}
    lists = {}
    for split, (mask, held_out, counted_on) in splits(dataset).items():
        users = measure.evaluated_users(held_out)
        ranking = top_k(scorer, users, mask, max(CUTOFFS), held_out)
        lists[split] = ranking

        def rank(mask: Interactions = mask, held_out: Interactions = held_out, users: Any = users) -> None:
            top_k(scorer, users, mask, max(CUTOFFS), held_out)

        def everything(
            mask: Interactions = mask, held: Interactions = held_out, on: Interactions = counted_on, r: Any = ranking
        ) -> None:
            measure.measure(r, held, on, CUTOFFS, mask=mask)

        def shared(held: Interactions = held_out, on: Interactions = counted_on, r: Any = ranking) -> None:
            known, is_hit = measure.facts(r.users, held, on), measure.hits(r.items, r.users, held)
            for k in CUTOFFS:
                cut = measure.cut(known, r.items, is_hit, k)
                for name in BOTH_HAVE:
                    if name in measure.PER_USER:
                        measure.PER_USER[name](cut).mean()
                measure.OF_COUNTS["coverage"](
                    measure.popularity.recommendation_counts(cut.top_k, len(known.popularity))
                )

        for row, what in (("ranking", rank), ("metrics", everything), ("both have", shared)):
            rows[row].append(timed(what, rounds))
    return {row: least_of_both(spent) for row, spent in rows.items()}, lists


def peaks(dataset: Dataset) -> dict[int, int]:
    """Most bytes held at once while the test split is measured, by number of users; without the lists themselves."""
    from core.evaluation import measure
    from core.evaluation.ranking import top_k

    mask, held_out, counted_on = splits(dataset)["test"]
    scorer = random_factors(dataset)
    users = np.random.default_rng(SEED).permutation(measure.evaluated_users(held_out))
    found = {}
    for share in (0.25, 0.5, 1.0):
        some = np.sort(users[: int(share * len(users))])
        ranking = top_k(scorer, some, mask, max(CUTOFFS), held_out)
        tracemalloc.start()
        measure.measure(ranking, held_out, counted_on, CUTOFFS, mask=mask)
        found[len(some)] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return found


def timed(what: Callable[[], None], rounds: int) -> list[Spent]:
    spent = []
    for _ in range(rounds):
        wall, cpu = perf_counter(), process_time()
        what()
        spent.append((perf_counter() - wall, process_time() - cpu))
    return spent


def least_of_both(by_split: list[list[Spent]]) -> Spent:
    """The least of the rounds, added up over the splits."""
    wall, cpu = (sum(min(spent[clock] for spent in rounds) for rounds in by_split) for clock in (0, 1))
    return wall, cpu


def theirs(dataset: Dataset, lists: dict[str, Any], rounds: int, python: Path) -> tuple[Spent, str]:
    """RecTools' seconds for the same lists, and its version."""
    found, version = [], ""
    for split, (_, held_out, counted_on) in splits(dataset).items():
        with tempfile.TemporaryDirectory() as folder:
            data.write_numbers(Path(folder), counted_on, held_out, {"lists": lists[split]})
            done = subprocess.run(
                [python, "-m", "benchmarks.metric_libraries.time_rectools", folder, str(rounds)],
                cwd=folder,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        answer = json.loads(done.stdout.splitlines()[-1])
        found.append([(wall, cpu) for wall, cpu in answer["spent"]])
        version = answer["version"]
    return least_of_both(found), version


def report(settings: Settings, name: str, rounds: int, python: Path) -> dict[str, Any]:
    try:
        info = find_dataset(settings, name)
    except Unknown:
        info = acquire(settings, name)
    dataset = read_dataset(info.folder)
    rows, lists = ours(dataset, rounds)
    rows["RecTools"], version = theirs(dataset, lists, rounds, python)
    return {
        "dataset": name,
        "users": dataset.train.n_users,
        "items": dataset.train.n_items,
        "splits": list(lists),
        "rounds": rounds,
        "seconds": {row: {"wall": wall, "cpu": cpu} for row, (wall, cpu) in rows.items()},
        "rectools": version,
        "peak_bytes": peaks(dataset),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def show(told: dict[str, Any]) -> None:
    print(f"\n{told['dataset']}: {told['users']} users, {told['items']} items, {' and '.join(told['splits'])}")
    for row, seconds in told["seconds"].items():
        print(f"{row:<12}{seconds['wall']:>10.3f} s{seconds['cpu']:>10.3f} s cpu")
    by_row = told["seconds"]
    for row in ("metrics", "both have"):
        wall, cpu = (by_row[row][clock] / by_row["RecTools"][clock] for clock in ("wall", "cpu"))
        print(f"{row + ' / RecTools':<24}{wall:>6.2f}{cpu:>6.2f} cpu   (aim: at most 0.5)")
    for n_users, peak in told["peak_bytes"].items():
        print(
            f"memory of {n_users:>6} users{peak / 2**20:>9.1f} MiB{peak / n_users / max(CUTOFFS):>8.0f} bytes a place"
        )
    print(f"RecTools {told['rectools']}, load {told['load']}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evaluation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("datasets", nargs="*", default=["ml-100k", "gowalla"], metavar="DATASET")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is timed")
    parser.add_argument("--env", type=Path, default=HOME, help="the environment that has RecTools")
    parser.add_argument("--json", type=Path, help="write the same numbers to this file")
    return parser.parse_args()


def main() -> int:
    asked = parse()
    settings = read_settings()
    use_kernel_cache(settings)
    try:
        told = [report(settings, name, asked.rounds, ready(asked.env)) for name in asked.datasets]
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for one in told:
        show(one)
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
