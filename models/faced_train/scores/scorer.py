"""Figures over any selection of faces, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Figures = Mapping[str, float]
Rows = NDArray[np.intp]
"""Indices of faces; one may come several times."""

RESAMPLES = 1000


class Scorer(Protocol):
    """Figures of the faces that an evaluation found."""

    def score(self, rows: Rows) -> Figures:
        """Of these faces; a figure that cannot be told of them is left out."""
        ...


def intervals_95(scorer: Scorer, rows: Rows, resamples: int = RESAMPLES) -> dict[str, tuple[float, float]]:
    """95 % percentile bootstrap intervals (Efron 1979) of all figures, faces drawn with replacement; seeded."""
    if not len(rows):
        return {}
    random = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        for name, value in scorer.score(rows[random.integers(0, len(rows), len(rows))]).items():
            drawn.setdefault(name, []).append(value)
    return {name: (float(low), float(high)) for name, (low, high) in _quantiles(drawn).items()}


def _quantiles(drawn: Mapping[str, list[float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.quantile(values, (0.025, 0.975)) for name, values in drawn.items()}
