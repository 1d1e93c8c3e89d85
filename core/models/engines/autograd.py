"""The autograd engine: every encoder and loss, Adam or SGD, in batches, on CPU or GPU, with torch.

Here: an epoch's order and batches, what a step decays, and what moves when.
Not here: losses (objectives.py), LightGCN's propagation (propagation.py), negatives (drawing.py, sam.py), and when to
stop (jobs/training.py).

A step of a batch: the encoder's outputs; negatives drawn from them as they are; the loss's gradient; the optimizer.
SGD adds the losses of a batch up, so that its learning rate means what it means pair by pair in the compiled engine;
Adam averages them, as both papers' programs do.

OneBP (arXiv 2403.18227): no gradient reaches the user tower. The loss sees the users' outputs detached, so the user
table has no gradient and does not decay; after the items' step each user of the batch moves by moving aggregation,
p_u <- a p_u + (1 - a) q_i, with the updated q_i. With LightGCN these are the tables that propagation begins with: the
user's base embedding moves to the item's base embedding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.models.encoders import mf_tables
from core.models.engines.drawing import NegativeDrawer
from core.models.engines.objectives import OBJECTIVES, Batch, Objective, Vectors
from core.models.engines.propagation import Graph
from core.models.engines.report import EpochReport
from core.models.engines.sam import SamPairs
from core.models.scorers import Factors, GatedFactors, scores_are_numbers
from core.models.streams import streams
from core.models.variant import Variant


class AutogradEngine:
    """Trains one run, an epoch a call.

    variant: of the autograd engine; fitted: the pairs trained on; seed: of the run; device: "cpu" or "cuda". Same
    arguments, same machine and versions: the same bytes after every epoch on a CPU. dtype: float64 only for tests.
    """

    def __init__(
        self,
        variant: Variant,
        fitted: Interactions,
        seed: int,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        torch.set_num_threads(1)  # two threads on two busy cores take up to a hundred times as long
        self._variant, self._fitted = variant, fitted
        self._device, self._dtype = torch.device(device), dtype
        chance = streams(seed)
        self._order, self._epochs = chance["order"], 0
        tables = mf_tables(variant, fitted.n_users, fitted.n_items, chance["init"])
        self.users, self.items = (torch.from_numpy(t).to(self._device, dtype) for t in tables)
        self.users.requires_grad_(variant.updater != "one_bp")
        self.items.requires_grad_()
        self._objective: Objective = OBJECTIVES[str(variant.loss)](variant, fitted, chance["init"], dtype, self._device)
        self._graph = (
            Graph(fitted, int(variant.layers or 0), dtype, self._device) if variant.encoder == "lightgcn" else None
        )
        self._drawer = NegativeDrawer(variant, fitted, chance["negatives"])
        self._sam = None if self._objective.draws else SamPairs(fitted, chance["negatives"])
        self._all_users, self._all_items, self._trained = fitted.users(), fitted.indices, fitted.trained()
        self._more = chance["order"].spawn(1)[0]
        self._optimizer = self._make_optimizer()
        self._lr_after = _schedule(variant.lr_decay)

    # --- an epoch

    def epoch(self) -> EpochReport:
        """One pass over the training pairs. Raises RunFailed as soon as a number is no longer finite."""
        self._epochs += 1
        self._objective.epoch = self._epochs
        loss, skipped = 0.0, 0
        for number, pairs in enumerate(self._batches()):
            vectors = self.vectors()
            batch, left_out = self._draw(vectors, pairs, number)
            skipped += left_out
            if len(batch.users):
                loss += self.step(vectors, batch) * len(batch.users)
        for group in self._optimizer.param_groups:
            group["lr"] *= self._lr_after.get(self._epochs, 1.0)
        return EpochReport(loss / max(len(self._trained) - skipped, 1), skipped)

    def _batches(self) -> Iterator[NDArray[np.int64]]:
        """Numbers of pairs, in a new random order, `batch` at a time; the last batch may be smaller."""
        order, size = self._order.permutation(self._trained), int(self._variant.batch or 1)
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def _draw(self, seen: Vectors, pairs: NDArray[np.int64], number: int) -> tuple[Batch, int]:
        """The batch of these pairs, negatives drawn; pairs of users who took every item are left out and counted."""
        users, items = self._all_users[pairs], self._all_items[pairs]
        if self._sam is not None:
            negatives = self._sam.draw(users, items, number * int(self._variant.batch or 1))[:, None]
        else:
            tables = _plain(seen.users), _plain(seen.items)
            negatives = self._drawer.draw(*tables, users, items, self._objective.negatives)
        kept = negatives[:, 0] >= 0
        more = self._further_positives(users)
        parts = (torch.from_numpy(p[kept].astype(np.int64)).to(self._device) for p in (users, items, negatives, more))
        return Batch(*parts), int((~kept).sum())

    def _further_positives(self, users: NDArray[np.int32]) -> NDArray[np.int32]:
        """M - 1 items of each user, uniform with replacement, (B, M - 1)."""
        n = self._objective.more_positives
        if n == 0:
            return np.empty((len(users), 0), np.int32)
        lengths = self._fitted.lengths()[users]
        places = self._more.integers(0, lengths[:, None], (len(users), n))
        drawn: NDArray[np.int32] = self._fitted.indices[self._fitted.indptr[users][:, None] + places]
        return drawn

    # --- a step

    def step(self, vectors: Vectors, batch: Batch) -> float:
        """One step, in place, from `vectors()` as they are. Returns the mean loss of the batch's pairs before it."""
        trains = self._objective.trains_tables
        cost, whole = self._objective.costs(vectors, batch)
        loss = cost.mean() if whole is None else cost.mean() + whole
        seen = float(loss.detach())
        if not math.isfinite(seen):
            raise self._diverged()
        if trains and (decay := self._decay(batch)) is not None:
            loss = loss + decay
        self._optimizer.zero_grad(set_to_none=True)
        (loss * len(batch.users) if self._variant.optimizer == "sgd" else loss).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        if trains and self._variant.updater == "one_bp":
            self._aggregate(batch)
        return seen

    def vectors(self) -> Vectors:
        """The encoder's outputs, for sampler and loss. Under OneBP the users' are detached: no gradient passes them."""
        made = self._encode()
        if self._variant.updater == "one_bp":
            return Vectors(made.users.detach(), made.items, made.control)
        return made

    def _encode(self) -> Vectors:
        control = self._objective.control
        if self._graph is None:
            return Vectors(self.users, self.items, control)
        users, items = self._graph.propagate(self.users, self.items)
        if len(control):
            control = self._graph.propagate(self.users, control)[1]
        return Vectors(users, items, control)

    def _decay(self, batch: Batch) -> Tensor | None:
        """What is added to the mean loss so that the batch's rows decay; None where the optimizer sees to it."""
        v = self._variant
        if not v.l2 or (v.optimizer == "adam" and v.l2_form == "dense"):
            return None
        rows = [self.items[batch.items], self.items[batch.negatives], self.items[batch.more]]
        if v.updater != "one_bp":
            rows.append(self.users[batch.users])
        return v.l2 / 2 * sum((r.square().sum() for r in rows), start=self.items.new_zeros(())) / len(batch.users)

    @torch.no_grad()
    def _aggregate(self, batch: Batch) -> None:
        """Moving aggregation of the batch's users, one pair after the other, or only the last pair of each user."""
        users, items = batch.users.cpu().numpy(), batch.items.cpu().numpy()
        order = np.argsort(users, kind="stable")
        distinct, starts, counts = np.unique(users[order], return_index=True, return_counts=True)
        ends = np.repeat(starts + counts, counts)
        later = ends - 1 - np.arange(len(users))  # moves of the same user that follow this one
        a = float(self._variant.aggregation or 0.0)
        if self._variant.duplicates == "one":
            weights, kept = np.where(later == 0, 1 - a, 0.0), np.full(len(distinct), a)
        else:
            weights, kept = (1 - a) * a**later, a**counts
        moved = torch.from_numpy(distinct).to(self._device)
        weight = torch.from_numpy(weights).to(self._device, self._dtype)[:, None]
        target = self.items[torch.from_numpy(items[order]).to(self._device)] * weight
        place = torch.from_numpy(np.repeat(np.arange(len(distinct)), counts)).to(self._device)
        rest = self.users[moved] * torch.from_numpy(kept).to(self._device, self._dtype)[:, None]
        self.users[moved] = rest.index_add_(0, place, target)

    def _make_optimizer(self) -> torch.optim.Optimizer:
        v = self._variant
        tables = [t for t in (self.users, self.items) if t.requires_grad]
        learnt = [{"params": tables + self._objective.parameters()}]
        if v.optimizer == "sgd":
            return torch.optim.SGD(learnt, lr=float(v.lr or 0))
        decay = float(v.l2 or 0) if v.l2_form == "dense" else 0.0
        return torch.optim.Adam(learnt, lr=float(v.lr or 0), weight_decay=decay, fused=True)

    def _diverged(self) -> RunFailed:
        return RunFailed(
            f"Training diverged in epoch {self._epochs}: the loss or a score is no longer a number",
            f"Lower lr, which is {self._variant.lr:g}",
        )

    # --- what it has learnt

    def scorer(self) -> Factors | GatedFactors:
        """What ranks at this moment, a copy. Raises RunFailed if a score may no longer be finite."""
        with torch.no_grad():
            made = self._encode()
        users, items = (_plain(t).copy() for t in (made.users, made.items))
        if not scores_are_numbers(users, items):
            raise self._diverged()
        return self._objective.scorer(users, items)


def _plain(table: Tensor) -> NDArray[np.float32]:
    """As numpy, float32, on the CPU; without a copy where it is that already."""
    array: NDArray[np.float32] = table.detach().to("cpu", torch.float32).contiguous().numpy()
    return array


def _schedule(lr_decay: str | None) -> dict[int, float]:
    """Epoch after which lr is multiplied, and by what, of a schedule in `fields.read_decay`'s form."""
    steps = (step.split(":") for step in (lr_decay or "").split())
    return {int(epoch): float(factor) for epoch, factor in steps}
