"""Boxes against labels that have names: a detector has to tell what it finds."""

from pathlib import Path

import numpy as np
import pytest

from faced_models.network_entry import DetectorWindow
from faced_proto.types import Box, Detection
from faced_service.bench.imglab import Label, LabelledPicture
from faced_train.scores.detection import DetectionScores, left_out_by_name, names_that_count

CAT, CAR = Box(0, 0, 50, 50), Box(100, 0, 200, 60)
LABELS = (Label(CAT, False, "cat"), Label(CAR, False, "car"))
BOTH = (DetectorWindow(40, 40, "cat"), DetectorWindow(40, 24, "car"))
ALL = np.arange(1)


def picture(*labels):
    return LabelledPicture(Path("one.png"), labels)


def figures(detections, names, labels=LABELS, **sizes):
    scorer = DetectionScores([(detections, labels)], names=names, **sizes)
    return scorer.faces, scorer.found, scorer.score(ALL)


def test_what_is_called_by_its_name_is_found():
    found = [Detection(CAT, 2.0, "cat"), Detection(CAR, 1.0, "car")]
    assert figures(found, {"cat", "car"}) == (2, 2, {"ap50": 1.0, "precision": 1.0, "recall": 1.0})


def test_a_car_called_a_cat_is_a_false_alarm_and_a_missed_car():
    found = [Detection(CAT, 1.0, "cat"), Detection(CAR, 2.0, "cat")]
    assert figures(found, {"cat", "car"}) == (2, 1, {"ap50": 0.25, "precision": 0.5, "recall": 0.5})


def test_boxes_of_other_labels_neither_count_nor_can_be_met():
    found = [Detection(CAT, 1.0, "cat"), Detection(CAR, 2.0, "cat")]
    assert figures(found, {"cat"}) == (1, 1, {"ap50": 0.5, "precision": 0.5, "recall": 1.0})


def test_what_is_ignored_is_so_under_any_name():
    labels = (Label(CAT, False, "cat"), Label(CAR, True, "car"))
    found = [Detection(CAT, 1.0, "cat"), Detection(CAR, 2.0, "cat")]
    assert figures(found, {"cat"}, labels) == (1, 1, {"ap50": 1.0, "precision": 1.0, "recall": 1.0})


def test_a_cat_of_another_size_does_not_excuse_what_is_called_a_car():
    on_the_cat = Box(0, 0, 80, 50)
    found = [Detection(on_the_cat, 2.0, "car"), Detection(CAR, 1.0, "car")]
    assert figures(found, {"cat", "car"}, sizes=(80, 160)) == (1, 1, {"ap50": 0.5, "precision": 0.5, "recall": 1.0})
    found[0] = Detection(on_the_cat, 2.0, "cat")
    assert figures(found, {"cat", "car"}, sizes=(80, 160)) == (1, 1, {"ap50": 1.0, "precision": 1.0, "recall": 1.0})


def test_without_names_boxes_are_compared_alone():
    found = [Detection(CAT, 1.0), Detection(CAR, 2.0, "cat")]
    assert figures(found, None) == (2, 2, {"ap50": 1.0, "precision": 1.0, "recall": 1.0})


@pytest.mark.parametrize(
    ("windows", "labels", "names"),
    [
        (BOTH, LABELS, {"cat", "car"}),
        (BOTH, (Label(CAT, False), Label(CAR, False)), None),
        (BOTH, (Label(CAT, False), Label(CAR, True, "car")), None),
        ((DetectorWindow(80, 80, ""),), LABELS, None),
        ((DetectorWindow(80, 80, ""), BOTH[0]), LABELS, {"", "cat"}),
    ],
)
def test_names_count_where_detector_and_data_have_them(windows, labels, names):
    assert names_that_count(windows, [picture(*labels)]) == names


def test_what_is_left_out_is_told_by_label():
    face = Label(Box(300, 0, 350, 50), False)
    pictures = [picture(*LABELS, face), picture(LABELS[1], Label(CAR, True, "dog"))]
    assert left_out_by_name(pictures, {"cat"}) == [
        "1 box without a label: the detector knows cat",
        "2 boxes labelled 'car': the detector knows cat",
    ]
    assert left_out_by_name(pictures, None) == []
