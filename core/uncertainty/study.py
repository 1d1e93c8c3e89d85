"""Everything that is asked of some variants' uncertainty, on one set of resamples.

Here: `Study`, arrays with the variants' and metrics' names, and its answers as rows. Not here: how each is computed
(the other modules), where the values are read (core/warehouse/per_user.py).
Making one is what costs; whatever is asked of it afterwards is quick, so pages keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Unknown
from core.evaluation.metrics import sign_of
from core.uncertainty.bootstrap import Resampled, interval, mean_of, sd_of
from core.uncertainty.front import crossed, front_probability
from core.uncertainty.verdict import NO_INTERVAL, OverUsers, differences, holm, over_users, verdicts
from core.uncertainty.weights import seed_weights
from core.uncertainty.win_win import labels

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Study:
    """Some variants of one data set, split and protocol, on common resamples."""

    variants: tuple[str, ...]
    """Ids, (V,)."""
    without_chance: NDArray[np.bool_]
    """(V,) variants that every seed gives the same."""
    values: Mapping[str, NDArray[np.float64]]
    """Metric key to (V, S) values of the runs, NaN where a variant has fewer seeds: all metrics asked for."""
    resampled: Mapping[str, Resampled]
    """Metric key to its resamples; a metric that resampling does not reach is absent."""
    per_user: Mapping[str, NDArray[np.floating]]
    """Metric key to (V, S, U) values; metrics of the whole set are absent."""

    def intervals(self, metric: str) -> list[Row]:
        """A row a variant: variant, metric, seeds, mean, low, high (95 % over users, None without), seed_sd (None with
        one seed)."""
        values = self._values(metric)
        lows, highs = interval(self.resampled[metric]) if metric in self.resampled else (self._nothing, self._nothing)
        columns = (np.isfinite(values).sum(axis=1), mean_of(values), lows, highs, sd_of(values))
        names = ("seeds", "mean", "low", "high", "seed_sd")
        return [
            {"variant": variant, "metric": metric, **dict(zip(names, map(_plain, row), strict=True))}
            for variant, *row in zip(self.variants, *columns, strict=True)
        ]

    def compare(self, metric: str, baseline: str, others: int = 0) -> list[Row]:
        """A row for each variant but the baseline, p-values corrected for all of them, and for so many others.

        variant, metric, value, baseline_value (means over seeds), difference (value minus baseline_value), low, high,
        p, p_holm (None where there is no answer), verdict, users_sd, seeds_sd (the parts of the difference's standard
        error), wilcoxon, t (p over users alone, deciding nothing). Raises Unknown.
        """
        base = self.position(baseline)
        means = mean_of(self._values(metric))
        if metric not in self.resampled:
            rows = [_without(metric, means[v] - means[base]) for v in range(len(means))]
        else:
            rows = self._compared(metric, base, others)
        return [
            {
                "variant": self.variants[v],
                **row,
                "value": _plain(means[v]),
                "baseline_value": _plain(means[base]),
                **self._beside(metric, v, base),
            }
            for v, row in enumerate(rows)
            if v != base
        ]

    def _compared(self, metric: str, base: int, others: int) -> list[Row]:
        found = differences(self.resampled[metric], base, self.without_chance)
        p_holm = holm(found.p, others)
        words = verdicts(found, p_holm, sign_of(metric))
        users_sd, seeds_sd = np.sqrt(found.of_users), np.sqrt(found.of_seeds)
        columns = (found.difference, found.low, found.high, found.p, p_holm, users_sd, seeds_sd)
        return [
            {"metric": metric, **dict(zip(_COMPARED, map(_plain, row), strict=True)), "verdict": word}
            for word, *row in zip(words, *columns, strict=True)
        ]

    def _beside(self, metric: str, variant: int, base: int) -> Row:
        nothing = OverUsers(float("nan"), float("nan"))
        values = self.per_user.get(metric)
        tests = nothing if values is None else over_users(values[variant], values[base])
        return {"wilcoxon": _plain(tests.wilcoxon), "t": _plain(tests.t)}

    def win_win(self, accuracy: str, bias: str, baseline: str) -> list[Row]:
        """A row a variant: variant, label (win_win.LABELS), p_accuracy, p_bias (Holm-corrected; None without an
        answer), front (probability to be on the Pareto front of both; None where an axis has no resamples). Raises
        Unknown."""
        base = self.position(baseline)
        by_axis = [{row["variant"]: row for row in self.compare(metric, baseline)} for metric in (accuracy, bias)]
        first, second = ([axis.get(v, {}).get("verdict", NO_INTERVAL) for v in self.variants] for axis in by_axis)
        front = self.front(accuracy, bias)
        return [
            {
                "variant": variant,
                "label": found,
                "p_accuracy": by_axis[0].get(variant, {}).get("p_holm"),
                "p_bias": by_axis[1].get(variant, {}).get("p_holm"),
                "front": front[variant],
            }
            for variant, found in zip(self.variants, labels(first, second, base), strict=True)
        ]

    def front(self, x: str, y: str) -> dict[str, float | None]:
        """The probability of each variant to be on the Pareto front of two metrics; None if an axis has no resamples.

        A variant with one seed moves with the users alone: its probability is surer than it should be.
        """
        if not {x, y} <= self.resampled.keys():
            return dict.fromkeys(self.variants)
        of_x, of_y = (crossed(self.resampled[m], self._seed_shares, self.without_chance) for m in (x, y))
        found = front_probability(of_x, of_y, sign_of(x), sign_of(y))
        return dict(zip(self.variants, found.tolist(), strict=True))

    def position(self, variant: str) -> int:
        """Where that variant is. Raises Unknown."""
        if variant not in self.variants:
            raise Unknown("variant", variant, self.variants)
        return self.variants.index(variant)

    @cached_property
    def _seed_shares(self) -> NDArray[np.float32]:
        any_of = next(iter(self.resampled.values()))
        most = [np.isfinite(any_of.values[v]).sum() for v in range(len(self.variants))]
        shares = seed_weights([int(n) for n in most], self.variants, len(any_of.draws))
        missing = any_of.values.shape[1] - shares.shape[2]
        return np.pad(shares, ((0, 0), (0, 0), (0, missing)))

    @property
    def _nothing(self) -> NDArray[np.float64]:
        return np.full(len(self.variants), np.nan)

    def _values(self, metric: str) -> NDArray[np.float64]:
        if metric not in self.values:
            raise Unknown("metric", metric, self.values)
        return self.values[metric]


_COMPARED = ("difference", "low", "high", "p", "p_holm", "users_sd", "seeds_sd")


def _without(metric: str, difference: float) -> Row:
    """A difference of a metric that resampling does not reach."""
    return {"metric": metric, **dict.fromkeys(_COMPARED), "difference": _plain(difference), "verdict": NO_INTERVAL}


def _plain(value: Any) -> int | float | None:
    """Python's own number; None for what is missing."""
    number: int | float = value.item() if isinstance(value, np.generic) else value
    return number if np.isfinite(number) else None
