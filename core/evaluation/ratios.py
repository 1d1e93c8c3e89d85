"""Division where there may be nothing to divide by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ratio(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """part / whole by element, NaN (not defined) where the whole is not above 0. Shapes as numpy broadcasts them.

    >>> ratio([1, 0], [4, 0])
    array([0.25,  nan])
    """
    below = np.asarray(whole, np.float64)
    return np.asarray(np.where(below > 0, part / np.where(below > 0, below, 1.0), np.nan))
