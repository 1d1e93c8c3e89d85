"""The bias-variance analysis of finished replicates: which runs it needs, and its answer as a frame.

Here: replicates of a sweep, their margins on the fixed triples of a data set, the terms by group of items, intervals.
Not here: the terms themselves (evaluation/decomposition.py), training (training.py), charts.

An interval has two sources, kept together in one number because both are error of the same estimate: which users are
looked at (bootstrap over users) and which replicates there are (jackknife over replicates, paired by their number:
replicate r of every variant was trained on the same sample). Their variances add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets.simulated import prefers
from core.datasets.store import Dataset, find_dataset, read_dataset, read_truth
from core.errors import Refused
from core.evaluation.decomposition import Loss, Terms, decompose, per_user
from core.evaluation.groups import N_DECILES, deciles, hot_items
from core.evaluation.triples import Triples, fixed_triples, margins
from core.jobs import artifacts
from core.models.sweep import Sweep
from core.models.variant import Run, Variant
from core.settings import Settings
from core.uncertainty.bootstrap import sd_of
from core.uncertainty.weights import blocks, user_weights

By = Literal["bootstrap", "seeds"]
Split = Literal["validation", "test"]
REPLICATES, FEWEST = 20, 3
TERMS = ("loss", "bias", "noise", "variance")
GROUPS = ("all", "cold", "hot", *(f"decile {d}" for d in range(1, N_DECILES + 1)))
"""Of triples, by the popularity of their held-out item in what was trained on."""
RESAMPLES = 1_000  # of the users; of a standard deviation, not of an interval's ends
Z95 = 1.959963984540054


class Question(NamedTuple):
    """What is decomposed."""

    loss: Loss = "brier"
    by: By = "bootstrap"
    split: Split = "test"
    each: int = 1
    """Triples of a held-out pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """A variant with the replicates of it that are finished, by number."""

    variant: Variant
    runs: tuple[Run, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Which they are: what they are paired by."""
        return tuple(run.seed if run.bootstrap is None else run.bootstrap for run in self.runs)


def replicated(sweep: Sweep, by: By, replicates: int) -> Sweep:
    """The sweep that trains the replicates of another's variants. Raises Refused for fewer than FEWEST."""
    if replicates < FEWEST:
        raise Refused(f"{replicates} replicates show no variance. Ask for {FEWEST} or more; {REPLICATES} are usual.")
    numbers = tuple(range(replicates))
    if by == "seeds":
        return replace(sweep, seeds=numbers, baselines=(), replicates=0)
    return replace(sweep, baselines=(), replicates=replicates)


def finished_replicates(settings: Settings, variants: Sequence[Variant], by: By, most: int) -> list[Replicates]:
    """Of each variant, the finished replicates among the first `most`; variants that have none are left out."""
    there = set(artifacts.finished_runs(settings))
    found = []
    for variant in variants:
        runs = (Run(variant, r, bootstrap=r if by == "bootstrap" else None) for r in range(most))
        finished = tuple(run for run in runs if run.id in there)
        if finished:
            found.append(Replicates(variant, finished))
    return found


def decomposition(settings: Settings, found: Sequence[Replicates], question: Question) -> pd.DataFrame:
    """Bias and variance of each variant in each group of GROUPS, and what differs from the first variant.

    variant, label, method, path, strength, group, triples, replicates; for each of TERMS its mean (noise is
    missing where no truth is known: there it is part of bias), and `<term>_low`, `<term>_high`, a 95 % interval; and
    `d_<term>`, `d_<term>_low`, `d_<term>_high`, the difference to the first variant, over the replicates that both
    have. Raises Refused where a variant has fewer than FEWEST replicates, or the split no held-out item.
    """
    if short := [r.variant.label for r in found if len(r.runs) < FEWEST]:
        raise Refused(
            f"{short[0]} has fewer than {FEWEST} finished replicates. Train more, or wait for those under way."
        )
    if not found:
        raise Refused("No replicates are finished. Train some first: `python -m core decompose`.")
    looked = _look(settings, found, question)
    first = looked[0]
    frame = pd.concat([_rows(one, first, question) for one in looked], ignore_index=True)
    return frame[frame["triples"] > 0].reset_index(drop=True)


# --- reading


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """A variant's margins (R, T), and what they are about."""

    replicates: Replicates
    margins: NDArray[np.float32]
    triples: Triples
    truth: NDArray[np.float64] | None
    members: NDArray[np.bool_]
    """(groups, T)"""
    n_users: int
    dataset: str


def _look(settings: Settings, found: Sequence[Replicates], question: Question) -> list[_Looked]:
    info = find_dataset(settings, found[0].variant.dataset)
    dataset = read_dataset(info.folder)
    triples = triples_of(dataset, question)
    truth = read_truth(info.folder)
    q = prefers(truth, triples.users, triples.positives, triples.negatives) if truth else None
    looked = []
    for one in found:
        scale = np.float32(_temperature(one.variant))
        rows = [margins(artifacts.read_scorer(settings, run.id), dataset.n_items, triples) / scale for run in one.runs]
        members = _members(dataset.fitted(one.variant.protocol).popularity(), triples)
        looked.append(_Looked(one, np.stack(rows), triples, q, members, dataset.n_users, dataset.id))
    return looked


def triples_of(dataset: Dataset, question: Question) -> Triples:
    """The fixed triples of a data set. Raises Refused where the split is empty."""
    held_out = dataset.test if question.split == "test" else dataset.validation
    touched = dataset.train.merged(dataset.validation).merged(dataset.test)
    triples = fixed_triples(held_out, touched, question.each, seed=0)
    if not len(triples):
        raise Refused(f"The {question.split} part of this data set holds nothing. Choose the other split.")
    return triples


def _temperature(variant: Variant) -> float:
    """What a score is divided by before it is a logit: the loss that trained it says so."""
    return float(variant.tau or 1.0) if variant.loss in {"bpr", "infonce"} else 1.0


def _members(popularity: NDArray[np.int64], triples: Triples) -> NDArray[np.bool_]:
    hot, decile = hot_items(popularity)[triples.positives], deciles(popularity)[triples.positives]
    return np.stack([np.ones(len(triples), bool), ~hot, hot, *(decile == d for d in range(1, N_DECILES + 1))])


# --- means and intervals


def _rows(one: _Looked, first: _Looked, question: Question) -> pd.DataFrame:
    v = one.replicates.variant
    both = sorted(set(one.replicates.numbers) & set(first.replicates.numbers))
    means, errors = _summary(one, None, question)
    rows: dict[str, Any] = {
        "variant": v.id,
        "label": v.label,
        "method": v.method,
        "path": v.path(),
        "strength": v.strength[1] if v.strength else None,
        "group": GROUPS,
        "triples": one.members.sum(axis=1),
        "replicates": len(one.replicates.runs),
    }
    rows |= _columns("", means, errors)
    if one is not first and len(both) >= FEWEST:
        rows |= _columns("d_", *_summary(_paired(one, both), _paired(first, both), question))
    return pd.DataFrame(rows)


def _columns(prefix: str, means: NDArray[np.float64], errors: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    found = {}
    for at, name in enumerate(TERMS):
        found[f"{prefix}{name}"] = means[at]
        found[f"{prefix}{name}_low"] = means[at] - Z95 * errors[at]
        found[f"{prefix}{name}_high"] = means[at] + Z95 * errors[at]
    return found


def _paired(looked: _Looked, numbers: Sequence[int]) -> _Looked:
    kept = [looked.replicates.numbers.index(number) for number in numbers]
    return replace(looked, margins=looked.margins[kept])


def _summary(
    one: _Looked, other: _Looked | None, question: Question
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means of the terms by group, less the other's, and their standard errors: (terms, groups) each."""
    means, over_users = _over_users(one, other, question)
    return means, np.sqrt(over_users**2 + _over_replicates(one, other, question) ** 2)


def _terms(looked: _Looked, question: Question, kept: NDArray[np.bool_] | slice = slice(None)) -> NDArray[np.float64]:
    """(terms, T); noise NaN where it is not known apart."""
    found: Terms = decompose(looked.margins[kept], question.loss, looked.truth)
    noise = np.full(len(found.loss), np.nan) if found.noise is None else found.noise
    return np.stack([found.loss, found.bias, noise, found.variance])


def _difference(
    one: _Looked, other: _Looked | None, question: Question, kept: Any = slice(None)
) -> NDArray[np.float64]:
    terms = _terms(one, question, kept)
    return terms if other is None else terms - _terms(other, question, kept)


def _over_users(
    one: _Looked, other: _Looked | None, question: Question
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means, and their standard deviation over resamples of the users: each resample weighs a user's triples alike."""
    terms = _difference(one, other, question)
    shape = len(TERMS), len(GROUPS)
    sums, numbers = np.empty((*shape, one.n_users)), np.empty((len(GROUPS), one.n_users))
    for g, member in enumerate(one.members):
        users = one.triples.users[member]
        for t in range(len(TERMS)):
            sums[t, g], numbers[g] = per_user(terms[t, member], users, one.n_users)
    flat = sums.reshape(-1, one.n_users).T
    drawn = []
    for _, w in blocks(user_weights(one.n_users, one.dataset, RESAMPLES)):
        held = w @ numbers.T
        held[held == 0] = np.nan  # a resample without any triple of a small group
        drawn.append((w @ flat).reshape(len(w), *shape) / held[:, None, :])
    held = np.where(numbers.sum(axis=1) > 0, numbers.sum(axis=1), np.nan)
    return sums.sum(axis=2) / held, sd_of(np.moveaxis(np.concatenate(drawn), 0, -1))


def _over_replicates(one: _Looked, other: _Looked | None, question: Question) -> NDArray[np.float64]:
    """The jackknife standard error over replicates, (terms, groups). Efron, 1982."""
    n = len(one.margins)
    share = one.members / np.maximum(one.members.sum(axis=1, keepdims=True), 1)
    left_out = []
    for r in range(n):
        kept = np.arange(n) != r
        left_out.append(np.nan_to_num(_difference(one, other, question, kept)) @ share.T)
    spread = np.stack(left_out)
    error: NDArray[np.float64] = np.sqrt((n - 1) / n * ((spread - spread.mean(axis=0)) ** 2).sum(axis=0))
    return error
