import pytest

from faced_proto.types import Box, Detection
from faced_service.bench.imglab import Label
from faced_service.bench.scoring import accuracy, judge


def square(left, top, side):
    return Box(left, top, left + side, top + side)


def face(left, top, side, ignored=False):
    return Label(square(left, top, side), ignored)


def found(left, top, side, score):
    return Detection(square(left, top, side), score)


def test_every_face_found_and_nothing_else_is_one():
    judged = judge([found(0, 0, 50, 1.0), found(100, 0, 50, 0.5)], [face(0, 0, 50), face(102, 2, 50)], 40)
    figures = accuracy([judged], 0.0)
    assert (figures.faces, figures.precision, figures.recall, figures.ap50) == (2, 1.0, 1.0, 1.0)


def test_a_second_box_on_a_face_is_wrong():
    judged = judge([found(0, 0, 50, 1.0), found(3, 3, 50, 2.0)], [face(0, 0, 50)], 40)
    assert (judged.scores, judged.hits) == ((2.0, 1.0), (True, False))


def test_small_and_ignored_faces_neither_count_nor_harm():
    labels = [face(0, 0, 50), face(100, 0, 39), face(200, 0, 80, ignored=True)]
    detections = [
        found(0, 0, 50, 1.0),
        found(100, 0, 38, 1.0),  # the small one
        found(202, 0, 80, 1.0),  # the ignored one
        found(220, 20, 20, 1.0),  # within the ignored one
        found(400, 0, 50, 1.0),  # nothing there
    ]
    judged = judge(detections, labels, 40)
    assert (judged.faces, judged.hits) == (1, (True, False))
    figures = accuracy([judged], 0.0)
    assert (figures.precision, figures.recall) == (0.5, 1.0)


def test_precision_and_recall_are_above_the_threshold_and_average_precision_is_over_all():
    labels = [face(0, 0, 50), face(100, 0, 50), face(200, 0, 50)]
    detections = [
        found(0, 0, 50, 2.0),
        found(300, 0, 50, 1.0),
        found(100, 0, 50, 0.5),
        found(200, 0, 50, -0.5),
    ]
    figures = accuracy([judge(detections, labels, 40)], 0.0)
    assert figures.precision == pytest.approx(2 / 3)
    assert figures.recall == pytest.approx(2 / 3)
    # Precision at the three hits: 1, 2/3 and 3/4; made monotone 1, 3/4, 3/4.
    assert figures.ap50 == pytest.approx((1 + 0.75 + 0.75) / 3)


def test_without_detections_nothing_is_wrong_and_nothing_found():
    figures = accuracy([judge([], [face(0, 0, 50)], 40)], 0.0)
    assert (figures.precision, figures.recall, figures.ap50) == (1.0, 0.0, 0.0)


def test_without_faces_there_is_nothing_to_measure():
    with pytest.raises(ValueError, match="no labelled face is large enough"):
        accuracy([judge([], [face(0, 0, 20)], 40)], 0.0)
