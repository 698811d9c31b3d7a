"""The temperature with the least Brier score."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from faced_models.calibration import tempered

_LOW, _HIGH = 0.2, 10.0
_STEPS = 40
_GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(probabilities: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """For `probabilities` [n, k] and `labels` [n]; 0.2 to 10, to three digits; golden-section search.

    Like the likelihood the Brier score is least for the true probabilities (Gneiting and Raftery, JASA 2007), but it
    is bounded: of a hundred faces one that is labelled wrongly does not set the temperature of all.
    """
    truth = np.eye(probabilities.shape[1])[labels]

    def loss(log_temperature: float) -> float:
        return float(((tempered(probabilities, math.exp(log_temperature)) - truth) ** 2).sum(axis=1).mean())

    low, high = math.log(_LOW), math.log(_HIGH)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return round(math.exp((low + high) / 2), 3)
