"""The papers' split is stood in for by the tiny data set, known by its id as the real one is."""

import pytest

from core.datasets.store import DatasetInfo
from core.reproduction import plan
from core.settings import Settings
from tests.reproduction import worlds


@pytest.fixture
def info(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> DatasetInfo:
    """The tiny data set in the place of the papers' split."""
    info, ids = worlds.stand_in(settings)
    for name, value in ids.items():
        monkeypatch.setitem(plan.DATASETS, name, value)
    return info
