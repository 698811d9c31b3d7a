"""Emotion against one label a face, and against the votes of ten people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faced_train.datasets.ferplus_votes import COLUMNS, columns_of
from faced_train.scores.categories import CategoryScores
from faced_train.scores.reliability import bin_of, calibration_error
from faced_train.scores.scorer import Figures, Rows

_LEAST = 1e-7
_SIX = frozenset({"angry", "fear", "happy", "sad", "surprise", "neutral"})


class VoteScores:
    """Distributions [n, k] over `labels` against FER+'s votes int [n, 10]; rows without votes are all 0.

    Only faces count whose plurality over all ten columns (ties go to the lowest column) is one of `labels`.

    Raises:
        DataError: FER+ has no column for one of `labels`.
    """

    def __init__(self, probabilities: NDArray[np.float64], votes: NDArray[np.int64], labels: Sequence[str]) -> None:
        columns = np.array(columns_of(labels))
        label_of = np.full(len(COLUMNS), -1)
        label_of[columns] = np.arange(len(labels))
        plurality = votes.argmax(axis=1)
        all_votes = votes.sum(axis=1)
        self._voted = label_of[plurality]
        self._counts = (all_votes > 0) & (self._voted >= 0)
        self._clear = self._counts & (2 * votes.max(axis=1) > all_votes)
        self._right = (probabilities.argmax(axis=1) == self._voted).astype(np.float64)
        self._confidence = probabilities.max(axis=1)
        self._bins = bin_of(self._confidence)
        among = votes[:, columns].astype(np.float64)
        among /= np.maximum(among.sum(axis=1, keepdims=True), 1)
        clipped = np.maximum(probabilities, _LEAST)
        terms = among * (np.log(np.maximum(among, _LEAST)) - np.log(clipped))
        self._divergence = np.where(among > 0, terms, 0.0).sum(axis=1)

    def score(self, rows: Rows) -> Figures:
        """`kl_votes` is the mean KL(votes over `labels` || network), natural logarithm."""
        rows = rows[self._counts[rows]]
        figures = {"n_votes": float(len(rows))}
        if len(rows):
            figures["kl_votes"] = float(self._divergence[rows].mean())
            figures["ece_votes"] = calibration_error(self._confidence[rows], self._right[rows], self._bins[rows])
            figures["accuracy_votes"] = float(self._right[rows].mean())
        clear = rows[self._clear[rows]]
        if len(clear):
            figures["accuracy_clear"] = float(self._right[clear].mean())
        return figures


class EmotionScores:
    """Over seven classes, and over six with disgust joined to angry."""

    def __init__(
        self,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.intp],
        names: Sequence[str],
        votes: NDArray[np.int64] | None,
    ) -> None:
        self.classes = CategoryScores(probabilities, labels)
        self._votes = None if votes is None else VoteScores(probabilities, votes, names)
        # A network of six classes has joined the two itself.
        self._right_6: NDArray[np.float64] | None = self.classes.right if set(names) == _SIX else None
        if {"angry", "disgust"} <= set(names):
            angry, disgust = names.index("angry"), names.index("disgust")
            joined = probabilities.copy()
            joined[:, angry] += joined[:, disgust]
            joined[:, disgust] = -1.0
            target = np.where(labels == disgust, angry, labels)
            self._right_6 = (joined.argmax(axis=1) == target).astype(np.float64)

    def score(self, rows: Rows) -> Figures:
        """See `Scorer`."""
        if not len(rows):
            return {}
        figures = {"accuracy": self.classes.accuracy(rows)}
        if self._right_6 is not None:
            figures["accuracy_6"] = float(self._right_6[rows].mean())
        figures |= {
            "macro_f1": self.classes.macro_f1(rows),
            "nll": self.classes.nll(rows),
            "ece": self.classes.ece(rows),
        }
        return figures if self._votes is None else {**figures, **self._votes.score(rows)}
