"""The kernel and bias map with the least continuous ranked probability score (Gneiting and Raftery, JASA 2007)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from faced_models.calibration import FittedOn, OrdinalKernel, normal_cdf, tempered
from faced_proto.types import IntegerBins
from faced_train.scores.age import interval

_KNOTS_EVERY = 10
"""Bins from one knot to the next."""

_TEMPERATURES = (1.0, 1.3, 1.6, 1.9)
_COVERAGE = 0.9
_REPEATS = 6
_FIRST_WIDTH, _LEAST_WIDTH = 6.0, 0.3
_ROUNDS = 250
_RATE = 0.4
_ROOT_2_PI = math.sqrt(2 * math.pi)

_Curves = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Centre and width at the knots."""


def fit_ordinal_kernel(
    probabilities: NDArray[np.float64], values: NDArray[np.float64], axis: IntegerBins, fitted_on: FittedOn
) -> OrdinalKernel:
    """For `probabilities` [n, k] over `axis` and true `values` [n]; those beyond the axis count as its ends.

    Temperature, centres and widths have the least score over faces weighted by 1 / sqrt(faces in their tenth of the
    axis), so that rare ages count; all widths are scaled alike, so that the 90 % interval holds 90 % of the faces. Then
    tenths whose values it holds more seldom get more weight, and the fit is repeated, a few times.
    """
    bins = axis.first + axis.width * np.arange(axis.count, dtype=np.float64)
    values = np.clip(values, bins[0], bins[-1])
    knots = np.linspace(bins[0], bins[-1], max(2, round((axis.count - 1) / _KNOTS_EVERY) + 1))
    tenths = np.searchsorted(knots, values, side="right")
    counts = np.bincount(tenths)
    log_weights = -0.5 * np.log(np.maximum(counts, 1))

    def fit(temperature: float) -> tuple[float, _Curves]:
        weights = np.exp(log_weights)[tenths]
        scores = _Scores(tempered(probabilities, temperature), values, weights / weights.sum(), bins)
        curves = scores.least(knots)
        return scores.score(knots, *curves), curves

    def spread(curves: _Curves) -> tuple[OrdinalKernel, NDArray[np.float64]]:
        """The kernel with scaled widths, and whether its interval holds each value, 0 or 1."""
        low, high = 0.2, 3.0
        for _ in range(12):
            middle = math.sqrt(low * high)
            if _inside(kernel(curves, middle).apply(probabilities), values, bins).mean() < _COVERAGE:
                low = middle
            else:
                high = middle
        made = kernel(curves, high)
        return made, _inside(made.apply(probabilities), values, bins)

    def kernel(curves: _Curves, scale: float) -> OrdinalKernel:
        centre, width = curves
        widths = np.maximum(width * scale, _LEAST_WIDTH)
        return OrdinalKernel(axis, temperature, _told(knots), _told(centre), _told(widths), fitted_on)

    temperature = min(_TEMPERATURES, key=lambda one: fit(one)[0])
    for _ in range(_REPEATS):
        _, inside = spread(fit(temperature)[1])
        held = np.bincount(tenths, weights=inside) / np.maximum(counts, 1)
        log_weights = log_weights + _COVERAGE - held
    return spread(fit(temperature)[1])[0]


def _told(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)


def _inside(
    probabilities: NDArray[np.float64], values: NDArray[np.float64], bins: NDArray[np.float64]
) -> NDArray[np.float64]:
    below = np.cumsum(probabilities, axis=1)
    low, high = interval(below / below[:, -1:], _COVERAGE)
    return ((bins[low] <= values) & (values <= bins[high])).astype(np.float64)


class _Scores:
    """The weighted CRPS as a function of the kernel: quadratic in its running sums, so that moments of the faces do."""

    def __init__(
        self,
        probabilities: NDArray[np.float64],
        values: NDArray[np.float64],
        weights: NDArray[np.float64],
        bins: NDArray[np.float64],
    ) -> None:
        self._bins = bins
        self._edges = (bins[:-1] + bins[1:]) / 2
        reached = (bins[:-1] >= values[:, None]).astype(np.float64)
        weighted = (probabilities * weights[:, None]).T
        self._pairs = weighted @ probabilities
        self._hits = weighted @ reached
        self._constant = float(weights @ reached.sum(axis=1))

    def score(self, knots: NDArray[np.float64], centre: NDArray[np.float64], width: NDArray[np.float64]) -> float:
        """The score, in units of the axis."""
        below = normal_cdf(
            (self._edges - np.interp(self._bins, knots, centre)[:, None])
            / np.exp(np.interp(self._bins, knots, np.log(width)))[:, None]
        )
        return float((below * (self._pairs @ below)).sum() - 2 * (self._hits * below).sum() + self._constant)

    def least(self, knots: NDArray[np.float64]) -> _Curves:
        """Centre and width at the knots; gradient descent by Adam (Kingma and Ba, arXiv:1412.6980)."""
        # How much each knot counts for each bin: linear between knots.
        spread = np.array([np.interp(self._bins, knots, one) for one in np.eye(len(knots))]).T
        # Centres in units of the axis, widths as logarithms: steps of both are of a size.
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
        return point[: len(knots)], np.maximum(np.exp(point[len(knots) :]), _LEAST_WIDTH)

    def _slope(self, point: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
        half = len(point) // 2
        centre, width = spread @ point[:half], np.exp(spread @ point[half:])
        z = (self._edges - centre[:, None]) / width[:, None]
        by_below = 2 * (self._pairs @ normal_cdf(z) - self._hits)
        by_z = by_below * np.exp(-0.5 * z**2) / _ROOT_2_PI
        by_centre = -by_z.sum(axis=1) / width
        by_log_width = -(by_z * z).sum(axis=1)
        return np.concatenate((spread.T @ by_centre, spread.T @ by_log_width))
