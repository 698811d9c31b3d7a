"""Age distributions over single years against true years, or against Adience's groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_models.age_groups import STARTS
from faced_train.scores.scorer import Figures, Rows

ADIENCE_GROUPS = ("0-2", "4-6", "8-13", "15-20", "25-32", "38-43", "48-53", "60+")


def group_of(years: NDArray[np.float64]) -> NDArray[np.intp]:
    """The nearest of Adience's eight groups; a year midway between two goes to the younger.

    That is how the groups that are served close the gaps of Adience's.
    """
    return np.searchsorted(np.array(STARTS), years, side="right") - 1


class AgeScores:
    """`probabilities` [n, years] from 0 on; `ages` [n] true years, NaN where only `groups` [n] are known (else -1).

    The last bin is open (80+) and counts as its first year, in the expectation and in the true age alike: a network
    over these bins can say no more. `mae_uncapped` counts older people's years in full.
    """

    def __init__(self, probabilities: NDArray[np.float64], ages: NDArray[np.float64], groups: NDArray[np.intp]) -> None:
        years = np.arange(probabilities.shape[1], dtype=np.float64)
        last = years[-1]
        below = np.cumsum(probabilities, axis=1)
        below /= below[:, -1:]
        self.expectation: NDArray[np.float64] = probabilities @ years
        self._known = ~np.isnan(ages)
        capped = np.minimum(np.nan_to_num(ages), last)
        self._error = np.abs(self.expectation - capped)
        self._bias = self.expectation - capped
        self._uncapped = np.abs(self.expectation - np.nan_to_num(ages))
        self._crps = ((below - (years >= capped[:, None])) ** 2).sum(axis=1)
        self._inside, self._width = {}, {}
        for mass in (50, 90):
            low, high = interval(below, mass / 100)
            self._inside[mass] = ((low <= capped) & (capped <= high)).astype(np.float64)
            self._width[mass] = (high - low).astype(np.float64)
        self.true_group: NDArray[np.intp] = np.where(self._known, group_of(capped), groups)
        self.group: NDArray[np.intp] = group_of(np.floor(self.expectation + 0.5))
        self._apart = np.abs(self.group - self.true_group)

    def score(self, rows: Rows) -> Figures:
        """See `Scorer`."""
        grouped = rows[self.true_group[rows] >= 0]
        known = rows[self._known[rows]]
        figures: dict[str, float] = {}
        if len(known):
            figures["mae"] = float(self._error[known].mean())
            figures["mae_uncapped"] = float(self._uncapped[known].mean())
            figures["bias"] = float(self._bias[known].mean())
        if len(grouped):
            figures["exact"] = float((self._apart[grouped] == 0).mean())
            figures["one_off"] = float((self._apart[grouped] <= 1).mean())
        if len(known):
            figures["crps"] = float(self._crps[known].mean())
            for mass in (50, 90):
                figures[f"coverage_{mass}"] = float(self._inside[mass][known].mean())
                figures[f"width_{mass}"] = float(self._width[mass][known].mean())
        return figures

    def confusion(self, rows: Rows) -> NDArray[np.intp]:
        """[8, 8] counts of Adience's groups, true ones down, expected ones across."""
        rows = rows[self.true_group[rows] >= 0]
        size = len(ADIENCE_GROUPS)
        pairs = self.true_group[rows] * size + self.group[rows]
        return np.bincount(pairs, minlength=size * size).reshape(size, size)


def interval(below: NDArray[np.float64], mass: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last bin of the central interval, as `Distribution.interval`; `below` [n, k] are running sums to 1."""
    tail = (1 - mass) / 2
    last = below.shape[1] - 1
    # The first bin whose running sum reaches the quantile.
    low = (below < tail).sum(axis=1)
    high = (below < 1 - tail).sum(axis=1)
    return np.minimum(low, last), np.minimum(high, last)
