"""LightGCN's propagation against the dense definition, and its gradient."""

import numpy as np
import pytest
import torch

from core.datasets.interactions import Interactions
from core.models.engines.propagation import Graph

USERS, ITEMS, DIM = 4, 5, 3
CPU = torch.device("cpu")


def fitted():
    """User 3 and item 4 have no edge."""
    users, items = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 2, 3, 3])
    return Interactions.from_pairs(users, items, USERS, ITEMS)


def tables(seed=0):
    chance = torch.Generator().manual_seed(seed)
    return [torch.randn(n, DIM, generator=chance, dtype=torch.float64) for n in (USERS, ITEMS)]


def dense(users, items, layers):
    """D^-1/2 A D^-1/2 written out, its powers averaged."""
    adjacency = np.zeros((USERS + ITEMS, USERS + ITEMS))
    pairs = fitted()
    adjacency[pairs.users(), USERS + pairs.indices] = 1
    adjacency += adjacency.T
    degree = adjacency.sum(1)
    scale = np.divide(1, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    step, layer = scale[:, None] * adjacency * scale, np.concatenate([users.numpy(), items.numpy()])
    total = layer.copy()
    for _ in range(layers):
        layer = step @ layer
        total += layer
    return np.split(total / (layers + 1), [USERS])


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_the_mean_of_layers(layers):
    found = Graph(fitted(), layers, torch.float64, CPU).propagate(*tables())
    for part, expected in zip(found, dense(*tables(), layers), strict=True):
        np.testing.assert_allclose(part.numpy(), expected, rtol=1e-12, atol=1e-14)


def test_by_hand():
    """Item 0 has user 0 alone, who has two items: its one layer is p_0 / sqrt(1 * 2)."""
    users, items = tables()
    _, found = Graph(fitted(), 1, torch.float64, CPU).propagate(users, items)
    torch.testing.assert_close(found[0], (items[0] + users[0] / np.sqrt(1 * 2)) / 2)
    torch.testing.assert_close(found[4], items[4] / 2)  # without an edge only layer 0 is left


@pytest.mark.parametrize("layers", [1, 3])
def test_the_gradient(layers):
    graph = Graph(fitted(), layers, torch.float64, CPU)
    users, items = (t.requires_grad_() for t in tables())
    assert torch.autograd.gradcheck(graph.propagate, (users, items))
