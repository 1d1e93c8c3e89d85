"""Training a run: a pure function from a prepared data set and a run to a result.

Here: the epochs, what is looked at between them, which one is kept, and what is reported under each protocol.
Not here: files, queue, clock time, logs (runner.py, artifacts.py), what an epoch does (models/engines/), metrics
(evaluation/).
numba is imported by whoever trains, not by whoever reads a result: call `use_kernel_cache` before `train`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from core.datasets.interactions import Interactions
from core.datasets.store import Dataset
from core.errors import BadVariant
from core.models.baselines import fit_baseline
from core.models.engines import make_engine
from core.models.protocols import chooses_epoch, refusal
from core.models.scorers import Scorer, penalised
from core.models.streams import streams
from core.models.variant import Run, Variant

if TYPE_CHECKING:
    from core.evaluation.measure import Evaluation

CHOSEN_BY = "ndcg@10"
"""The metric that early stopping and the choice of an epoch look at; on validation, or on test under `paper`."""


class Progress(NamedTuple):
    """How far a run is, reported after every epoch."""

    epoch: int
    epochs: int
    loss: float
    metric: float | None
    """NDCG@10 where this epoch was looked at."""
    best_epoch: int | None
    seconds: float
    left: float | None
    """Seconds until the last epoch at the speed so far; early stopping may end sooner."""


class HistoryRow(NamedTuple):
    """One epoch, as it is kept."""

    epoch: int
    seconds: float
    loss: float
    metric: float | None


Finished = Callable[[Run], tuple[Scorer, int] | None]
"""Asked for another run: its scorer and the epoch kept, if it is finished."""


class Reading(NamedTuple):
    """A metric's value at an epoch of its own."""

    value: float
    epoch: int


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A finished run."""

    run: Run
    scorer: Scorer
    """Of the epoch kept."""
    epoch: int
    """The epoch kept; 0 for a baseline that fits in closed form, that of the other run where one is re-ranked."""
    epochs_run: int
    seconds: float
    evaluations: dict[str, Evaluation]
    """Split to evaluation, of the epoch kept."""
    readings: dict[str, Reading] = field(default_factory=dict)
    """Protocol `paper`: each accuracy metric at its own best epoch, bias metrics at that of best precision."""
    history: list[HistoryRow] = field(default_factory=list)
    reranked: Result | None = None
    """The run that it re-ranks, where that had to be trained first: a finished run of its own."""


def train(
    dataset: Dataset,
    run: Run,
    observe: Callable[[Progress], None],
    device: str = "cpu",
    finished: Finished = lambda _: None,
) -> Result:
    """Train a run and evaluate the epoch it keeps. The same run gives the same numbers.

    observe: told after every epoch; may raise Cancelled to stop. device: "cpu" or "cuda", for the autograd engine.
    finished: where a popularity penalty looks for the run that it re-ranks, which is trained first if it is not there.
    Raises BadVariant if the data set cannot serve the variant, RunFailed as soon as training diverges.
    """
    variant, started = run.variant, perf_counter()
    _check(run, dataset)
    if run.reranked:
        return _rerank(dataset, run, finished(run.reranked) or train(dataset, run.reranked, observe, device))
    if variant.baseline:
        scorer = fit_baseline(variant, dataset.fitted(variant.protocol), run.seed)
        return Result(run, scorer, 0, 0, perf_counter() - started, _evaluations(dataset, variant, scorer))
    judge = _judge(dataset, variant)
    kept = _fit(dataset, run, judge, observe, device)
    evaluations = _evaluations(dataset, variant, kept.scorer)
    readings = judge.readings() if isinstance(judge, _OnTest) else {}
    seconds = perf_counter() - started
    return Result(run, kept.scorer, kept.epoch, len(kept.history), seconds, evaluations, readings, kept.history)


def _check(run: Run, dataset: Dataset) -> None:
    fitted = dataset.fitted(run.variant.protocol)
    negatives = fitted.n_items - int(fitted.lengths().min(initial=fitted.n_items))
    if reason := refusal(run.variant, len(dataset.validation), negatives):
        raise BadVariant(reason)
    if run.bootstrap is not None and run.variant.baseline:
        raise BadVariant("Bootstrap replicates are of trained settings only. Leave the baseline out.")


def _rerank(dataset: Dataset, run: Run, base: Result | tuple[Scorer, int]) -> Result:
    """Put the penalty on what the other run scores. Its seconds are those of the re-ranking alone."""
    variant, started = run.variant, perf_counter()
    trained = base if isinstance(base, Result) else None
    scorer, epoch = base if isinstance(base, tuple) else (base.scorer, base.epoch)
    popularity = dataset.fitted(variant.protocol).popularity()
    scorer = penalised(scorer, popularity, float(variant.penalty_strength or 0))
    evaluations = _evaluations(dataset, variant, scorer)
    return Result(run, scorer, epoch, 0, perf_counter() - started, evaluations, reranked=trained)


def trained_on(dataset: Dataset, run: Run) -> Interactions:
    """The pairs that a run trains on; of a bootstrap replicate a sample of them, the same for every variant."""
    fitted = dataset.fitted(run.variant.protocol)
    return fitted if run.bootstrap is None else fitted.resampled(streams(run.bootstrap)["bootstrap"])


# --- the epochs


@dataclass(slots=True, eq=False)
class _Kept:
    """The epoch kept so far, and what led there."""

    scorer: Scorer
    epoch: int = 0
    metric: float = -math.inf
    looks_since: int = 0
    history: list[HistoryRow] = field(default_factory=list)

    def look(self, scorer: Scorer, epoch: int, metric: float) -> None:
        """Take this epoch if it is better; of equal ones the first stays."""
        self.looks_since += 1
        if metric > self.metric:
            self.scorer, self.epoch, self.metric, self.looks_since = scorer, epoch, metric, 0


def _fit(dataset: Dataset, run: Run, judge: _Judge | None, observe: Callable[[Progress], None], device: str) -> _Kept:
    v = run.variant
    epochs, every, patience = int(v.epochs or 0), int(v.eval_every or 1), v.early_stopping or 0
    untrained = v.warm_up or 0  # what ranks has not moved yet: such an epoch is not kept, nor does it cost patience
    engine = make_engine(v, trained_on(dataset, run), run.seed, device)
    kept, started = _Kept(engine.scorer()), perf_counter()
    for epoch in range(1, epochs + 1):
        loss, metric = engine.epoch().loss, None
        if judge and epoch > untrained and (epoch % every == 0 or epoch == epochs):
            scorer = engine.scorer()
            metric = judge.look(scorer, epoch)
            kept.look(scorer, epoch, metric)
        seconds = perf_counter() - started
        kept.history.append(HistoryRow(epoch, seconds, loss, metric))
        left = seconds / epoch * (epochs - epoch)
        observe(Progress(epoch, epochs, loss, metric, kept.epoch or None, seconds, left))
        if patience and kept.looks_since >= patience:
            break
    if judge is None:
        kept.scorer, kept.epoch = engine.scorer(), epochs
    return kept


# --- what an epoch is judged by


def _judge(dataset: Dataset, variant: Variant) -> _Judge | None:
    if not chooses_epoch(variant, len(dataset.validation)):
        return None
    return _OnTest(dataset) if variant.protocol == "paper" else _OnValidation(dataset)


@dataclass(slots=True, eq=False)
class _OnValidation:
    """Looks at one number on validation."""

    dataset: Dataset

    def look(self, scorer: Scorer, _: int) -> float:
        from core.evaluation.evaluate import ndcg_only

        return ndcg_only(scorer, self.dataset.train, self.dataset.validation)


class _OnTest:
    """Looks at everything on test, as both papers did, and keeps every look."""

    def __init__(self, dataset: Dataset):
        self._test, self._fitted = dataset.test, dataset.fitted("paper")
        self._looks: dict[int, dict[str, float]] = {}

    def look(self, scorer: Scorer, epoch: int) -> float:
        from core.evaluation.evaluate import evaluate

        self._looks[epoch] = evaluate(scorer, self._fitted, self._test, self._fitted).metrics
        return self._looks[epoch][CHOSEN_BY]

    def readings(self) -> dict[str, Reading]:
        """Each accuracy metric at its own best epoch; a bias metric at the epoch of best precision at its cutoff.

        At 10 where it has none. A metric that is not defined at the epoch chosen has no reading.
        """
        from core.evaluation.metrics import METRICS, all_keys, metric_key, parse_key

        found: dict[str, Reading] = {}
        for key in all_keys():
            name, k = parse_key(key)
            by = key if METRICS[name].kind == "accuracy" else metric_key("precision", k or 10)
            looks = {epoch: look[by] for epoch, look in self._looks.items() if by in look}
            epoch = max(looks, key=looks.__getitem__, default=None)
            if epoch is not None and key in self._looks[epoch]:
                found[key] = Reading(self._looks[epoch][key], epoch)
        return found


_Judge = _OnValidation | _OnTest


# --- what is reported


def _evaluations(dataset: Dataset, variant: Variant, scorer: Scorer) -> dict[str, Evaluation]:
    """Test, and under protocol `validation` validation too. Popularity is counted on what was trained on.

    Test lists mask train and validation under every protocol.
    """
    from core.evaluation.evaluate import evaluate

    fitted = dataset.fitted(variant.protocol)
    found = {}
    if variant.protocol == "validation" and len(dataset.validation):
        found["validation"] = evaluate(scorer, dataset.train, dataset.validation, fitted)
    found["test"] = evaluate(scorer, dataset.train.merged(dataset.validation), dataset.test, fitted)
    return found
