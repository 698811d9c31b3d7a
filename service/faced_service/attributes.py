"""Which networks the asked attributes need, and what they make of their answers; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from faced_models.age_groups import age_groups
from faced_proto.types import AttributeOutcome, Distribution
from faced_service.policy import AgeGuard

_AGE, _AGE_GROUP, _GENDER = "age", "age_group", "gender"


def attributes_of(networks: Sequence[str]) -> tuple[str, ...]:
    """What can be asked of these networks; the age groups follow the age that they are made from."""
    return tuple(name for network in networks for name in ((network, _AGE_GROUP) if network == _AGE else (network,)))


def networks_for(attributes: Sequence[str], guard: AgeGuard) -> tuple[str, ...]:
    """Networks by attribute: age gives the age groups, and guards gender even where nobody asked for it."""
    networks: dict[str, None] = {}
    for attribute in attributes:
        networks[_AGE if attribute == _AGE_GROUP else attribute] = None
        if attribute == _GENDER and guard.threshold is not None:
            networks[_AGE] = None
    return tuple(networks)


def outcomes(
    attributes: Sequence[str], described: Mapping[str, AttributeOutcome], guard: AgeGuard
) -> tuple[AttributeOutcome, ...]:
    """Each asked attribute of one face once, in order; `described` is by network, of `networks_for`."""
    return tuple(_outcome(attribute, described, guard) for attribute in attributes)


def _outcome(attribute: str, described: Mapping[str, AttributeOutcome], guard: AgeGuard) -> AttributeOutcome:
    if attribute == _AGE_GROUP:
        age = described[_AGE]
        return age_groups(age) if isinstance(age, Distribution) else replace(age, attribute=_AGE_GROUP)
    if attribute == _GENDER:
        return guard.apply(described[_GENDER], described.get(_AGE))
    return described[attribute]
