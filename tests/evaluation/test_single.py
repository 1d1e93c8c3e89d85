"""The list of one user is the one that the ranking of many gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.datasets.interactions import Interactions
from core.evaluation.ranking import top_k
from core.evaluation.single import best_items

SCORES = st.sampled_from([-1.5, 0.0, 0.5, 0.5000001, 2.0, float("nan"), float("-inf")])


class Given:
    """A scorer of one user."""

    def __init__(self, row: np.ndarray):
        self.row, self.n_items = row, len(row)

    def scores(self, users):
        return np.tile(self.row, (len(users), 1))


@given(arrays(np.float32, st.integers(1, 30), elements=SCORES.map(np.float32)), st.data(), st.integers(1, 12))
def test_against_the_compiled_ranking(scores, data, k):
    mask = np.array(data.draw(st.lists(st.integers(0, len(scores) - 1), unique=True)), int)
    interactions = Interactions.from_pairs(np.zeros(len(mask), int), mask, 1, len(scores))
    expected = top_k(Given(scores), np.array([0]), interactions, k).items[0]
    np.testing.assert_array_equal(best_items(scores, interactions.row(0), k), expected[expected >= 0])
