"""Age: a distribution over single years, against years (UTKFace) or groups (Adience)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from faced_proto.types import Axis, IntegerBins
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth
from faced_train.scores.age import ADIENCE_GROUPS, AgeScores
from faced_train.subjects.subject import Confusion, Json, Probabilities, group_values


@dataclass(frozen=True, slots=True)
class ScoredAge:
    """See `Scored`."""

    scorer: AgeScores

    def reliability(self) -> None:
        """See `Scored`."""

    def confusion(self) -> Confusion:
        """See `Scored`."""
        return Confusion(ADIENCE_GROUPS, self.scorer.confusion(np.arange(len(self.scorer.expectation))))

    def details(self) -> Json:
        """See `Scored`."""
        return {}


class AgeSubject:
    """See `Subject`."""

    name = "age"

    def networks(self, attribute: str) -> tuple[str, ...]:
        """See `Subject`."""
        return (attribute,)

    def select(self, faces: FaceSet, axis: Axis) -> FaceSet:
        """See `Subject`."""
        if not (isinstance(axis, IntegerBins) and axis.first == 0 and axis.width == 1):
            raise DataError("the network's axis is not of single years from 0 on")
        kept = [i for i, truth in enumerate(faces.truths) if truth.age is not None or truth.age_group is not None]
        return faces if len(kept) == len(faces) else faces.take(kept, f"{len(faces) - len(kept)} faces without an age")

    def score(self, probabilities: Probabilities, truths: Sequence[Truth], attribute: str, _axis: Axis) -> ScoredAge:
        """See `Subject`."""
        ages = np.array([np.nan if truth.age is None else truth.age for truth in truths], np.float64)
        groups = np.array([-1 if truth.age_group is None else truth.age_group for truth in truths], np.intp)
        return ScoredAge(AgeScores(probabilities[attribute], ages, groups))

    def groups(self, truths: Sequence[Truth]) -> Mapping[str, Sequence[str]]:
        """See `Subject`."""
        return group_values(truths)
