"""Emotion: seven classes, as FER2013 labels them, and FER+'s votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from faced_proto.types import Axis
from faced_train.datasets.ferplus_votes import COLUMNS
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth
from faced_train.scores.emotion import EmotionScores
from faced_train.subjects.subject import Confusion, Json, Probabilities, Reliability, group_values


@dataclass(frozen=True, slots=True)
class ScoredEmotion:
    """See `Scored`."""

    scorer: EmotionScores
    labels: tuple[str, ...]

    def reliability(self) -> Reliability:
        """See `Scored`."""
        return Reliability(self.scorer.classes.confidence, self.scorer.classes.right)

    def confusion(self) -> Confusion:
        """See `Scored`."""
        return Confusion(self.labels, self.scorer.classes.confusion(np.arange(len(self.scorer.classes.labels))))

    def details(self) -> Json:
        """See `Scored`."""
        return {}


def _is_six(axis: Axis) -> bool:
    return "angry" in axis.labels and "disgust" not in axis.labels


class EmotionSubject:
    """See `Subject`."""

    name = "emotion"

    def networks(self, attribute: str) -> tuple[str, ...]:
        """See `Subject`."""
        return (attribute,)

    def select(self, faces: FaceSet, axis: Axis) -> FaceSet:
        """See `Subject`."""
        kept = [i for i, truth in enumerate(faces.truths) if truth.emotion is not None]
        faces = faces if len(kept) == len(faces) else faces.take(kept, "faces without an emotion")
        if _is_six(axis):
            # Six classes, as some have it: disgust counts as angry.
            truths = tuple(
                replace(truth, emotion="angry") if truth.emotion == "disgust" else truth for truth in faces.truths
            )
            faces = replace(faces, truths=truths)
        unknown = next((truth for truth in faces.truths if truth.emotion not in axis.labels), None)
        if unknown is not None:
            raise DataError(
                f"{unknown.where}: labelled {unknown.emotion!r}, and the network knows {', '.join(axis.labels)}"
            )
        return faces

    def score(self, probabilities: Probabilities, truths: Sequence[Truth], attribute: str, axis: Axis) -> ScoredEmotion:
        """See `Subject`."""
        labels = np.array([axis.labels.index(truth.emotion or "") for truth in truths], np.intp)
        none = (0,) * len(COLUMNS)
        votes = None
        if any(truth.votes for truth in truths):
            votes = np.array([truth.votes or none for truth in truths], np.int64)
        return ScoredEmotion(EmotionScores(probabilities[attribute], labels, axis.labels, votes), axis.labels)

    def groups(self, truths: Sequence[Truth]) -> Mapping[str, Sequence[str]]:
        """See `Subject`."""
        return {"emotion": [truth.emotion or "" for truth in truths]} | group_values(truths)
