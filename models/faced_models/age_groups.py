"""What is derived from a distribution over years of age; pure."""

from __future__ import annotations

import itertools

from faced_proto.types import Categories, Distribution, IntegerBins

STARTS = (0, 4, 8, 15, 23, 36, 46, 57)
"""First years of the eight contiguous groups; Adience's groups have gaps and occur in evaluation only."""


def age_group_axis() -> Categories:
    """0-3, 4-7, 8-14, 15-22, 23-35, 36-45, 46-56, 57+."""
    closed = tuple(f"{low}-{high - 1}" for low, high in itertools.pairwise(STARTS))
    return Categories((*closed, f"{STARTS[-1]}+"))


def age_groups(age: Distribution) -> Distribution:
    """The age distribution summed by group, as attribute "age_group"."""
    ends = (*STARTS[1:], None)
    sums = tuple(sum(_between(age, low, high)) for low, high in zip(STARTS, ends, strict=True))
    return Distribution("age_group", age_group_axis(), sums, age.model, age.calibrated)


def probability_below(age: Distribution, years: int) -> float:
    """P(age < years), years at least 1."""
    return sum(_between(age, None, years))


def _between(age: Distribution, low: int | None, high: int | None) -> tuple[float, ...]:
    if not isinstance(age.axis, IntegerBins) or age.axis.width != 1:
        raise TypeError(f"{age.model}: groups need a distribution over single years")
    first = age.axis.first
    return age.probabilities[
        None if low is None else max(0, low - first) : None if high is None else max(0, high - first)
    ]
