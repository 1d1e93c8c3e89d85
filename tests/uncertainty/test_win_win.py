"""Labels from two verdicts, and the region."""

import itertools

import pytest

from core.uncertainty.verdict import BETTER, FEW_SEEDS, NO_INTERVAL, SAME, VERDICTS, WORSE
from core.uncertainty.win_win import LABELS, label, labels, region


@pytest.mark.parametrize(
    ("accuracy", "bias", "expected"),
    [
        (BETTER, BETTER, "win-win"),
        (BETTER, WORSE, "trade-off"),
        (WORSE, BETTER, "trade-off"),
        (WORSE, WORSE, "worse"),
        (WORSE, SAME, "worse"),
        (SAME, WORSE, "worse"),
        (SAME, SAME, "not distinguishable"),
        (BETTER, SAME, "better on one"),
        (SAME, BETTER, "better on one"),
        (BETTER, FEW_SEEDS, "not enough seeds"),
        (NO_INTERVAL, FEW_SEEDS, "not enough seeds"),
        (BETTER, NO_INTERVAL, "no interval"),
    ],
)
def test_label(accuracy, bias, expected):
    assert label(accuracy, bias) == expected


def test_every_pair_of_verdicts_has_a_label_that_both_axes_agree_on():
    for accuracy, bias in itertools.product(VERDICTS, VERDICTS):
        assert label(accuracy, bias) == label(bias, accuracy)
        assert label(accuracy, bias) in LABELS


def test_the_baseline_is_the_baseline():
    assert labels([BETTER, SAME, SAME], [BETTER, SAME, BETTER], 1) == ["win-win", "baseline", "better on one"]


def test_the_region_opens_where_both_get_better():
    assert region(0.1, 0.4, 1, 1) == (0.1, None, 0.4, None)
    assert region(200.0, 0.4, -1, 1) == (None, 200.0, 0.4, None)
