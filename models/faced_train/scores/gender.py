"""Gender, also of the faces that are 16 and older, and what the age guard hides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from faced_service.policy import ADULT_FROM
from faced_train.scores.categories import CategoryScores
from faced_train.scores.scorer import Figures, Rows

_GROWN_FROM = 20
_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


class GuardScores:
    """What the age guard shows and hides: `young` is the network's P(age < 16) [n], `ages` the true ones [n]."""

    def __init__(self, young: NDArray[np.float64], ages: NDArray[np.float64], threshold: float) -> None:
        self._young = young
        self._minor = ages < ADULT_FROM
        self._grown = ages >= _GROWN_FROM
        self._threshold = threshold

    def score(self, rows: Rows) -> Figures:
        """Shares of under-16s whose gender is shown and of people of 20 and more whose gender is hidden."""
        return self._at(self._threshold, rows)

    def thresholds(self, rows: Rows) -> list[Mapping[str, float]]:
        """The same figures at other thresholds."""
        return [{"threshold": threshold, **self._at(threshold, rows)} for threshold in _THRESHOLDS]

    def _at(self, threshold: float, rows: Rows) -> dict[str, float]:
        hidden = self._young[rows] > threshold
        minor, grown = self._minor[rows], self._grown[rows]
        figures = {}
        if minor.any():
            figures["under_16_shown"] = float(1 - hidden[minor].mean())
        if grown.any():
            figures["from_20_hidden"] = float(hidden[grown].mean())
        return figures


class GenderScores:
    """`ages` [n] in years, NaN where not known; withholding is not applied to the accuracies."""

    def __init__(
        self,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.intp],
        ages: NDArray[np.float64],
        guard: GuardScores | None,
    ) -> None:
        self.classes = CategoryScores(probabilities, labels)
        self.from_16: NDArray[np.bool_] = ages >= ADULT_FROM
        self.guard = guard

    def score(self, rows: Rows) -> Figures:
        """See `Scorer`."""
        if not len(rows):
            return {}
        figures = {
            "accuracy": self.classes.accuracy(rows),
            "nll": self.classes.nll(rows),
            "ece": self.classes.ece(rows),
        }
        older = rows[self.from_16[rows]]
        figures["n_16"] = float(len(older))
        if len(older):
            figures["accuracy_16"] = self.classes.accuracy(older)
            figures["ece_16"] = self.classes.ece(older)
        return figures if self.guard is None else {**figures, **self.guard.score(rows)}
