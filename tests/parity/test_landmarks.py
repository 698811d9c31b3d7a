"""Our landmarks against those that dlib's shape predictor gave for the same boxes (recorded; dlib 20.0.1).

The recording needs the original .dat of 9 MB, which is not kept: tests/unit/models/test_convert_cascade.py reads it.
"""

import json
from pathlib import Path

import numpy as np

from faced_models.bundle import load_aligner
from faced_proto.types import Box

RECORD = json.loads(Path(__file__).with_name("landmarks.json").read_text())


def test_landmarks_are_dlibs_also_for_boxes_that_leave_the_picture(astronaut):
    boxes = [Box(left, top, right + 1, bottom + 1) for (left, top, right, bottom), _ in RECORD]
    expected = np.array([points for _, points in RECORD], np.float32)
    assert len(expected) == 60
    np.testing.assert_allclose(load_aligner().landmarks(astronaut, boxes), expected + 0.5, atol=0.01)
