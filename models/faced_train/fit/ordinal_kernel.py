"""The kernel and bias map with the least continuous ranked probability score (Gneiting and Raftery, JASA 2007)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.calibration import FittedOn, OrdinalKernel, normal_cdf, tempered
from faced_proto.types import IntegerBins

_KNOTS_EVERY = 10
"""Bins from one knot to the next."""

_FIRST_WIDTH = 6.0
_ROUNDS = 1200
_RATE = 0.3
_ROOT_2_PI = math.sqrt(2 * math.pi)


def fit_ordinal_kernel(
    probabilities: NDArray[np.float64],
    values: NDArray[np.float64],
    axis: IntegerBins,
    fitted_on: FittedOn,
    *,
    temperature: float = 1.0,
) -> OrdinalKernel:
    """For `probabilities` [n, k] over `axis` and true `values` [n]; those beyond the axis count as its ends."""
    scores = _Scores(tempered(probabilities, temperature), values, axis)
    span = axis.width * (axis.count - 1)
    knots = axis.first + np.linspace(0, span, max(2, round((axis.count - 1) / _KNOTS_EVERY) + 1))
    centre, width = scores.least(knots)
    return OrdinalKernel(
        axis=axis,
        temperature=temperature,
        knots=tuple(round(float(value), 2) for value in knots),
        centre=tuple(round(float(value), 2) for value in centre),
        width=tuple(round(float(value), 2) for value in width),
        fitted_on=fitted_on,
    )


@dataclass(frozen=True, slots=True)
class _Moments:
    """What the score needs of the faces: it is quadratic in the kernel's running sums. [k, k] and [k, k - 1]."""

    pairs: NDArray[np.float64]
    hits: NDArray[np.float64]


class _Scores:
    """Mean CRPS as a function of the kernel, with its gradient."""

    def __init__(self, probabilities: NDArray[np.float64], values: NDArray[np.float64], axis: IntegerBins) -> None:
        self._bins = axis.first + axis.width * np.arange(axis.count, dtype=np.float64)
        self._edges = self._bins[:-1] + axis.width / 2
        reached = (self._bins[:-1] >= values[:, None]).astype(np.float64)
        n = len(values)
        self._moments = _Moments(probabilities.T @ probabilities / n, probabilities.T @ reached / n)

    def least(self, knots: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centre and width at the knots; gradient descent by Adam (Kingma and Ba, arXiv:1412.6980)."""
        # How much each knot counts for each bin: linear between knots.
        spread = np.array([np.interp(self._bins, knots, one) for one in np.eye(len(knots))]).T
        # Centres in units, widths as logarithms of units: steps of either are of a size.
        point = np.concatenate((knots, np.full(len(knots), math.log(_FIRST_WIDTH))))
        unit = np.concatenate((np.ones(len(knots)), np.full(len(knots), 0.1)))
        mean, square = np.zeros_like(point), np.zeros_like(point)
        for turn in range(1, _ROUNDS + 1):
            slope = self._slope(point, spread) * unit
            mean += 0.1 * (slope - mean)
            square += 0.01 * (slope**2 - square)
            step = (mean / (1 - 0.9**turn)) / (np.sqrt(square / (1 - 0.99**turn)) + 1e-12)
            # Towards the end the steps become small, so that the last one is at rest.
            point -= unit * _RATE * (1 - turn / _ROUNDS) * step
        return point[: len(knots)], np.exp(point[len(knots) :])

    def _slope(self, point: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
        half = len(point) // 2
        centre, log_width = spread @ point[:half], spread @ point[half:]
        width = np.exp(log_width)
        z = (self._edges - centre[:, None]) / width[:, None]
        below = normal_cdf(z)
        by_below = 2 * (self._moments.pairs @ below - self._moments.hits)
        density = np.exp(-0.5 * z**2) / _ROOT_2_PI
        by_centre = -(by_below * density).sum(axis=1) / width
        by_log_width = -(by_below * density * z).sum(axis=1)
        return np.concatenate((spread.T @ by_centre, spread.T @ by_log_width))
