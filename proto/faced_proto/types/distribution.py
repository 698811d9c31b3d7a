"""What is said about a face: a distribution, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from faced_proto.types.errors import ErrorReason


@dataclass(frozen=True)
class Categories:
    """An axis of named classes."""

    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class IntegerBins:
    """An axis of integers: bin i holds first + i * width up to, not including, first + (i + 1) * width."""

    first: int
    width: int
    last_open: bool
    count: int

    def __len__(self) -> int:
        return self.count

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """`"30"`, or `"30-34"` for wider bins; an open last bin is `"80+"`."""
        names = []
        for i in range(self.count):
            low = self.first + i * self.width
            if self.last_open and i == self.count - 1:
                names.append(f"{low}+")
            else:
                names.append(str(low) if self.width == 1 else f"{low}-{low + self.width - 1}")
        return tuple(names)


Axis = Categories | IntegerBins


@dataclass(frozen=True)
class Distribution:
    """Probabilities over an axis, summing to 1 within float32 precision.

    `model` is name@version+sha8, calibration included: the same id gives the same numbers for the same crop.
    """

    attribute: str
    axis: Axis
    probabilities: tuple[float, ...]
    model: str
    calibrated: bool

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(self.axis):
            sizes = f"{len(self.probabilities)} probabilities on an axis of {len(self.axis)}"
            raise ValueError(f"{self.attribute} ({self.model}): {sizes}")

    @property
    def labels(self) -> tuple[str, ...]:
        """One name for each probability."""
        return self.axis.labels

    @property
    def top(self) -> tuple[str, float]:
        """The most probable label and its probability; of equals the first."""
        index = max(range(len(self.probabilities)), key=self.probabilities.__getitem__)
        return self.labels[index], self.probabilities[index]

    def as_dict(self) -> dict[str, float]:
        """Label -> probability, in the axis' order."""
        return dict(zip(self.labels, self.probabilities, strict=True))

    def expectation(self) -> float:
        """Mean of integer bins, each counted at its first value (an open last bin too).

        Raises:
            TypeError: the axis has no numbers.
        """
        bins = self._bins()
        return float(sum(p * (bins.first + i * bins.width) for i, p in enumerate(self.probabilities)))

    def interval(self, mass: float = 0.9) -> tuple[int, int]:
        """Central interval that holds at least `mass` (0 to 1): first values of the bins at its two quantiles.

        Raises:
            TypeError: the axis has no numbers.
        """
        bins = self._bins()
        cumulative = np.cumsum(np.asarray(self.probabilities, dtype=np.float64))
        cumulative /= cumulative[-1]
        tail = (1.0 - mass) / 2.0
        low, high = (int(np.searchsorted(cumulative, q)) for q in (tail, 1.0 - tail))
        last = bins.count - 1
        return bins.first + min(low, last) * bins.width, bins.first + min(high, last) * bins.width

    def _bins(self) -> IntegerBins:
        if not isinstance(self.axis, IntegerBins):
            raise TypeError(f"{self.attribute} has named classes and no numbers")
        return self.axis


class WithheldReason(Enum):
    """Why a value that the server has is not told."""

    MAY_BE_MINOR = "may_be_minor"
    GUARD_FAILED = "guard_failed"


@dataclass(frozen=True, slots=True)
class Withheld:
    """The server has a value for this attribute and does not tell it."""

    attribute: str
    reason: WithheldReason
    message: str


@dataclass(frozen=True, slots=True)
class AttributeFailure:
    """The network of this attribute failed on this face."""

    attribute: str
    reason: ErrorReason
    message: str


AttributeOutcome = Distribution | Withheld | AttributeFailure
