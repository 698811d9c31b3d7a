"""Distributions of one face over time: the mean of its log-probabilities, newer and surer ones weighing more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from faced_models.age_groups import age_groups
from faced_proto.types import AttributeOutcome, Distribution, FaceAnalysis
from faced_service.policy import AgeGuard

HALF_LIVES = 24
"""What is older weighs less than float32 can tell."""

_LEAST_PROBABILITY = 1e-7
_LEAST_WEIGHT = 0.1
"""That of a face of score 0.1 or less: doubtful faces count a little, too."""

_AGE, _AGE_GROUP, _GENDER = "age", "age_group", "gender"


@dataclass(frozen=True)
class Mean:
    """A weighted sum of log-probabilities, as of `time_s`, and the sum of its weights."""

    model: str
    time_s: float
    logs: NDArray[np.float64]
    weight: float


@dataclass(frozen=True)
class Smoothed:
    """The means of one track's attributes."""

    means: Mapping[str, Mean] = field(default_factory=dict)


def learn(smoothed: Smoothed, time_s: float, row: FaceAnalysis, half_life: float) -> Smoothed:
    """The means after a face's next row, which may be smoothed itself: its raw distributions count."""
    raw = {distribution.attribute: distribution for distribution in row.raw}
    told = [raw.get(outcome.attribute, outcome) for outcome in row.attributes if isinstance(outcome, Distribution)]
    has_age = any(own.attribute == _AGE for own in told)
    means = dict(smoothed.means)
    for own in told:
        if own.attribute != _AGE_GROUP or not has_age:
            means[own.attribute] = _added(means.get(own.attribute), own, time_s, row.detection.score, half_life)
    return Smoothed(means)


def smooth(
    smoothed: Smoothed, time_s: float, face: FaceAnalysis, half_life: float, guard: AgeGuard
) -> tuple[FaceAnalysis, Smoothed]:
    """The face with its distributions smoothed and its own ones as `raw`, and what `learn` makes of that.

    Age groups are those of the smoothed age, and gender is told only where both ages, its own and the smoothed one,
    allow it.
    """
    means = dict(smoothed.means)

    def blended(own: Distribution) -> Distribution:
        mean = _added(means.get(own.attribute), own, time_s, face.detection.score, half_life)
        means[own.attribute] = mean
        return _distribution(own, mean)

    age = next((blended(o) for o in face.attributes if isinstance(o, Distribution) and o.attribute == _AGE), None)
    attributes: list[AttributeOutcome] = []
    raw: list[Distribution] = []
    for outcome in face.attributes:
        told = guard.apply(outcome, age) if age is not None and _is_gender(outcome) else outcome
        if isinstance(told, Distribution):
            raw.append(told)
            if age is None or told.attribute not in (_AGE, _AGE_GROUP):
                told = blended(told)
            else:
                told = age if told.attribute == _AGE else age_groups(age)
        attributes.append(told)
    return replace(face, attributes=tuple(attributes), raw=tuple(raw)), Smoothed(means)


def _is_gender(outcome: AttributeOutcome) -> bool:
    return isinstance(outcome, Distribution) and outcome.attribute == _GENDER


def _added(mean: Mean | None, own: Distribution, time_s: float, score: float, half_life: float) -> Mean:
    weight = max(score, _LEAST_WEIGHT)
    logs = weight * np.log(np.maximum(np.asarray(own.probabilities), _LEAST_PROBABILITY))
    if mean is None or mean.model != own.model or mean.logs.shape != logs.shape:
        return Mean(own.model, time_s, logs, weight)
    kept = 0.5 ** (max(0.0, time_s - mean.time_s) / half_life)
    return Mean(own.model, time_s, kept * mean.logs + logs, kept * mean.weight + weight)


def _distribution(own: Distribution, mean: Mean) -> Distribution:
    logs = mean.logs / mean.weight
    probabilities = np.exp(logs - logs.max())
    probabilities = (probabilities / probabilities.sum()).astype(np.float32)
    return replace(own, probabilities=tuple(probabilities.tolist()))
