"""Distributions over named classes against labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_train.scores.reliability import bin_of, calibration_error
from faced_train.scores.scorer import Rows

_LEAST = 1e-7


class CategoryScores:
    """Accuracy, macro-F1, negative log-likelihood and ECE of `probabilities` [n, k] against `labels` [n]."""

    def __init__(self, probabilities: NDArray[np.float64], labels: NDArray[np.intp]) -> None:
        self.probabilities = probabilities
        self.labels = labels
        self.top: NDArray[np.intp] = probabilities.argmax(axis=1)
        self.right = (self.top == labels).astype(np.float64)
        self.confidence: NDArray[np.float64] = probabilities.max(axis=1)
        self._bins = bin_of(self.confidence)
        self._losses = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], _LEAST))

    def accuracy(self, rows: Rows) -> float:
        """The share whose top label is right."""
        return float(self.right[rows].mean())

    def nll(self, rows: Rows) -> float:
        """Mean negative log-likelihood, natural, probabilities clipped at 1e-7."""
        return float(self._losses[rows].mean())

    def ece(self, rows: Rows) -> float:
        """See `calibration_error`."""
        return calibration_error(self.confidence[rows], self.right[rows], self._bins[rows])

    def confusion(self, rows: Rows) -> NDArray[np.intp]:
        """[k, k] counts, true labels down, predicted ones across."""
        classes = self.probabilities.shape[1]
        pairs = self.labels[rows] * classes + self.top[rows]
        return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)

    def macro_f1(self, rows: Rows) -> float:
        """Mean F1 of the classes that are there, or are predicted."""
        counts = self.confusion(rows)
        total = counts.sum(axis=0) + counts.sum(axis=1)
        there = total > 0
        return float((2 * counts.diagonal()[there] / total[there]).mean())
