"""What every subject has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faced_proto.types import Axis
from faced_train.faces import FaceSet, Truth
from faced_train.scores.scorer import Scorer

Probabilities = Mapping[str, NDArray[np.float64]]
"""By attribute, [n, classes]."""

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Top labels' probabilities [n], and whether each was right, 0 or 1."""

    confidence: NDArray[np.float64]
    right: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts [k, k], true labels down, predicted ones across."""

    labels: tuple[str, ...]
    counts: NDArray[np.intp]


class Scored(Protocol):
    """The answers for a set of faces, scored."""

    @property
    def scorer(self) -> Scorer:
        """The figures."""
        ...

    def reliability(self) -> Reliability | None:
        """For the diagram; None where labels are not what is told."""
        ...

    def confusion(self) -> Confusion:
        """Over all faces."""
        ...

    def details(self) -> Json:
        """What else a record tells."""
        ...


class Subject(Protocol):
    """Emotion, gender or age."""

    @property
    def name(self) -> str:
        """Its attribute."""
        ...

    def networks(self, attribute: str) -> tuple[str, ...]:
        """Attributes to ask for; `attribute` is the one that is evaluated."""
        ...

    def select(self, faces: FaceSet, axis: Axis) -> FaceSet:
        """The faces that have the labels that it takes.

        Raises:
            DataError: there are none, or their labels are not those of the network's axis.
        """
        ...

    def score(self, probabilities: Probabilities, truths: Sequence[Truth], attribute: str, axis: Axis, /) -> Scored:
        """The answers of the networks, scored."""
        ...

    def groups(self, truths: Sequence[Truth]) -> Mapping[str, Sequence[str]]:
        """By what figures are told apart: a value for each face, "" where it is not known."""
        ...


def decade(truth: Truth) -> str:
    """Such as "20-29"; "80+"; "" where the age is not known."""
    if truth.age is None:
        return ""
    low = truth.age // 10 * 10
    return "80+" if low >= 80 else f"{low}-{low + 9}"


def group_values(truths: Sequence[Truth]) -> dict[str, list[str]]:
    """By decade, gender and race label, as far as the data set names them."""
    found = {
        "age": [decade(truth) for truth in truths],
        "gender": [truth.gender or "" for truth in truths],
        "race": [truth.race or "" for truth in truths],
    }
    return {name: values for name, values in found.items() if any(values)}
