"""The temperature with the least loss: Brier score against labels, divergence from votes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from faced_models.calibration import tempered

_LOW, _HIGH = 0.2, 10.0
_STEPS = 40
_GOLDEN = (math.sqrt(5) - 1) / 2
_LEAST = 1e-7


def fit_temperature(probabilities: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """For `probabilities` [n, k] and `labels` [n]; 0.2 to 10, to three digits; golden-section search.

    Like the likelihood the Brier score is least for the true probabilities (Gneiting and Raftery, JASA 2007), but it
    is bounded: of a hundred faces one that is labelled wrongly does not set the temperature of all.
    """
    truth = np.eye(probabilities.shape[1])[labels]
    return _least(lambda values: float(((values - truth) ** 2).sum(axis=1).mean()), probabilities)


def fit_temperature_to_votes(probabilities: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """As `fit_temperature`, for the least mean KL(shares || network); `shares` [n, k] of votes, rows summing to 1.

    Ten votes say themselves how sure they are, so that no face is simply wrong: the likelihood may judge.
    """
    return _least(
        lambda values: float(-(shares * np.log(np.maximum(values, _LEAST))).sum(axis=1).mean()), probabilities
    )


def _least(loss: Callable[[NDArray[np.float64]], float], probabilities: NDArray[np.float64]) -> float:
    low, high = math.log(_LOW), math.log(_HIGH)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(tempered(probabilities, math.exp(left))) <= loss(tempered(probabilities, math.exp(right))):
            high = right
        else:
            low = left
    return round(math.exp((low + high) / 2), 3)
