"""A fast detector whose borderline faces are decided by an exact one."""

from __future__ import annotations

from collections.abc import Sequence

from faced_models.detector import Detector
from faced_models.scale import ScanPlan
from faced_proto.types import Detection, RgbImage

MARGIN = 0.03
"""In bfloat16 a score differs by up to 0.02; on 250 pictures no face flipped that was 0.0025 from the threshold."""


class GuardedDetector:
    """Runs `fast`; images with a face whose score is within `MARGIN` of the threshold are scanned again by `exact`.

    So a face near the threshold is neither missed nor extra. Safe for threads if the detectors are.
    """

    def __init__(self, fast: Detector, exact: Detector) -> None:
        self.info = fast.info
        self.engine = fast.engine
        self._fast = fast
        self._exact = exact

    def detect(
        self, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """See `Detector`."""
        # A face suppresses only faces of lower score: those above the threshold are the same as without the margin.
        found = self._fast.detect(images, plan, [threshold - MARGIN for threshold in thresholds])
        pairs = zip(found, thresholds, strict=True)
        again = [
            index
            for index, (faces, threshold) in enumerate(pairs)
            if any(abs(face.score - threshold) <= MARGIN for face in faces)
        ]
        if again:
            exact = self._exact.detect([images[i] for i in again], plan, [thresholds[i] for i in again])
            for index, faces in zip(again, exact, strict=True):
                found[index] = faces
        return found
