"""The temperature with the least negative log-likelihood (Guo et al., arXiv:1706.04599)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from faced_models.calibration import tempered

_LOW, _HIGH = 0.1, 10.0
_STEPS = 60
_GOLDEN = (math.sqrt(5) - 1) / 2
_LEAST = 1e-12


def fit_temperature(probabilities: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """For `probabilities` [n, k] and `labels` [n]; 0.1 to 10, to four digits.

    The loss is convex in 1 / temperature, so a golden-section search over its logarithm finds the least.
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        likely = tempered(probabilities, math.exp(log_temperature))[rows, labels]
        return float(-np.log(np.maximum(likely, _LEAST)).mean())

    low, high = math.log(_LOW), math.log(_HIGH)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return round(math.exp((low + high) / 2), 4)
