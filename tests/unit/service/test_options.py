import math

import pytest

from faced_proto.types import AnalysisOptions, ErrorReason
from faced_service.errors import FacedError
from faced_service.options import check_options

KNOWN = ("emotion", "age", "age_group", "gender")


def check(**options):
    return check_options(AnalysisOptions(**options), known=KNOWN, allowed=("emotion", "age"))


def test_defaults_are_filled_in():
    checked = check()
    assert (checked.threshold, checked.max_faces, checked.attributes) == (0.0, None, ("emotion", "age"))
    assert (checked.upsample_times, checked.min_face_px, checked.include_landmarks) == (None, None, True)


@pytest.mark.parametrize(
    "options",
    [
        {"upsample_times": 0},
        {"upsample_times": 8},
        {"min_face_px": 1},
        {"min_face_px": 10_000},
        {"threshold": -1.0},
        {"threshold": 10.0},
        {"max_faces": 1},
        {"attributes": ()},
    ],
)
def test_values_at_the_limits_are_taken(options):
    checked = check(**options)
    for name, value in options.items():
        assert getattr(checked, name) == value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upsample_times": 9}, "upsample_times is 9, must be 0 to 8"),
        ({"upsample_times": -1}, "upsample_times is -1"),
        ({"min_face_px": 0}, "min_face_px is 0, must be 1 to 10000"),
        ({"min_face_px": 10_001}, "min_face_px is 10001"),
        ({"threshold": math.nan}, "threshold is nan, must be -1 to 10"),
        ({"threshold": math.inf}, "threshold is inf"),
        ({"threshold": -1.001}, "threshold is -1.001"),
        ({"max_faces": 0}, "max_faces is 0, must be at least 1"),
        ({"upsample_times": 1, "min_face_px": 40}, "exclude each other"),
    ],
)
def test_values_beyond_the_limits_are_named(options, message):
    with pytest.raises(FacedError, match=message) as caught:
        check(**options)
    assert caught.value.reason is ErrorReason.INVALID_OPTION


def test_unknown_attributes_are_answered_with_the_known_ones():
    with pytest.raises(FacedError, match="'mood'; there are emotion, age, age_group, gender") as caught:
        check(attributes=("emotion", "mood"))
    assert caught.value.reason is ErrorReason.UNKNOWN_ATTRIBUTE


def test_forbidden_attributes_are_named():
    with pytest.raises(FacedError, match="'gender'") as caught:
        check(attributes=("gender",))
    assert caught.value.reason is ErrorReason.FORBIDDEN_ATTRIBUTE


def test_an_attribute_named_twice_is_answered_once():
    assert check(attributes=("age", "emotion", "age")).attributes == ("age", "emotion")


def test_large_whole_numbers_are_shown_as_they_are():
    with pytest.raises(FacedError, match="upsample_times is 4294967295, must be 0 to 8"):
        check(upsample_times=2**32 - 1)
    with pytest.raises(FacedError, match="threshold is 1e\\+20, must be -1 to 10"):
        check(threshold=1e20)
