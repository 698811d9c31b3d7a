import pytest

from faced_proto.types import (
    AttributeFailure,
    Categories,
    Distribution,
    ErrorReason,
    IntegerBins,
    Withheld,
    WithheldReason,
)
from faced_service.attributes import attributes_of, networks_for, outcomes
from faced_service.policy import AgeGuard

YEARS = IntegerBins(first=0, width=1, last_open=True, count=81)
GENDER = Distribution("gender", Categories(("female", "male")), (0.25, 0.75), "gender@1+00000000", False)
EMOTION = Distribution("emotion", Categories(("happy", "sad")), (0.5, 0.5), "emotion@1+00000000", False)


def age(minor):
    """P(age = 15) = `minor`, P(age = 16) the rest."""
    years = [0.0] * 81
    years[15], years[16] = minor, 1.0 - minor
    return Distribution("age", YEARS, tuple(years), "age@1+00000000", False)


def failure(attribute):
    return AttributeFailure(attribute, ErrorReason.MODEL_FAILED, "no memory")


@pytest.mark.parametrize(("minor", "told"), [(0.0, True), (0.1999, True), (0.2, True), (0.2001, False), (1.0, False)])
def test_gender_is_told_up_to_the_threshold(minor, told):
    outcome = AgeGuard(0.2).apply(GENDER, age(minor))
    if told:
        assert outcome is GENDER
    else:
        assert isinstance(outcome, Withheld)
        assert (outcome.attribute, outcome.reason) == ("gender", WithheldReason.MAY_BE_MINOR)
        assert "0.2" in outcome.message


def test_the_threshold_is_the_operators():
    assert AgeGuard(1.0).apply(GENDER, age(1.0)) is GENDER
    assert AgeGuard(None).apply(GENDER, age(1.0)) is GENDER
    assert AgeGuard(None).apply(GENDER, None) is GENDER
    assert isinstance(AgeGuard(0.0).apply(GENDER, age(0.001)), Withheld)


def test_without_an_age_gender_is_withheld():
    outcome = AgeGuard(0.2).apply(GENDER, failure("age"))
    assert isinstance(outcome, Withheld)
    assert outcome.reason is WithheldReason.GUARD_FAILED


def test_a_failed_gender_network_is_said_to_have_failed():
    assert AgeGuard(0.2).apply(failure("gender"), age(1.0)) == failure("gender")


def test_gender_needs_the_age_network_inside():
    assert set(networks_for(("gender",), AgeGuard(0.2))) == {"gender", "age"}
    assert networks_for(("age_group",), AgeGuard(0.2)) == ("age",)
    assert networks_for(("emotion",), AgeGuard(0.2)) == ("emotion",)
    assert networks_for(("gender", "emotion"), AgeGuard(None)) == ("gender", "emotion")
    assert networks_for((), AgeGuard(0.2)) == ()
    assert sorted(networks_for(("age", "gender", "age_group"), AgeGuard(0.2))) == ["age", "gender"]


def test_age_groups_follow_age_in_the_list_of_attributes():
    assert attributes_of(("emotion", "age", "gender")) == ("emotion", "age", "age_group", "gender")


def test_asked_attributes_come_once_and_in_order_and_the_guard_stays_inside():
    described = {"gender": GENDER, "age": age(0.0), "emotion": EMOTION}
    found = outcomes(("age_group", "gender", "emotion"), described, AgeGuard(0.2))
    assert [outcome.attribute for outcome in found] == ["age_group", "gender", "emotion"]
    assert found[0].as_dict()["15-22"] == 1.0
    assert found[1] is GENDER


def test_a_failed_age_fails_its_groups_and_withholds_gender():
    described = {"gender": GENDER, "age": failure("age"), "emotion": EMOTION}
    found = outcomes(("emotion", "age", "age_group", "gender"), described, AgeGuard(0.2))
    assert found[0] is EMOTION
    assert found[1:3] == (failure("age"), failure("age_group"))
    assert found[3].reason is WithheldReason.GUARD_FAILED
