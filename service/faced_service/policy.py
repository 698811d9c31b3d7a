"""The age guard: gender is not told of faces that may be children's, where the network is near chance; pure."""

from __future__ import annotations

from dataclasses import dataclass

from faced_models.age_groups import probability_below
from faced_proto.types import AttributeFailure, AttributeOutcome, Distribution, Withheld, WithheldReason

ADULT_FROM = 16
"""Years: faces below this age are guarded."""


@dataclass(frozen=True, slots=True)
class AgeGuard:
    """Withholds a value where P(age < 16) is above `threshold` (0 to 1), or where the age is not known.

    A `threshold` of None withholds nothing: for operators who answer for that.
    """

    threshold: float | None

    def apply(self, guarded: AttributeOutcome, age: AttributeOutcome | None) -> AttributeOutcome:
        """`guarded`, or why it is withheld; a failure stays what it is."""
        if self.threshold is None or isinstance(guarded, AttributeFailure):
            return guarded
        if not isinstance(age, Distribution):
            return Withheld(
                guarded.attribute,
                WithheldReason.GUARD_FAILED,
                f"{guarded.attribute} is told only where the age is known, and the age network failed on this face",
            )
        if probability_below(age, ADULT_FROM) > self.threshold:
            return Withheld(
                guarded.attribute,
                WithheldReason.MAY_BE_MINOR,
                f"{guarded.attribute} is withheld where the probability of an age below {ADULT_FROM} "
                f"is above {self.threshold:g}",
            )
        return guarded
