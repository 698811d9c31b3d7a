"""The face of a crop, found as a server would find it."""

from __future__ import annotations

from faced_models.detector import Detector
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_proto.types import Box
from faced_train.framing import Framed
from faced_train.observers import overlap

_PLAN = ScanPlan(0, 1.0, 0, 1.0, WINDOW_PX)


def find_face(detector: Detector, frame: Framed) -> Box | None:
    """The box that overlaps the crop most; None where none does."""
    found = detector.detect([frame.image], _PLAN, [0.0])[0]
    boxes = [one.box for one in found if overlap(one.box, frame.crop)]
    return max(boxes, key=lambda box: overlap(box, frame.crop), default=None)
