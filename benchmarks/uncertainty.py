"""What uncertainty costs: 2,000 resamples of 200 variants with 3 seeds, 10 metrics of 943 users, and the fronts.

    python -m benchmarks.uncertainty [--variants 200 --seeds 3 --users 943 --items 1682 --metrics 10 --resamples 2000]

Values are made up; the arithmetic does not depend on them. Metrics of the whole set are resampled like means once each
user's part in them is known, which is timed for itself. Reading the runs' files is not in it.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np

from core.uncertainty.bootstrap import interval, resample_means
from core.uncertainty.front import crossed, front_probability
from core.uncertainty.set_metrics import OF_COUNTS
from core.uncertainty.verdict import differences, holm, over_users
from core.uncertainty.weights import seed_weights, user_weights

Answer = TypeVar("Answer")


def timed(what: str, work: Callable[[], Answer]) -> Answer:
    wall, cpu = perf_counter(), process_time()
    answer = work()
    print(f"| {what} | {process_time() - cpu:.2f} | {perf_counter() - wall:.2f} |", flush=True)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"variants": 200, "seeds": 3, "users": 943, "items": 1682, "metrics": 10, "resamples": 2000}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    runs = (asked.variants, asked.seeds)
    values = [rng.random((*runs, asked.users), np.float32) for _ in range(asked.metrics)]
    print("| what | seconds of processor | seconds |\n|---|---|---|")
    weights = timed("weights of users", lambda: user_weights(asked.users, "made up", asked.resamples))
    names = [str(n) for n in range(asked.variants)]
    shares = timed("weights of seeds", lambda: seed_weights([asked.seeds] * len(names), names, asked.resamples))
    resampled = timed(f"{asked.metrics} metrics resampled", lambda: [resample_means(v, weights) for v in values])
    timed("their intervals", lambda: [interval(r) for r in resampled])
    timed("their verdicts against a baseline, Holm", lambda: [holm(differences(r, 0).p) for r in resampled])
    timed("Wilcoxon and t beside them", lambda: [over_users(v[n], v[0]) for v in values for n in range(1, len(v))])
    draws = timed("two metrics on resampled users and seeds", lambda: [crossed(r, shares) for r in resampled[:2]])
    timed("probability of each variant to be on their front", lambda: front_probability(*draws, 1, 1))
    top_k = long_tailed(rng, asked.users, asked.items)
    for name, of in OF_COUNTS.items():
        timed(f"{name}: values of users, {asked.seeds * len(names)} runs", lambda of=of: _of_runs(of, top_k, asked))
    print(f"\nMost memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")


def _of_runs(of: Callable[[np.ndarray, int], object], top_k: np.ndarray, asked: argparse.Namespace) -> None:
    for _ in range(asked.variants * asked.seeds):
        of(top_k, asked.items)


def long_tailed(rng: np.random.Generator, n_users: int, n_items: int) -> np.ndarray:
    """Lists of 10 in which a third of the catalogue is shown, popular items more often."""
    some = n_items // 3
    popularity = 1 / np.arange(1, some + 1)
    draw = rng.gumbel(size=(n_users, some)) + np.log(popularity)
    return np.argpartition(-draw, 10, axis=1)[:, :10].astype(np.int32)


if __name__ == "__main__":
    main()
