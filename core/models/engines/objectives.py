"""The losses of the autograd engine: what a batch of pairs costs, as torch computes it.

Here: one class a loss. Each gives the loss of every pair of the batch and, where it has one, a term of the whole batch;
the tables it learns beside the embeddings; and the scorer it ranks with.
Not here: how negatives are drawn (drawing.py), decay, steps and updating (autograd.py), the compiled losses and the
weights that both engines share (losses.py).

Symbols: u user, i positive, j negative, x score (dot product of the encoder's outputs), sigma the logistic function, B
pairs of a batch, n negatives a pair, M positives a pair, d the length of an embedding.
A new loss is one class here, one line in OBJECTIVES, one row in LOSSES of choices.py, one row in docs/methods.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize, softplus

from core.datasets.interactions import Interactions
from core.models.encoders import mf_table
from core.models.losses import ips_weights, var_bpr_log_priors
from core.models.scorers import Factors, GatedFactors, mixed
from core.models.variant import Variant

DENSE = 16  # scoring a whole catalogue by one matrix product beats gathering so many rows a pair (measured: 10 to 20)
EDGE = 1e-6  # how far a cosine stays away from 1 and -1, where the angle has no finite slope


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pairs, with what was drawn for them. All int64."""

    users: Tensor
    """(B,)"""
    items: Tensor
    """(B,) the positives."""
    negatives: Tensor
    """(B, n)"""
    more: Tensor
    """(B, M - 1) further items of the same users; (B, 0) where the loss asks for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """The encoder's outputs: users (U, d), items (I, d); control (I, d), CausE's second table, else empty."""

    users: Tensor
    items: Tensor
    control: Tensor


class Objective:
    """What every loss has; `bpr` is the simplest one."""

    more_positives = 0
    """Further positives of a pair."""
    draws = True
    """Are negatives drawn by the sampler?"""
    epoch = 1
    """The one that trains, counted from 1; the engine counts."""

    def __init__(
        self,
        variant: Variant,
        fitted: Interactions,
        stream: np.random.Generator,
        dtype: torch.dtype,
        device: torch.device,
    ):
        self.variant, self.dtype, self.device = variant, dtype, device
        self.counts: NDArray[np.int64] = fitted.popularity()
        self.tau = variant.tau or 1.0
        self.control = self._tensor(np.empty((0, variant.dim or 0)))
        """A second table of items, (I, d), that is encoded like the first; empty for none."""
        self.begin(fitted, stream)

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """Prepare what this loss needs beside the embeddings."""

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        """These numbers as the engine computes with them."""
        return torch.from_numpy(values).to(self.device, self.dtype)

    @property
    def negatives(self) -> int:
        """Negatives a pair, n."""
        return self.variant.negatives or 1

    def parameters(self) -> list[Tensor]:
        """What it learns beside the encoder's tables."""
        return []

    @property
    def trains_tables(self) -> bool:
        """Do the embeddings learn in this epoch?"""
        return True

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """(loss of each pair (B,), loss of the batch as a whole or None)."""
        return softplus(-margins(v, b)[:, 0] / self.tau), None

    def scorer(self, users: NDArray[np.float32], items: NDArray[np.float32]) -> Factors | GatedFactors:
        """What ranks, given the encoder's outputs."""
        return Factors(users, items)


def scores_of(users: Tensor, table: Tensor, items: Tensor) -> Tensor:
    """x of each user's items. users (B, d), table (I, d), items (B, n). Returns (B, n)."""
    if items.shape[1] == 1:
        return (users * table[items[:, 0]]).sum(1, keepdim=True)
    if len(table) <= DENSE * items.shape[1]:
        return (users @ table.T).gather(1, items)
    return torch.einsum("bd,bnd->bn", users, table[items])


def margins(v: Vectors, b: Batch) -> Tensor:
    """x_ui - x_uj, (B, n)."""
    users = v.users[b.users]
    return (users * v.items[b.items]).sum(1, keepdim=True) - scores_of(users, v.items, b.negatives)


class InfoNCE(Objective):
    """-log e^(x_ui / tau) / (e^(x_ui / tau) + sum over n negatives of e^(x_uj / tau)). van den Oord et al. 2018."""

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """With margins m: log(1 + sum of e^(-m / tau))."""
        logits = -margins(v, b) / self.tau
        return torch.logsumexp(torch.cat([torch.zeros_like(logits[:, :1]), logits], 1), 1), None


class IPSCN(Objective):
    """BPR weighted by the clipped, normalised inverse propensity of the positive (`losses.ips_weights`)."""

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """The weight of each item."""
        self.weights = self._tensor(ips_weights(self.counts, self.variant.power or 0.0))

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """w_i softplus(-(x_ui - x_uj))."""
        return self.weights[b.items] * softplus(-margins(v, b)[:, 0]), None


class VarBPR(Objective):
    """Variational BPR, Liu et al., arXiv 2503.11067: a loss of weighted positives and negatives."""

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """log of each item's prior as a positive and as a negative, without hardness."""
        v = self.variant
        self.more_positives = (v.positives or 1) - 1
        up, down = var_bpr_log_priors(self.counts, v.rarity or 0.0, v.popularity or 0.0)
        self.log_rarity, self.log_popularity = self._tensor(up), self._tensor(down)

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """softplus(-(sum of alpha x+ - sum of beta x-)), or exact: sum of alpha beta softplus(-(x+ - x-))."""
        own, users = torch.cat([b.items[:, None], b.more], 1), v.users[b.users]
        up = torch.einsum("bd,bmd->bm", users, v.items[own])
        down = torch.einsum("bd,bnd->bn", users, v.items[b.negatives])
        alpha, beta = self.posteriors(up.detach(), down.detach(), own, b.negatives)
        if self.variant.var_form == "exact":
            pairs = softplus(down[:, None, :] - up[:, :, None])
            return torch.einsum("bm,bn,bmn->b", alpha, beta, pairs), None
        return softplus((beta * down).sum(1) - (alpha * up).sum(1)), None

    def posteriors(self, up: Tensor, down: Tensor, own: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
        """alpha (B, M) = softmax(x+ / c + log pi+), beta (B, n) = softmax(-x- / c + log pi-)."""
        v, c = self.variant, self.variant.var_c or 1.0
        hard_up = torch.log_softmax((up.mean(1, keepdim=True) - up) / 0.5, 1)
        hard_down = torch.log_softmax((down - down.mean(1, keepdim=True)) / 0.5, 1)
        alpha = torch.softmax(up / c + self.log_rarity[own] + (v.hardness_pos or 0.0) * hard_up, 1)
        beta = torch.softmax(-down / c + self.log_popularity[negatives] + (v.hardness_neg or 0.0) * hard_down, 1)
        return alpha, beta


class SamReg(Objective):
    """(1 - r) BPR + r corr(pop_i, sigma(x_ui - x_uj))^2 over the batch. Boratto, Fenu, Marras 2021."""

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """Whose negatives: SAM pairs (sam.py) or the sampler's."""
        self.draws = self.variant.sam == "off"
        self.popularity = self._tensor(self.counts)

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """A batch in which popularity or margin does not vary has no correlation: 0."""
        r, margin = self.variant.sam_weight or 0.0, margins(v, b)[:, 0]
        correlation = _correlation(self.popularity[b.items], torch.sigmoid(margin))
        return (1 - r) * softplus(-margin), r * correlation**2


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's, 0 where one of them does not vary."""
    a, b = a - a.mean(), b - b.mean()
    norms = a.norm() * b.norm()
    return (a * b).sum() / norms if norms.item() > 0 else (a * b).sum() * 0


class CausE(Objective):
    """BPR on two tables of items, logged and control, that are kept close. Bonner and Vasile, RecSys 2018.

    A pair moves to the control table with probability share * mean(pop) / pop_i, as though items had been shown evenly;
    where that exceeds 1 never, as in the program of the authors of BC-Loss, whose BPR form this is. Which table a pair
    belongs to is drawn once. The distance is that of the batch's items, each column divided by its norm, squared and
    summed. Ranks with the logged table.
    """

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """The control table, and each item's probability to be in it."""
        v = self.variant
        self.control = self._tensor(mf_table(v, fitted.n_items, stream)).requires_grad_()
        chance = (v.cause_share or 0.0) * self.counts.mean() / np.maximum(self.counts, 1)
        self._chance = np.where(chance > 1, 0.0, chance)
        self._salt = int(stream.integers(2**62))
        self._n_items = fitted.n_items

    def parameters(self) -> list[Tensor]:
        """The control table."""
        return [self.control]

    def moved(self, b: Batch) -> Tensor:
        """Which pairs belong to the control table, (B,) bool: the same answer for a pair in every epoch."""
        users, items = b.users.cpu().numpy().astype(np.uint64), b.items.cpu().numpy()
        keys = users * np.uint64(self._n_items) + items.astype(np.uint64) + np.uint64(self._salt)
        return torch.from_numpy(uniform_of(keys) < self._chance[items]).to(b.items.device)

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """BPR of each pair on its table, and weight * distance."""
        users, moved = v.users[b.users], self.moved(b)[:, None]
        negative = b.negatives[:, 0]
        up = torch.where(moved, v.control[b.items], v.items[b.items])
        down = torch.where(moved, v.control[negative], v.items[negative])
        rows = torch.cat([b.items, negative])
        distance = (normalize(v.items[rows], dim=0) - normalize(v.control[rows], dim=0)).square().sum()
        return softplus(-(users * (up - down)).sum(1)), (self.variant.cause_weight or 0.0) * distance


def uniform_of(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """A number in [0, 1) that only the key decides: 53 bits of splitmix64."""
    return (mixed(keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class MACR(Objective):
    """Model-agnostic counterfactual reasoning, Wei et al., KDD 2021.

    y = x sigma(b_item) sigma(b_user), b a linear head on the item's and on the user's vector;
    BCE(y) + item-weight BCE(item head) + user-weight BCE(user head). Ranks by (x - c) sigma(b_item) sigma(b_user).
    """

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """The heads, drawn as an embedding is."""
        heads = [mf_table(self.variant, 1, stream)[0] for _ in range(2)]
        self.item_head, self.user_head = (self._tensor(head).requires_grad_() for head in heads)

    def parameters(self) -> list[Tensor]:
        """Both heads, (d,) each."""
        return [self.item_head, self.user_head]

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """The positive's and the negative's cross-entropies, added."""
        users = v.users[b.users]
        by_user = users @ self.user_head
        total = torch.zeros_like(by_user)
        for items, label in ((b.items, 1.0), (b.negatives[:, 0], -1.0)):
            vectors = v.items[items]
            by_item = vectors @ self.item_head
            y = (users * vectors).sum(1) * torch.sigmoid(by_item) * torch.sigmoid(by_user)
            total = total - logsigmoid(label * y)
            total = total - (self.variant.macr_item or 0.0) * logsigmoid(label * by_item)
            total = total - (self.variant.macr_user or 0.0) * logsigmoid(label * by_user)
        return total, None

    def scorer(self, users: NDArray[np.float32], items: NDArray[np.float32]) -> Factors | GatedFactors:
        """Scores without the items' and users' own effect."""
        item_head, user_head = (h.detach().cpu().numpy().astype(np.float32) for h in self.parameters())
        return GatedFactors(
            users, items, _gate(users @ user_head), _gate(items @ item_head), float(self.variant.macr_c or 0.0)
        )


def _gate(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """sigma of (n,) float32, which may be large either way: e^-x itself would overflow."""
    return np.exp(-np.logaddexp(0, -x.astype(np.float64))).astype(np.float32)


class BCLoss(Objective):
    """Bias-aware margins on cosine InfoNCE, Zhang et al., NeurIPS 2022.

    A branch that knows nothing but popularity embeds the distinct popularity values of users and of items. It is
    trained alone for the first epochs, with cosine InfoNCE at tau2, then frozen. Its score s of a pair, a dot product,
    widens the pair's angle theta by margin-scale * min(1 - sigma(s), pi - theta), so that pairs which popularity
    explains badly must come closer. The loss is cosine InfoNCE at tau; ranked is by the plain dot product.
    """

    def begin(self, fitted: Interactions, stream: np.random.Generator) -> None:
        """The branch's tables, and which row of them each user and item has."""
        user_values, user_row = _distinct(fitted.lengths())
        item_values, item_row = _distinct(self.counts)
        self.user_row, self.item_row = user_row.to(self.device), item_row.to(self.device)
        tables = [mf_table(self.variant, n, stream) for n in (user_values, item_values)]
        self.by_user, self.by_item = (self._tensor(t).requires_grad_() for t in tables)

    def parameters(self) -> list[Tensor]:
        """The branch's tables."""
        return [self.by_user, self.by_item]

    @property
    def trains_tables(self) -> bool:
        """Not while the branch learns."""
        return self.epoch > (self.variant.warm_up or 0)

    def costs(self, v: Vectors, b: Batch) -> tuple[Tensor, Tensor | None]:
        """Of the branch, or of the embeddings with the branch's margins."""
        branch_user, branch_item = self.by_user[self.user_row[b.users]], self.by_item[self.item_row[b.items]]
        if not self.trains_tables:
            table = normalize(self.by_item, dim=1)
            users = normalize(branch_user, dim=1)
            up = (users * normalize(branch_item, dim=1)).sum(1)
            down = scores_of(users, table, self.item_row[b.negatives])
            return _cosine_infonce(up, down, self.variant.tau2 or 1.0), None
        users, table = normalize(v.users[b.users], dim=1), v.items
        cosine = (users * normalize(table[b.items], dim=1)).sum(1).clamp(-1 + EDGE, 1 - EDGE)
        angle = torch.acos(cosine)
        explained = torch.sigmoid((branch_user * branch_item).sum(1)).detach()
        margin = (self.variant.margin_scale or 0.0) * torch.minimum(1 - explained, math.pi - angle)
        up = torch.cos((angle + margin).clamp_max(math.pi))
        down = scores_of(users, normalize(table, dim=1), b.negatives)
        return _cosine_infonce(up, down, self.tau), None


def _distinct(values: NDArray[np.int64]) -> tuple[int, Tensor]:
    """(how many distinct values, the place of each among them)."""
    distinct, places = np.unique(values, return_inverse=True)
    return len(distinct), torch.from_numpy(places.astype(np.int64))


def _cosine_infonce(up: Tensor, down: Tensor, tau: float) -> Tensor:
    """up (B,), down (B, n): cosines. Returns (B,)."""
    return torch.logsumexp(torch.cat([up[:, None], down], 1) / tau, 1) - up / tau


OBJECTIVES: dict[str, type[Objective]] = {
    "bpr": Objective,
    "infonce": InfoNCE,
    "ips_cn": IPSCN,
    "var_bpr": VarBPR,
    "sam_reg": SamReg,
    "cause": CausE,
    "macr": MACR,
    "bc": BCLoss,
}
