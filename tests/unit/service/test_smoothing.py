import math

import pytest

from faced_models.age_groups import age_groups, probability_below
from faced_proto.types import (
    AttributeFailure,
    Box,
    Categories,
    Detection,
    Distribution,
    ErrorReason,
    FaceAnalysis,
    IntegerBins,
    Withheld,
    WithheldReason,
)
from faced_service.policy import AgeGuard
from faced_service.smoothing import Smoothed, learn, smooth

GUARD = AgeGuard(0.2)


def emotion(*probabilities, model="emotion@1"):
    return Distribution("emotion", Categories(("glad", "sad")), probabilities, model, False)


def gender(*probabilities):
    return Distribution("gender", Categories(("female", "male")), probabilities, "gender@1", False)


def age(years, spread=4.0):
    values = [math.exp(-0.5 * ((i - years) / spread) ** 2) for i in range(81)]
    probabilities = tuple(value / sum(values) for value in values)
    return Distribution("age", IntegerBins(0, 1, True, 81), probabilities, "age@1", False)


def face(*attributes, score=1.0):
    return FaceAnalysis(Detection(Box(0.0, 0.0, 96.0, 96.0), score), (), attributes)


def smoothed(faces, step=0.04, half_life=0.5):
    """Each face smoothed over those before it."""
    state, result = Smoothed(), []
    for i, given in enumerate(faces):
        shown, after = smooth(state, i * step, given, half_life, GUARD)
        state = learn(state, i * step, shown, half_life)
        assert {k: (m.time_s, m.weight) for k, m in after.means.items()} == {
            k: (m.time_s, m.weight) for k, m in state.means.items()
        }
        result.append(shown)
    return result


def logit(distribution):
    p, q = distribution.probabilities
    return math.log(p / q)


def test_the_first_value_is_the_frames_own():
    (only,) = smoothed([face(emotion(0.9, 0.1))])
    assert only["emotion"].probabilities == pytest.approx((0.9, 0.1), abs=1e-6)
    assert only.raw == (emotion(0.9, 0.1),)


def test_a_step_is_followed_by_half_in_each_half_life():
    before, after = [face(emotion(0.9, 0.1))] * 400, [face(emotion(0.1, 0.9))] * 50
    results = smoothed(before + after, step=0.01)
    ends = math.log(9)
    for half_lives, i in ((0, 399), (1, 449)):
        expected = ends * (2 * 0.5**half_lives - 1)
        assert logit(results[i]["emotion"]) == pytest.approx(expected, abs=0.03)
    assert results[449].raw == (emotion(0.1, 0.9),)


def test_time_counts_and_not_the_number_of_rows():
    slow = smoothed([face(emotion(0.9, 0.1)), face(emotion(0.1, 0.9))], step=5.0)
    assert slow[1]["emotion"].probabilities == pytest.approx((0.1, 0.9), abs=0.002)
    at_once = smoothed([face(emotion(0.9, 0.1)), face(emotion(0.1, 0.9))], step=0.0)
    assert at_once[1]["emotion"].probabilities == pytest.approx((0.5, 0.5), abs=1e-6)


def test_surer_faces_weigh_more():
    results = smoothed([face(emotion(0.9, 0.1), score=1.5), face(emotion(0.1, 0.9), score=0.5)], step=0.0)
    assert logit(results[1]["emotion"]) == pytest.approx((1.5 - 0.5) / 2 * math.log(9), abs=1e-5)
    doubtful = smoothed([face(emotion(0.9, 0.1), score=-0.8), face(emotion(0.1, 0.9), score=0.1)], step=0.0)
    assert logit(doubtful[1]["emotion"]) == pytest.approx(0.0, abs=1e-5)


def test_certainty_of_one_frame_does_not_stay_for_ever():
    results = smoothed([face(emotion(1.0, 0.0))] + [face(emotion(0.2, 0.8))] * 40)
    assert results[-1]["emotion"].top[0] == "sad"
    assert all(math.isfinite(p) for shown in results for p in shown["emotion"].probabilities)
    assert sum(results[-1]["emotion"].probabilities) == pytest.approx(1, abs=1e-6)


def test_age_groups_are_those_of_the_smoothed_age():
    ages = [age(30), age(50), age(34)]
    results = smoothed([face(a, age_groups(a)) for a in ages])
    for a, shown in zip(ages, results, strict=True):
        assert shown["age_group"] == age_groups(shown["age"])
        assert shown.raw == (a, age_groups(a))
    alone = smoothed([face(age_groups(a)) for a in ages])
    assert sum(alone[2]["age_group"].probabilities) == pytest.approx(1, abs=1e-6)


def test_gender_is_told_where_both_ages_allow_it():
    child, adult = age(8), age(40)
    withheld = Withheld("gender", WithheldReason.MAY_BE_MINOR, "P(age < 16) ...")
    # One frame in which a child passes for an adult tells nothing, and leaves no raw value behind.
    results = smoothed([face(withheld, child)] * 20 + [face(gender(0.6, 0.4), age(24))], half_life=2.0)
    assert isinstance(results[-1]["gender"], Withheld)
    assert [own.attribute for own in results[-1].raw] == ["age"]
    assert probability_below(results[-1]["age"], 16) > 0.2
    # And one frame that withholds is not overruled.
    results = smoothed([face(gender(0.6, 0.4), adult)] * 20 + [face(withheld, child)])
    assert isinstance(results[-1]["gender"], Withheld)
    assert results[-2]["gender"].probabilities == pytest.approx((0.6, 0.4), abs=1e-6)


def test_failures_pass_and_leave_the_others():
    failure = AttributeFailure("emotion", ErrorReason.MODEL_FAILED, "no memory")
    results = smoothed([face(emotion(0.9, 0.1)), face(failure), face(emotion(0.9, 0.1))])
    assert results[1].attributes == (failure,)
    assert results[2]["emotion"].probabilities == pytest.approx((0.9, 0.1), abs=1e-6)


def test_another_model_begins_anew():
    results = smoothed([face(emotion(0.9, 0.1)), face(emotion(0.2, 0.8, model="emotion@2"))], step=0.0)
    assert results[1]["emotion"].probabilities == pytest.approx((0.2, 0.8), abs=1e-6)
