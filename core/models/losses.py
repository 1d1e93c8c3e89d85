"""Losses: how much a pair of a positive and a negative is wrong, and how hard the step pushes them apart.

Here: one compiled function a loss. Not here: which parameters the push moves (updaters.py), names (choices.py).
"""

from __future__ import annotations

import math

from core.kernels import Scalar, kernel


@kernel()
def bpr(margin: Scalar, tau: Scalar) -> tuple[Scalar, Scalar]:
    """BPR, -log sigma(margin / tau), and its slope. Rendle et al., UAI 2009.

    margin: x_ui - x_uj. Returns (sigma(margin / tau), minus the derivative by the margin: (1 - sigma) / tau).
    """
    right = 1.0 / (1.0 + math.exp(-margin / tau))
    return right, (1.0 - right) / tau
