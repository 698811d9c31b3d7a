"""`fast` against the record: no box missed, none extra; some may move by a step of size."""

import json
from collections.abc import Iterable

import pytest

from faced_models.bundle import load_detector
from faced_models.detector import Detector
from faced_models.device import choose, probe
from faced_models.errors import DeviceError
from faced_proto.types import Box, Detection, Precision
from faced_service.bench.detector import compare_boxes
from tests.parity.cases import Case, data_cases, own_cases
from tests.parity.record import RECORD, digest, plan_of


@pytest.fixture(scope="module")
def fast() -> Detector:
    try:
        choose("cpu", "auto", Precision.FAST, probe())
    except DeviceError as error:
        pytest.skip(str(error))
    return load_detector(device="cpu", precision=Precision.FAST)


def check_against_record(fast: Detector, cases: Iterable[Case]) -> tuple[int, int]:
    """Counts boxes, and those that moved by more than a pixel."""
    record = json.loads(RECORD.read_text())
    boxes = moved_boxes = 0
    for case in cases:
        name = f"{case.name}@{case.upsample}"
        if record[name]["pixels"] != digest(case):
            continue  # this version of OpenCV decodes or resizes to other pixels than dlib was given
        found = fast.detect([case.image], plan_of(case), [0.0])[0]
        expected = [Detection(Box(*row[:4]), row[4]) for row in record[name]["boxes"]]
        missing, extra, moved = compare_boxes(found, expected)
        assert (missing, extra) == (0, 0), f"{name}: {missing} missing, {extra} extra"
        boxes, moved_boxes = boxes + len(found), moved_boxes + moved
    return boxes, moved_boxes


def test_fast_runs_on_openvino_and_says_so(fast):
    assert (fast.engine.backend, fast.engine.device, fast.engine.precision) == ("openvino", "cpu", Precision.FAST)


def test_fast_misses_no_box_of_the_own_pictures_and_adds_none(fast):
    boxes, moved = check_against_record(fast, own_cases())
    assert boxes >= 150
    assert moved / boxes < 0.35


@pytest.mark.data
@pytest.mark.parametrize(("upsample", "least"), [(0, 5), (1, 16), pytest.param(2, 18, marks=pytest.mark.slow)])
def test_fast_misses_no_box_of_the_detection_pictures_and_adds_none(fast, data_dir, upsample, least):
    cases = [case for case in data_cases(data_dir) if case.upsample == upsample]
    assert check_against_record(fast, cases)[0] >= least
