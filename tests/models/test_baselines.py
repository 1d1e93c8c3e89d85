"""Baselines: one fit for each row of the table, and what it ranks by."""

import numpy as np

from core.datasets.interactions import Interactions
from core.models.baselines import FITS, fit_baseline
from core.models.choices import BASELINES
from core.models.variant import make_variant

TAKEN = Interactions.from_pairs(np.array([0, 1, 2, 0, 1, 0]), np.array([2, 2, 2, 0, 0, 1]), 3, 4)


def test_every_baseline_has_its_fit():
    assert set(FITS) == set(BASELINES)


def test_most_popular_scores_by_users_who_took_the_item():
    scorer = fit_baseline(make_variant("d", baseline="most_popular"), TAKEN, 0)
    np.testing.assert_array_equal(scorer.scores(np.array([1, 2])), [[2, 1, 3, 0], [2, 1, 3, 0]])


def test_random_is_another_order_for_each_seed():
    variant = make_variant("d", baseline="random")
    first, again, other = (fit_baseline(variant, TAKEN, seed).scores(np.arange(3)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
