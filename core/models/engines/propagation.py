"""LightGCN's propagation: embeddings averaged with those of their neighbours, layer by layer. He et al., SIGIR 2020.

Here: the normalised graph of the pairs trained on, and the sum over layers with its gradient, on CPU or GPU.
Not here: the tables that are propagated (encoders.py), and who asks for it (autograd.py).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.datasets.interactions import Interactions


class Graph:
    """The user-item graph, D^-1/2 A D^-1/2, as two sparse matrices: users x items and its transpose.

    fitted: its edges, as often as they are in a sample. layers: how often is multiplied. Memory grows with the pairs.
    """

    def __init__(self, fitted: Interactions, layers: int, dtype: torch.dtype, device: torch.device):
        users, items = fitted.users(), fitted.indices
        weights = np.ones(len(fitted)) if fitted.repeats is None else fitted.repeats.astype(np.float64)
        degrees = (
            np.bincount(users, weights, fitted.n_users)[users] * np.bincount(items, weights, fitted.n_items)[items]
        )
        values: NDArray[np.float64] = weights / np.sqrt(np.maximum(degrees, 1))
        self.layers = layers
        self.to_users = _matrix(users, items, values, (fitted.n_users, fitted.n_items), dtype, device)
        self.to_items = _matrix(items, users, values, (fitted.n_items, fitted.n_users), dtype, device)

    def propagate(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of layers 0 to L, (E + AE + ... + A^L E) / (L + 1). users (U, d), items (I, d); returns the same."""
        propagated: tuple[Tensor, Tensor] = _Propagation.apply(self, users, items)  # type: ignore[no-untyped-call]
        return propagated

    def mean_of_layers(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """The same, without a gradient."""
        total_users, total_items = users.clone(), items.clone()
        for _ in range(self.layers):
            users, items = self.to_users @ items, self.to_items @ users
            total_users += users
            total_items += items
        return total_users / (self.layers + 1), total_items / (self.layers + 1)


class _Propagation(torch.autograd.Function):
    """The graph is symmetric, so the gradient is the same propagation, of the gradient."""

    @staticmethod
    def forward(context: Any, graph: Graph, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        context.graph = graph
        return graph.mean_of_layers(users, items)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor]:
        return None, *context.graph.mean_of_layers(*gradients)


def _matrix(
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
    values: NDArray[np.float64],
    shape: tuple[int, int],
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    order = np.lexsort((columns, rows))
    starts = np.zeros(shape[0] + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=starts[1:])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse", UserWarning)  # that it is new, and that nothing is checked
        return torch.sparse_csr_tensor(
            torch.from_numpy(starts),
            torch.from_numpy(columns[order].astype(np.int64)),
            torch.from_numpy(values[order]),
            size=shape,
            dtype=dtype,
            device=device,
        )
