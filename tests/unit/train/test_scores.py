import numpy as np
import pytest

from faced_proto.types import Categories, Distribution, IntegerBins
from faced_train.datasets.fer2013_csv import read_fer2013_csv
from faced_train.datasets.ferplus_votes import COLUMNS
from faced_train.errors import DataError
from faced_train.scores.age import AgeScores, group_of
from faced_train.scores.emotion import EmotionScores, VoteScores
from faced_train.scores.gender import GenderScores, GuardScores
from faced_train.scores.reliability import calibration_error, least_calibration_error, reliability
from faced_train.scores.scorer import intervals_95
from faced_train.subjects.emotion import EmotionSubject

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def rows_of(values):
    return np.arange(len(values))


def test_the_calibration_error_is_the_weighted_gap_of_fifteen_bins():
    confidence, right = np.array([0.95, 0.95, 0.95, 0.55, 0.55]), np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    assert calibration_error(confidence, right) == pytest.approx((3 * abs(2 / 3 - 0.95) + 2 * abs(0.5 - 0.55)) / 5)
    bins = reliability(confidence, right)
    assert len(bins) == 15
    assert bins[14].n == 3
    assert bins[14].accuracy == pytest.approx(2 / 3)
    assert bins[0].accuracy is None


def test_chance_alone_shows_less_error_on_more_faces():
    confidence = np.random.default_rng(1).uniform(0.3, 1, 20_000)
    few, many = least_calibration_error(confidence[:500]), least_calibration_error(confidence)
    assert 0.03 < few < 0.08
    assert many < 0.01


def test_emotion_over_seven_and_six_classes():
    probabilities = np.full((3, 7), 0.05)
    probabilities[0, 0] = 0.7  # angry, taken for angry
    probabilities[1, 0] = 0.7  # disgust, taken for angry: right over six classes
    probabilities[2] = (0.22, 0.22, 0.3, 0.1, 0.1, 0.05, 0.01)  # fear: right over seven, angry + disgust are more
    scores = EmotionScores(probabilities, np.array([0, 1, 2]), EMOTIONS, None).score(np.arange(3))
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["accuracy_6"] == pytest.approx(2 / 3)
    assert scores["nll"] == pytest.approx(-np.log([0.7, 0.05, 0.3]).mean())
    # Angry: precision 1/2, recall 1; disgust: 0; fear: 1.
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 0 + 1) / 3)


def votes(**counts):
    return [counts.get(column, 0) for column in COLUMNS]


def test_contempt_may_be_an_eighth_class():
    names = (*EMOTIONS, "contempt")
    network = np.full((2, 8), 0.1)
    network[:, 7] = 0.3
    given = np.array([votes(contempt=6, happiness=2), votes(happiness=8)])
    scores = EmotionScores(network, np.array([7, 3]), names, given).score(np.arange(2))
    assert (scores["n_votes"], scores["accuracy_votes"]) == (2, 0.5)
    six = tuple(name for name in EMOTIONS if name != "disgust")
    assert "accuracy_6" in EmotionScores(np.full((1, 6), 1 / 6), np.array([0]), six, None).score(np.arange(1))
    with pytest.raises(DataError, match="no column of votes for 'bored'"):
        VoteScores(network, given, (*EMOTIONS, "bored"))


def test_votes_are_a_distribution_over_the_seven():
    network = np.full((5, 7), 0.1)
    network[:, 3] = 0.4
    given = np.array(
        [
            votes(happiness=6, neutral=2, contempt=2),  # counts, clear
            votes(contempt=6, happiness=4),  # plurality is none of the seven
            votes(happiness=4, neutral=4, unknown=2),  # a tie goes to the lowest column: neutral
            votes(),  # no votes
            votes(happiness=10, neutral=10),  # a duplicate's votes added: half is not more than half
        ]
    )
    scores = VoteScores(network, given, EMOTIONS).score(np.arange(5))
    assert scores["n_votes"] == 3
    assert scores["accuracy_votes"] == pytest.approx(1 / 3)
    assert scores["accuracy_clear"] == 1.0
    first = 0.75 * np.log(0.75 / 0.4) + 0.25 * np.log(0.25 / 0.1)
    half = 0.5 * np.log(0.5 / 0.4) + 0.5 * np.log(0.5 / 0.1)
    assert scores["kl_votes"] == pytest.approx((first + 2 * half) / 3)
    # Confidence 0.4 everywhere, one in three right.
    assert scores["ece_votes"] == pytest.approx(0.4 - 1 / 3)


def test_gender_from_sixteen_and_the_guard():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    labels, ages = np.array([0, 0, 0, 1]), np.array([30.0, 8.0, 15.0, 20.0])
    guard = GuardScores(np.array([0.01, 0.9, 0.1, 0.3]), ages, 0.2)
    scores = GenderScores(probabilities, labels, ages, guard).score(np.arange(4))
    assert scores["accuracy"] == 0.5
    assert (scores["n_16"], scores["accuracy_16"]) == (2, 0.5)
    assert scores["under_16_shown"] == 0.5
    assert scores["from_20_hidden"] == 0.5
    assert [row["from_20_hidden"] for row in guard.thresholds(np.arange(4))[:2]] == [0.5, 0.5]
    assert guard.thresholds(np.arange(4))[-1]["from_20_hidden"] == 0.0


@pytest.mark.parametrize(
    ("years", "group"),
    [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (14, 2), (15, 3), (22, 3), (23, 4), (35, 4), (36, 5), (46, 6), (57, 7)],
)
def test_years_between_two_adience_groups_go_to_the_nearer_then_to_the_younger(years, group):
    assert group_of(np.array([float(years)]))[0] == group


def certain(*years):
    return np.eye(81)[list(years)]


def test_a_certain_age_is_off_by_its_distance():
    scores = AgeScores(certain(30, 30, 80), np.array([30.0, 34.0, 90.0]), np.full(3, -1)).score(np.arange(3))
    assert scores["mae"] == pytest.approx(4 / 3)
    assert scores["mae_uncapped"] == pytest.approx(14 / 3)
    # For a certain prediction the CRPS is the absolute error.
    assert scores["crps"] == pytest.approx(4 / 3)
    assert scores["coverage_90"] == pytest.approx(2 / 3)
    assert scores["width_90"] == 0
    assert scores["exact"] == 1.0


def test_intervals_are_those_that_callers_see():
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.full(81, 0.2), 50)
    axis = IntegerBins(0, 1, True, 81)
    ages = random.integers(0, 80, 50).astype(float)
    told = [Distribution("age", axis, tuple(row), "m", False).interval(0.9) for row in probabilities.tolist()]
    inside = np.mean([low <= age <= high for (low, high), age in zip(told, ages, strict=True)])
    scores = AgeScores(probabilities, ages, np.full(50, -1)).score(np.arange(50))
    assert scores["coverage_90"] == pytest.approx(inside)
    assert scores["width_90"] == pytest.approx(np.mean([high - low for low, high in told]))


def test_adience_knows_groups_only():
    scores = AgeScores(certain(30, 50), np.full(2, np.nan), np.array([4, 5])).score(np.arange(2))
    assert scores == {"exact": 0.5, "one_off": 1.0}


def test_bootstrap_intervals_hold_the_figure_and_shrink_with_more_faces():
    probabilities = np.full((400, 7), 0.05)
    probabilities[:, 0] = 0.7
    scorer = EmotionScores(probabilities, (np.arange(400) % 4 == 0).astype(np.intp), EMOTIONS, None)
    low, high = intervals_95(scorer, np.arange(400))["accuracy"]
    assert low < 0.75 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 400), rel=0.15)
    few_low, few_high = intervals_95(scorer, np.arange(100))["accuracy"]
    assert few_high - few_low > 1.5 * (high - low)


def test_a_network_of_six_emotions_is_judged_on_six(fer_csv, fer_rows):
    axis = Categories(("angry", "fear", "happy", "sad", "surprise", "neutral"))
    subject = EmotionSubject()
    faces = subject.select(read_fer2013_csv(fer_csv(fer_rows)), axis)
    assert [truth.emotion for truth in faces.truths][:3] == ["angry", "angry", "fear"]
    sure = np.eye(6)[[0, 0, 1, 2, 3, 4, 5, 0]]
    figures = subject.score({"emotion": sure}, faces.truths, "emotion", axis).scorer.score(np.arange(8))
    assert figures["accuracy"] == figures["accuracy_6"] == 7 / 8
