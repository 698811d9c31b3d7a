"""Whether 0.7 means 7 in 10: reliability diagrams and the expected calibration error (Guo et al., arXiv:1706.04599)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Faces whose top label has a probability between `low` and `high`: their means, None where there are none."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def bin_of(confidence: NDArray[np.float64]) -> NDArray[np.intp]:
    """The bin of each probability of a top label; of equal width, closed above."""
    return np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)


def calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.float64], bins: NDArray[np.intp] | None = None
) -> float:
    """ECE over 15 bins: mean distance of accuracy and confidence, weighted by faces. `bins` spares `bin_of`."""
    bins = bin_of(confidence) if bins is None else bins
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def least_calibration_error(confidence: NDArray[np.float64], draws: int = 200) -> float:
    """The mean ECE of as many faces of a network that is calibrated perfectly: what chance alone shows; seeded."""
    random = np.random.default_rng(0)
    bins = bin_of(confidence)
    drawn = (random.random(len(confidence)) < confidence for _ in range(draws))
    return float(np.mean([calibration_error(confidence, right.astype(np.float64), bins) for right in drawn]))


def reliability(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[ReliabilityBin, ...]:
    """The diagram's bins."""
    bins = bin_of(confidence)
    counts = np.bincount(bins, minlength=BINS)
    sure = np.bincount(bins, weights=confidence, minlength=BINS)
    hits = np.bincount(bins, weights=right, minlength=BINS)
    return tuple(
        ReliabilityBin(
            low=i / BINS,
            high=(i + 1) / BINS,
            n=int(n),
            confidence=float(sure[i] / n) if n else None,
            accuracy=float(hits[i] / n) if n else None,
        )
        for i, n in enumerate(counts)
    )
