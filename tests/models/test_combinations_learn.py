"""Every combination that has a meaning trains: it learns, one seed gives the same bytes, its artefact reads back.

A set of cells that holds every pair of choices; with `make test-all` every cell.
"""

import re

import numpy as np
import pytest

from core.jobs import artifacts
from core.models.combinations import pairwise, trainable
from core.models.variant import variant_from_fields
from core.settings import PROJECT
from tools.try_combinations import MARGIN, ndcg, of_chance, small, trained, variant_of

FEW = pairwise()


def name(cell):
    return "-".join(cell.modules.values())


@pytest.mark.parametrize(
    "cell",
    [pytest.param(c, id=name(c), marks=[] if c in FEW else [pytest.mark.slow]) for c in trainable()],
)
def test_a_combination_trains(cell, settings, tmp_path):
    variant = variant_of(cell)
    first = trained(variant)
    assert ndcg(first) > MARGIN * of_chance()

    again = trained(variant)
    for key, array in first.scorer.tensors().items():
        assert array.tobytes() == again.scorer.tensors()[key].tobytes(), key
    assert first.evaluations["test"].metrics == again.evaluations["test"].metrics

    attempt = tmp_path / "attempt"
    attempt.mkdir()
    folder = artifacts.publish(settings, attempt, first, small())
    assert artifacts.verify(folder) == []
    users = np.arange(5, dtype=np.int32)
    np.testing.assert_array_equal(
        artifacts.read_scorer(settings, first.run.id).scores(users), first.scorer.scores(users)
    )
    assert variant_from_fields(artifacts.read_meta(settings, first.run.id)["fields"]) == variant


def test_the_result_of_all_of_them_is_written_down():
    page = (PROJECT / "docs" / "combinations.md").read_text(encoding="utf-8")
    written = [float(x) for line in page.splitlines() if line.startswith("| `") for x in re.findall(r"\d+\.\d\d", line)]
    assert len(written) == len(trainable())
    assert min(written) > MARGIN
