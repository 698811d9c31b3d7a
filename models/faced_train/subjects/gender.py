"""Gender, and the age guard where the data set knows ages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from faced_proto.types import Axis
from faced_service.policy import ADULT_FROM
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth
from faced_train.scores.gender import GenderScores, GuardScores
from faced_train.scores.reliability import least_calibration_error
from faced_train.subjects.subject import Confusion, Json, Probabilities, Reliability, group_values

_AGE = "age"


@dataclass(frozen=True, slots=True)
class ScoredGender:
    """See `Scored`."""

    scorer: GenderScores
    labels: tuple[str, ...]
    threshold: float

    def reliability(self) -> Reliability:
        """See `Scored`."""
        return Reliability(self.scorer.classes.confidence, self.scorer.classes.right)

    def confusion(self) -> Confusion:
        """See `Scored`."""
        return Confusion(self.labels, self.scorer.classes.confusion(np.arange(len(self.scorer.classes.labels))))

    def details(self) -> Json:
        """See `Scored`."""
        rows = np.arange(len(self.scorer.from_16))
        older = rows[self.scorer.from_16]
        found: dict[str, object] = {}
        if len(older):
            found["ece_16_perfect"] = least_calibration_error(self.scorer.classes.confidence[older])
        if self.scorer.guard is not None:
            found["guard"] = {"threshold": self.threshold, "at": self.scorer.guard.thresholds(rows)}
        return found


@dataclass(frozen=True, slots=True)
class GenderSubject:
    """See `Subject`; `threshold` is the age guard's."""

    threshold: float
    name: str = "gender"

    def networks(self, attribute: str) -> tuple[str, ...]:
        """See `Subject`."""
        return (attribute, _AGE)

    def select(self, faces: FaceSet, axis: Axis) -> FaceSet:
        """See `Subject`."""
        if not {"female", "male"} <= set(axis.labels):
            raise DataError(f"the network tells {', '.join(axis.labels)}, not female and male")
        kept = [i for i, truth in enumerate(faces.truths) if truth.gender is not None]
        return faces if len(kept) == len(faces) else faces.take(kept, "faces without a gender")

    def score(self, probabilities: Probabilities, truths: Sequence[Truth], attribute: str, axis: Axis) -> ScoredGender:
        """See `Subject`."""
        labels = np.array([axis.labels.index(truth.gender or "") for truth in truths], np.intp)
        ages = np.array([np.nan if truth.age is None else truth.age for truth in truths], np.float64)
        guard = None
        if _AGE in probabilities and not np.isnan(ages).all():
            guard = GuardScores(probabilities[_AGE][:, :ADULT_FROM].sum(axis=1), ages, self.threshold)
        return ScoredGender(GenderScores(probabilities[attribute], labels, ages, guard), axis.labels, self.threshold)

    def groups(self, truths: Sequence[Truth]) -> Mapping[str, Sequence[str]]:
        """See `Subject`."""
        return group_values(truths)
