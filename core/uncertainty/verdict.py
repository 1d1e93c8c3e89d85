"""Is one variant better than another? The crossed bootstrap's answer, corrected for how many were asked about.

Here: the standard error of a difference from resampled users and seeds, its degrees of freedom, p-values, Holm's
correction, the verdict in words, and the tests over users alone that stand beside it and decide nothing.
Not here: the resamples (bootstrap.py, set_metrics.py), two axes at once (win_win.py).

Why not a test over users alone: it takes the runs that were trained for the methods. Another seed would give another
difference, and with 943 users that chance is as large as the users'. docs/uncertainty.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from core.uncertainty.bootstrap import LEVEL, Resampled, mean_of

ALPHA = 1 - LEVEL
ENOUGH_SEEDS = 3
"""With two seeds a variance has one degree of freedom, and nothing but a huge difference could be told."""

BETTER, WORSE, SAME = "better", "worse", "not distinguishable"
FEW_SEEDS, NO_INTERVAL = "not enough seeds", "no interval"
VERDICTS = (BETTER, WORSE, SAME, FEW_SEEDS, NO_INTERVAL)
"""All verdicts; "no interval" where the metric has no value, or one that resampling does not reach."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """One metric of V variants minus their baseline's; all (V,), NaN where it cannot be told, as for the baseline."""

    difference: Floats
    """Variant minus baseline, of means over users and seeds."""
    error: Floats
    """Standard error of that, over users and seeds."""
    freedom: Floats
    """Degrees of freedom of the error."""
    low: Floats
    """Low end of the 95 % interval: it holds 0 exactly where p is above 0.05."""
    high: Floats
    """High end."""
    p: Floats
    """Two-sided p-value, not corrected."""
    of_users: Floats
    """Variance of the difference from users alone (seeds as they are)."""
    of_seeds: Floats
    """Variance from seeds alone, the users' part in it taken out."""
    enough_seeds: NDArray[np.bool_]
    """Have variant and baseline the seeds that a verdict needs?"""


def differences(resampled: Resampled, baseline: int, without_chance: NDArray[np.bool_] | None = None) -> Differences:
    r"""Each variant's difference from the baseline, with what users and seeds make of it.

    baseline: position of a variant; without_chance (V,) bool: variants that every seed gives the same, for which one
    run is enough and which add no variance of seeds.

    The crossed bootstrap draws users, and independently each variant's seeds (the pigeonhole bootstrap: Owen, Annals of
    Applied Statistics 1(2), 2007). Taken as it comes, it is wrong in two ways: of S seeds it sees (S-1)/S of their
    variance, two thirds at three, and the part of a run's chance that is one user's with one seed it counts three
    times. The parts of its variance are known apart, so both are put right:

        error^2 = V + sum over both variants of max(0, s^2 / S - w^2),

    V the variance over resampled users of the difference of seed means, s^2 the variance (ddof 1) of the runs' values,
    w^2 = sum over seeds of the variance over resampled users of (run minus seed mean) / (S (S - 1)), which is the
    users' part of s^2 / S and is in V already. Few seeds make the error itself uncertain: p is of Student's t with
    Satterthwaite's degrees of freedom (Biometrics Bulletin 2, 1946),

        error^4 / (V^2 / (U - 1) + sum of (s^2 / S)^2 / (S - 1)),

    and never fewer than the smallest of U - 1 and the S - 1: no sum of variances has fewer than its parts. The formula
    alone would where s^2 / S is the users' doing and left out above; a dozen users would have ends beyond all bounds.
    """
    chance = _chance(resampled, without_chance)
    draws, means = resampled.mean_draws, resampled.means
    of_users = _variance(draws - draws[:, [baseline]], resampled.n_users)
    of_seeds = chance.excess + chance.excess[baseline]
    error = np.sqrt(of_users + of_seeds)
    difference = means - means[baseline]
    uncertain = of_users**2 / max(resampled.n_users - 1, 1) + chance.uncertain + chance.uncertain[baseline]
    freedom = np.divide(error**4, uncertain, out=np.full_like(error, np.inf), where=uncertain > 0)
    freedom = np.maximum(freedom, np.minimum(chance.least, np.minimum(chance.least[baseline], resampled.n_users - 1)))
    enough = chance.enough & chance.enough[baseline]
    known = enough & np.isfinite(error) & (resampled.n_users > 1)
    known[baseline] = False  # it is not compared with itself, and does not count for Holm
    half = np.where(known, scipy.stats.t.ppf((1 + LEVEL) / 2, freedom) * error, np.nan)
    return Differences(
        difference,
        np.where(known, error, np.nan),
        np.where(known, freedom, np.nan),
        difference - half,
        difference + half,
        np.where(known, _two_sided(difference, error, freedom), np.nan),
        of_users,
        of_seeds,
        enough,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Chance:
    """What each variant's seeds add, (V,)."""

    excess: Floats  # variance of the mean over seeds beyond the users' part
    uncertain: Floats  # squared variance of the seed mean over its degrees of freedom
    least: Floats  # these degrees of freedom; without bound where seeds add nothing
    enough: NDArray[np.bool_]


def _chance(resampled: Resampled, without_chance: NDArray[np.bool_] | None) -> _Chance:
    seeds = resampled.seeds
    fixed = np.zeros(len(seeds), np.bool_) if without_chance is None else without_chance
    of_mean, own = seed_variance(resampled)
    counts = ~fixed & (seeds > 1)
    return _Chance(
        np.where(counts, np.maximum(of_mean - own, 0), 0.0),
        np.where(counts, of_mean**2 / np.maximum(seeds - 1, 1), 0.0),
        np.where(counts, seeds - 1.0, np.inf),
        np.where(fixed, seeds >= 1, seeds >= ENOUGH_SEEDS),
    )


def seed_variance(resampled: Resampled) -> tuple[Floats, Floats]:
    """The variance of each variant's mean over seeds, and the users' part in it: (V,) each, 0 with fewer than two.

    The first is s^2 / S; the second is w^2, of `differences`.
    """
    n = resampled.seeds
    around = np.maximum(n * (n - 1), 1)
    deviations = np.nan_to_num(resampled.values - resampled.means[:, None])
    own = np.zeros(len(n))
    centre = resampled.mean_draws
    for seed in range(resampled.values.shape[1]):  # a seed at a time: no second array of the resamples' size
        own += np.nan_to_num(_variance(resampled.draws[:, :, seed] - centre, resampled.n_users))
    return (deviations**2).sum(axis=1) / around, own / around


def _variance(draws: Floats, n_users: int) -> Floats:
    """Variance over resamples (axis 0) of what is defined, as that of n_users fresh users: a resample's is smaller."""
    centred = draws - mean_of(draws.T)
    defined = np.isfinite(centred)
    n = defined.sum(axis=0)
    squares = np.einsum("rv,rv->v", *[np.where(defined, centred, 0)] * 2)
    return np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan) * n_users / max(n_users - 1, 1)


def _two_sided(difference: Floats, error: Floats, freedom: Floats) -> Floats:
    """Two-sided p-values of Student's t. No error: 1 without a difference, 0 with one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, np.abs(difference) / error)
    return np.asarray(2 * scipy.stats.t.sf(t, freedom), np.float64)


def holm(p: Floats, others: int = 0) -> Floats:
    """Holm's correction for the number of p-values: the k-th smallest of n times n - k + 1, made rising, at most 1.

    others: p-values of the same family that are not known. They are taken for the largest, so that no p comes out
    smaller than it would if they were known. NaN stays NaN and does not count. Keeps the chance of any false
    "significant" below the level, whatever the dependence. Holm, Scandinavian Journal of Statistics 6(2), 1979.

    >>> holm(np.array([0.01, 0.04, 0.03, np.nan]))
    array([0.03, 0.06, 0.06,  nan])
    >>> holm(np.array([0.01, 0.02]), others=2)
    array([0.04, 0.06])
    """
    corrected = np.full(len(p), np.nan)
    at = np.flatnonzero(np.isfinite(p))
    order = at[np.argsort(p[at], kind="stable")]
    steps = p[order] * (np.arange(len(order), 0, -1) + others)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def verdicts(found: Differences, p_holm: Floats, sign: int) -> list[str]:
    """Each variant's verdict against the baseline, one of VERDICTS. sign: 1 where a higher value is better, else -1."""
    words = np.where(found.difference * sign > 0, BETTER, WORSE)
    words = np.where(p_holm < ALPHA, words, SAME)
    words = np.where(np.isnan(p_holm), NO_INTERVAL, words)
    words = np.where(found.enough_seeds, words, FEW_SEEDS)
    return [str(word) for word in np.where(np.isnan(found.difference), NO_INTERVAL, words)]  # no seed would change that


class OverUsers(NamedTuple):
    """Tests over users alone of one difference, of seed means: shown beside the verdict, deciding nothing."""

    wilcoxon: float
    """p of Wilcoxon's signed-rank test (users without a difference left out); NaN where there is none."""
    t: float
    """p of the paired t-test; NaN where there is none."""


def over_users(variant: NDArray[np.floating], baseline: NDArray[np.floating]) -> OverUsers:
    """Both tests of two variants' per-user values, (S, U) each; users whom either does not define are left out."""
    both = mean_of(variant.T) - mean_of(baseline.T)
    both = both[np.isfinite(both)]
    if len(both) < 2 or not both.any():
        return OverUsers(float("nan"), float("nan"))
    t = 0.0 if np.ptp(both) == 0 else float(scipy.stats.ttest_1samp(both, 0.0).pvalue)
    return OverUsers(float(scipy.stats.wilcoxon(both).pvalue), t)
