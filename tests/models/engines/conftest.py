"""What tests of every place that draws negatives share."""

import pytest

from core.models.engines import drawing


@pytest.fixture(params=["snapshot", "sampled"])
def path(request, monkeypatch):
    """Both ways to the scores: of all items once a visit, and of what is looked at."""
    monkeypatch.setattr(drawing, "GATHER", 1e9 if request.param == "snapshot" else 0.0)
    return request.param
