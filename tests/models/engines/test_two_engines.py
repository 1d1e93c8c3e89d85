"""Two engines, one meaning: from the same state and the same draws, one pair's step is the same, in float64 to 1e-9.

Batches with repeats differ by definition: the compiled engine sees each step's result, a batch does not.
"""

import numpy as np
import pytest
import torch

from core.models.choices import COMPILED_LOSSES, UPDATERS
from core.models.engines import compiled
from core.models.engines.autograd import AutogradEngine
from core.models.engines.objectives import Batch
from core.models.variant import make_variant
from tests.models.engines.test_compiled import interactions

SETTINGS = {
    "bpr": {"tau": 0.7},
    "infonce": {"tau": 0.6, "negatives": 4},
    "ips_cn": {"power": 0.8},
    "var_bpr": {"positives": 3, "negatives": 4, "popularity": 0.4, "rarity": 0.5, "var_c": 2.0},
}
DRAWS = {"plain": ([4, 9, 11], [20, 31, 45, 50]), "repeated": ([4, 4, 11], [20, 31, 20, 20])}


@pytest.mark.parametrize("draws", sorted(DRAWS))
@pytest.mark.parametrize("form", ["margin", "exact"])
@pytest.mark.parametrize("updater", sorted(UPDATERS))
@pytest.mark.parametrize("loss", COMPILED_LOSSES)
def test_engines_take_the_same_step(loss, updater, form, draws):
    settings = {**SETTINGS[loss], **({"var_form": form} if loss == "var_bpr" else {})}
    variant = make_variant("d", dim=6, loss=loss, updater=updater, lr=0.3, l2=0.07, init_sigma=0.6, **settings)
    fitted = interactions()
    autograd = AutogradEngine(variant, fitted, 0, dtype=torch.float64)
    users, items = (t.detach().numpy().copy() for t in (autograd.users, autograd.items))
    positives, negatives = DRAWS[draws]
    positives, negatives = positives[: variant.positives or 1], negatives[: variant.negatives or 1]
    user = 7

    parts = ([user], positives[:1], [negatives], np.array([positives[1:]]).reshape(1, -1))
    batch = Batch(*(torch.as_tensor(np.array(p), dtype=torch.int64) for p in parts))
    seen = autograd.step(autograd.vectors(), batch)
    before = users.copy(), items.copy()
    told = compiled.step(users, items, user, positives, negatives, variant, fitted.popularity())

    assert seen == pytest.approx(told, rel=1e-9)
    np.testing.assert_allclose(autograd.users.detach().numpy(), users, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(autograd.items.detach().numpy(), items, rtol=1e-9, atol=1e-12)
    assert (users[user] != before[0][user]).all()
    assert (items[negatives[0]] != before[1][negatives[0]]).all()
