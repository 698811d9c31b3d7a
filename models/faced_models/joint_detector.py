"""Several detectors on the same pictures: what each finds, none suppressing another's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from faced_models.detector import Detector
from faced_models.scale import ScanPlan
from faced_proto.types import Detection, RgbImage


class JointDetector:
    """Runs one after the other, by the same plan; `first` gives its name and engine to all."""

    def __init__(self, first: Detector, others: Sequence[Detector]) -> None:
        self.info = first.info
        self.engine = first.engine
        self._detectors = (first, *others)

    def detect(
        self, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """See `Detector`; a threshold is that of all."""
        found = [detector.detect(images, plan, thresholds) for detector in self._detectors]
        return [tuple(sorted(chain(*parts), key=lambda one: -one.score)) for parts in zip(*found, strict=True)]
