"""How often each test calls a difference significant where there is none, and how often where there is one.

    python -m benchmarks.calibration                              made-up runs: the tables of docs/uncertainty.md
    python -m benchmarks.calibration --real VARIANT [--metric ndcg@10 aplt@10 gini@10]
                                                                  finished runs of one variant with many seeds
    python -m benchmarks.calibration --lists                      intervals of metrics of the whole set

Made-up runs: a user's value is the user's level, plus what the variant is for that user, plus the run's luck (seed),
plus what this run is for this user. Real runs of one variant, two groups of whose seeds are drawn again and again, have
no true difference either, and nothing about their chance is assumed. Beside the product's verdict stand the tests that
it is not: over users alone, over seeds alone, and the crossed bootstrap as it comes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from core.evaluation import measure
from core.evaluation.popularity import recommendation_counts
from core.uncertainty.bootstrap import Resampled, resample_means
from core.uncertainty.set_metrics import OF_COUNTS
from core.uncertainty.verdict import ALPHA, differences, over_users
from core.uncertainty.weights import seed_weights, user_weights

Pair = NDArray[np.float64]  # (2, S, U)
METRICS = ["ndcg@10", "recall@10", "aplt@10", "arp@10", "coverage@10", "gini@10"]
TESTS = {
    "verdict": "verdict",
    "plain": "crossed bootstrap as it comes",
    "normal": "verdict without degrees of freedom",
    "t_users": "t over users",
    "wilcoxon": "Wilcoxon over users",
    "t_seeds": "t over seeds",
}


@dataclass(frozen=True)
class World:
    """Standard deviations of made-up runs, near those of NDCG@10 on MovieLens 100K."""

    users: int = 943
    seeds: int = 3
    level: float = 0.25
    """Of users: common to both variants."""
    variant: float = 0.07
    """Of what a variant is for a user: the reason why users are resampled."""
    run: float = 0.06
    """Of what a run is for a user, beyond its variant."""
    seed: float = 0.003
    """Of runs, beyond the mean of `run` over users."""
    difference: float = 0.0


def made_up(world: World, repetitions: int) -> Iterator[Pair]:
    """Pairs of variants: (2, seeds, users) each."""
    rng = np.random.default_rng(4)
    w = world
    for _ in range(repetitions):
        values = rng.normal(0.4, w.level, (1, 1, w.users)) + rng.normal(0, w.variant, (2, 1, w.users))
        values = values + rng.normal(0, w.seed, (2, w.seeds, 1)) + rng.normal(0, w.run, (2, w.seeds, w.users))
        values[1] += w.difference
        yield values


def tests_of(resampled: Resampled, shares: NDArray[np.float32]) -> dict[str, float]:
    """The p-values of the tests that a metric's resamples give."""
    found = differences(resampled, 0)
    difference = found.difference[1]
    means = np.einsum("rvs,rvs->rv", shares, resampled.draws)
    away = np.abs(means[:, 1] - means[:, 0] - difference) >= abs(difference)
    return {
        "verdict": float(found.p[1]),
        "plain": (1 + away.sum()) / (len(away) + 1),
        "normal": float(2 * scipy.stats.norm.sf(abs(difference) / found.error[1])),
        "t_seeds": float(scipy.stats.ttest_ind(*resampled.values, equal_var=False).pvalue),
    }


def all_tests(pair: Pair, weights: NDArray[np.uint8], shares: NDArray[np.float32]) -> dict[str, float]:
    """The p-values of all tests of two variants' per-user values."""
    beside = over_users(pair[1], pair[0])
    return {**tests_of(resample_means(pair, weights), shares), "t_users": beside.t, "wilcoxon": beside.wilcoxon}


def significant(found: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Share of each test's p-values below the level."""
    rows = list(found)
    return {test: float(np.mean([row[test] < ALPHA for row in rows])) for test in TESTS if test in rows[0]}


def row_of(world: World, repetitions: int, resamples: int) -> dict[str, float]:
    weights = user_weights(world.users, "calibration", resamples)
    shares = seed_weights([world.seeds] * 2, ["a", "b"], resamples)
    return significant(all_tests(pair, weights, shares) for pair in made_up(world, repetitions))


def show(first: list[str], shares: Mapping[str, float]) -> None:
    print(f"| {' | '.join([*first, *(f'{shares[t]:.1%}' if t in shares else '' for t in TESTS)])} |", flush=True)


def heading(*first: str) -> None:
    names = [*first, *TESTS.values()]
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")


def of_made_up(repetitions: int, resamples: int) -> None:
    print(f"Significant at {ALPHA:.0%} in {repetitions} repetitions; {World().users} users, {resamples} resamples.")
    heading("no true difference", "seeds", "sd of seeds")
    for what, world in (("two variants", World()), ("one variant twice", World(variant=0.0))):
        for seeds, seed in ((3, 0.0), (3, 0.002), (3, 0.003), (3, 0.005), (3, 0.01), (5, 0.003), (10, 0.003)):
            shares = row_of(replace(world, seeds=seeds, seed=seed), repetitions, resamples)
            show([what, str(seeds), f"{seed:g}"], shares)
    heading("true difference", "seeds", "sd of seeds")
    for difference in (0.005, 0.01, 0.015, 0.02):
        for seeds, seed in ((3, 0.003), (5, 0.003), (3, 0.005)):
            world = World(seeds=seeds, seed=seed, difference=difference)
            show([f"{difference:g}", str(seeds), f"{seed:g}"], row_of(world, repetitions, resamples))


def of_real(variant: str, metrics: list[str], seeds: int, repetitions: int, resamples: int) -> None:
    """Two groups of a variant's seeds, drawn without replacement: they differ by chance only."""
    from core.settings import read_settings
    from core.warehouse.database import Warehouse
    from core.warehouse.per_user import find_variant, study

    warehouse = Warehouse.open(read_settings(), own=False)
    found = study(warehouse, [find_variant(warehouse, variant)], metrics, resamples=resamples)
    runs = next(iter(found.values.values())).shape[1]
    print(
        f"Significant at {ALPHA:.0%} in {repetitions} draws of two groups of {seeds} of {runs} real runs of {variant}."
    )
    shares = seed_weights([seeds] * 2, ["a", "b"], resamples)
    heading("metric")
    for metric, resampled in found.resampled.items():
        rng = np.random.default_rng(0)
        drawn = (rng.permutation(runs)[: 2 * seeds].reshape(2, seeds) for _ in range(repetitions))
        rows = (_of_groups(resampled, found.per_user.get(metric), groups, shares) for groups in drawn)
        show([metric], significant(rows))


def _of_groups(
    resampled: Resampled, values: NDArray[np.floating] | None, groups: NDArray[np.int64], shares: NDArray[np.float32]
) -> dict[str, float]:
    pair = Resampled(resampled.values[0, groups], resampled.draws[:, 0, groups], resampled.n_users)
    if values is None:
        return tests_of(pair, shares)
    beside = over_users(values[0, groups[1]], values[0, groups[0]])
    return {**tests_of(pair, shares), "t_users": beside.t, "wilcoxon": beside.wilcoxon}


def of_lists(repetitions: int, resamples: int, n_users: int = 943, n_items: int = 1682, k: int = 10) -> None:
    """Lists of fresh users, again and again: how often an interval holds the metric's mean over all of them.

    Beside the jackknife's values, which the product resamples, stands the metric of each resample's own lists, as it
    comes and moved so that its mean is the value measured.
    """
    print("| metric | sd over fresh users | jackknife: sd, held | recomputed: sd, held | recomputed, moved: held |")
    print("|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    weights = user_weights(n_users, "lists", resamples)
    lists = [_fresh(rng, n_users, n_items // 2, k) for _ in range(repetitions)]
    for name, both in OF_COUNTS.items():
        values = np.array([both(top_k, n_items)[0] for top_k in lists])
        without = np.array([both(top_k, n_items)[1] for top_k in lists])
        pseudo = values[:, None] + (n_users - 1) * (without.mean(axis=1, keepdims=True) - without)
        linear = resample_means(pseudo[:, None], weights).draws[:, :, 0]
        again = np.stack([_recomputed(name, top_k, n_items, weights) for top_k in lists], axis=1)
        cells = [f"{d.std(axis=0).mean():.5f}, {_held(d, values.mean()):.1%}" for d in (linear, again)]
        moved = _held(again - again.mean(axis=0) + values, values.mean())
        print(f"| {name} | {values.std(ddof=1):.5f} | {' | '.join(cells)} | {moved:.1%} |", flush=True)


def _recomputed(name: str, top_k: NDArray[np.int32], n_items: int, weights: NDArray[np.uint8]) -> NDArray[np.float64]:
    of = measure.OF_COUNTS[name]
    return np.array([of(recommendation_counts(top_k, n_items, times.astype(float))) for times in weights])


def _held(draws: NDArray[np.floating], mean: float) -> float:
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    return float(np.mean((low <= mean) & (mean <= high)))


def _fresh(rng: np.random.Generator, n_users: int, n_shown: int, k: int) -> NDArray[np.int32]:
    """Lists of users who differ in how much of the long tail they are shown."""
    taste = rng.gamma(4, 1 / 4, (n_users, 1))
    scores = rng.gumbel(size=(n_users, n_shown)) - taste * 1.5 * np.log(np.arange(1, n_shown + 1))
    return np.argpartition(-scores, k, axis=1)[:, :k].astype(np.int32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", metavar="VARIANT")
    parser.add_argument("--metric", nargs="+", default=METRICS)
    parser.add_argument("--lists", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=2000)
    asked = parser.parse_args()
    if asked.real:
        of_real(asked.real, asked.metric, asked.seeds, asked.repetitions, asked.resamples)
    elif asked.lists:
        of_lists(asked.repetitions, asked.resamples)
    else:
        of_made_up(asked.repetitions, asked.resamples)


if __name__ == "__main__":
    main()
