"""dlib's own detectors, for comparison only: the reference for boxes, speed and recall. The only importer of dlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from faced_models.boxes import Rectangle
from faced_models.decoder import unshrunk
from faced_models.errors import DeviceError, ModelError
from faced_models.image_scaler import shrunk
from faced_models.scale import ScanPlan
from faced_proto.types import Box, Detection, Engine, ModelInfo, RgbImage


class DlibDetector:
    """`cnn_face_detection_model_v1` behind the `Detector` protocol. It holds the GIL; one frame takes seconds."""

    def __init__(self, weights: Path, info: ModelInfo, engine: Engine) -> None:
        """Load dlib's .dat.

        Raises:
            DeviceError: dlib is not installed.
        """
        try:
            import dlib
        except ImportError as error:
            raise DeviceError(f"backend dlib cannot be used: {error}; install faced-service[cpu]") from error
        self.info = info
        self.engine = engine
        self._network = dlib.cnn_face_detection_model_v1(str(weights))

    def detect(
        self, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """See `Detector`; levels are never left out, and thresholds below 0 act as 0."""
        return [
            tuple(face for face in self._faces(image, plan) if face.score > threshold)
            for image, threshold in zip(images, thresholds, strict=True)
        ]

    def _faces(self, image: RgbImage, plan: ScanPlan) -> list[Detection]:
        scaled = shrunk(image, plan)
        try:
            found = self._network(np.ascontiguousarray(scaled), plan.upsample_times)
        except RuntimeError as error:
            raise ModelError(f"dlib failed on {image.shape[1]} x {image.shape[0]}: {error}") from error
        return [
            Detection(unshrunk(_box(face.rect), image.shape[:2], scaled.shape[:2]), face.confidence) for face in found
        ]


class HogDetector:
    """dlib's older detector, `get_frontal_face_detector`: sliding windows of 80 px over HOG features. Holds the GIL."""

    def __init__(self) -> None:
        """Take what dlib brings.

        Raises:
            DeviceError: dlib is not installed.
        """
        try:
            import dlib
        except ImportError as error:
            raise DeviceError(f"dlib's HOG cannot be used: {error}; install faced-service[cpu]") from error
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, image: RgbImage, upsample_times: int, threshold: float) -> tuple[Detection, ...]:
        """Faces of one image with scores above `threshold`; dlib's own is 0."""
        found, scores, _windows = self._detector.run(np.ascontiguousarray(image), upsample_times, threshold)
        return tuple(Detection(_box(rectangle), float(score)) for rectangle, score in zip(found, scores, strict=True))


class _DlibRectangle(Protocol):
    def left(self) -> int: ...
    def top(self) -> int: ...
    def right(self) -> int: ...
    def bottom(self) -> int: ...


def _box(rectangle: _DlibRectangle) -> Box:
    return Rectangle(rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()).as_box()
