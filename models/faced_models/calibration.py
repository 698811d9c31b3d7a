"""Probabilities that hold what they promise: what `faced calibrate` fitted, applied to a network's output; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from faced_models.toml_table import TomlTable
from faced_proto.types import Axis, IntegerBins

_TINY = 1e-12
_SQRT_2 = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class FittedOn:
    """What a calibration was fitted on: the data set in words, how many faces, and their split's SHA-256."""

    data: str
    faces: int
    split: str


@dataclass(frozen=True)
class Temperature:
    """Log-probabilities divided by `temperature` (Guo et al., arXiv:1706.04599); above 1 is less sure."""

    temperature: float
    fitted_on: FittedOn

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [n, k], rows summing to 1, to the same."""
        return tempered(probabilities, self.temperature)


@dataclass(frozen=True)
class OrdinalKernel:
    """Each bin's probability spread as a Gaussian over the bins of an ordered axis.

    `knots` are values of the axis, rising. At each, `centre` is where that bin's probability belongs (the bias map)
    and `width` the Gaussian's standard deviation, in the axis' units; between knots the centre is linear and the width
    geometric, beyond them both are constant. What falls beyond either end of the axis counts in the end bins.
    `temperature` comes first. All are fitted by the continuous ranked probability score.
    """

    axis: IntegerBins
    temperature: float
    knots: tuple[float, ...]
    centre: tuple[float, ...]
    width: tuple[float, ...]
    fitted_on: FittedOn

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [n, k], rows summing to 1, to the same."""
        return tempered(probabilities, self.temperature) @ self.kernel

    @cached_property
    def kernel(self) -> NDArray[np.float64]:
        """[k, k]: row i is where bin i's probability goes; rows sum to 1."""
        axis = self.axis
        values = axis.first + axis.width * np.arange(axis.count, dtype=np.float64)
        centre = np.interp(values, self.knots, self.centre)
        width = np.exp(np.interp(values, self.knots, np.log(self.width)))
        # Upper edges of all bins but the last, halfway to the next value.
        edges = values[:-1] + axis.width / 2
        below = normal_cdf((edges[None, :] - centre[:, None]) / width[:, None])
        ends = np.zeros((axis.count, 1)), np.ones((axis.count, 1))
        return np.diff(np.hstack((ends[0], below, ends[1])), axis=1)


Calibration = Temperature | OrdinalKernel


def tempered(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """[n, k] to the power of 1 / temperature, normalised again."""
    if temperature == 1.0:
        return probabilities
    logs = np.log(np.maximum(probabilities, _TINY)) / temperature
    powers: NDArray[np.float64] = np.exp(logs - logs.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def read_calibration(table: TomlTable, axis: Axis) -> Calibration:
    """A manifest's `calibration`, for a network over `axis`.

    Raises:
        WeightsError: a field is missing or wrong, or the axis has no order.
    """
    kind = table.choice("kind", "temperature", "ordinal_kernel")
    fitted_on = FittedOn(table.text("data"), table.whole("faces", least=1), table.digest("split"))
    if kind == "ordinal_kernel":
        if not isinstance(axis, IntegerBins):
            raise table.wrong("kind", kind, "temperature, since the axis has no order")
        calibration: Calibration = _read_kernel(table, axis, fitted_on)
    else:
        calibration = Temperature(_temperature(table), fitted_on)
    table.end()
    return calibration


def _read_kernel(table: TomlTable, axis: IntegerBins, fitted_on: FittedOn) -> OrdinalKernel:
    knots = table.numbers("knots")
    if any(b <= a for a, b in pairwise(knots)):
        raise table.wrong("knots", list(knots), "rising numbers")
    centre = table.numbers("centre", count=len(knots))
    width = table.numbers("width", count=len(knots))
    if min(width) <= 0:
        raise table.wrong("width", list(width), "numbers above 0")
    return OrdinalKernel(axis, _temperature(table), knots, centre, width, fitted_on)


def _temperature(table: TomlTable) -> float:
    return table.number("temperature", least=0.01)


def normal_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normal distribution function."""
    flat = [0.5 * math.erfc(-x / _SQRT_2) for x in values.ravel().tolist()]
    return np.array(flat).reshape(values.shape)
