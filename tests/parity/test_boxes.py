"""Our boxes against dlib's: recorded ones for all pictures, live for a few small ones."""

import json
from itertools import chain

import pytest

from faced_models.bundle import load_detector
from faced_models.detector import Detector
from tests.parity.cases import Case, data_cases, own_cases
from tests.parity.comparison import assert_same
from tests.parity.record import RECORD, as_row, digest, plan_of

LIVE = {
    "astronaut-face@0",
    "astronaut-100x100@1",
    "astronaut-61x97@1",
    "astronaut-12x300@0",
    "random-3@0",
    "random-5@0",
}


@pytest.fixture(scope="module")
def ours() -> Detector:
    return load_detector(backend="ort", device="cpu")


def check_against_record(ours: Detector, cases: list[Case]) -> int:
    record = json.loads(RECORD.read_text())
    boxes = 0
    for case in cases:
        name = f"{case.name}@{case.upsample}"
        if record[name]["pixels"] != digest(case):
            continue  # this version of OpenCV decodes or resizes to other pixels than dlib was given
        found = ours.detect([case.image], plan_of(case), [0.0])[0]
        assert_same(found, record[name]["boxes"], name)
        boxes += len(found)
    return boxes


def test_boxes_on_own_pictures_are_those_recorded_from_dlib(ours):
    assert check_against_record(ours, list(own_cases())) >= 150


@pytest.mark.data
def test_boxes_on_the_detection_pictures_are_those_recorded_from_dlib(ours, data_dir):
    assert check_against_record(ours, list(data_cases(data_dir))) >= 39


def test_boxes_of_small_pictures_are_dlibs_live(ours):
    reference = load_detector(backend="dlib")
    cases = [case for case in own_cases() if f"{case.name}@{case.upsample}" in LIVE]
    assert len(cases) == len(LIVE)
    for case in cases:
        expected = [as_row(face) for face in reference.detect([case.image], plan_of(case), [0.0])[0]]
        assert_same(ours.detect([case.image], plan_of(case), [0.0])[0], expected, case.name)


def test_frames_of_a_batch_get_the_boxes_they_get_alone(ours):
    cases = [case.image for case in own_cases() if case.name == "astronaut-face" and case.upsample == 0]
    image = cases[0]
    flipped = image[:, ::-1].copy()
    plan = plan_of(next(iter(own_cases())))
    together = ours.detect([image, flipped, image], plan, [0.0, 0.0, 0.5])
    alone = list(chain.from_iterable(ours.detect([one], plan, [0.0]) for one in (image, flipped)))
    assert [f.box for f in together[0]] == [f.box for f in alone[0]]
    assert [f.box for f in together[1]] == [f.box for f in alone[1]]
    assert len(together[0]) == 1
