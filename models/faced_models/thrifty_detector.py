"""A detector that survives running out of memory: it splits, then coarsens, then runs on the CPU, and says so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from faced_models.detector import Detector
from faced_models.errors import OutOfMemory
from faced_models.scale import ScanPlan
from faced_proto.types import Detection, Engine, RgbImage

_logger = logging.getLogger(__name__)


class MemoryStep(Enum):
    """What was done because a run could not allocate."""

    SPLIT = "split"
    COARSER = "coarser"
    CPU = "cpu"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Scanned:
    """The faces of one image, and the plan and the engine that found them."""

    detections: tuple[Detection, ...]
    plan: ScanPlan
    engine: Engine


class ThriftyDetector:
    """Runs `detector`; `spare` is one on the CPU, or None where the device was asked for by name.

    `on_step` is told of each step that a lack of memory forces. Safe for threads if the detectors are.
    """

    def __init__(self, detector: Detector, *, spare: Detector | None, on_step: Callable[[MemoryStep], None]) -> None:
        self._detector = detector
        self._spare = spare
        self._on_step = on_step

    def scan(self, images: Sequence[RgbImage], plans: Sequence[ScanPlan], thresholds: Sequence[float]) -> list[Scanned]:
        """Faces of each image (all of one size); `plans` are those that the caller allows, the wanted one first.

        Raises:
            OutOfMemory: not even one image by the coarsest plan fits.
            ModelError: the network failed otherwise.
        """
        if len(images) == 1:
            return [self._one(images[0], plans, thresholds[0])]
        try:
            return _run(self._detector, images, plans[0], thresholds)
        except (OutOfMemory, MemoryError) as error:
            self._note(MemoryStep.SPLIT, f"{len(images)} frames are split", error)
        half = len(images) // 2
        return self.scan(images[:half], plans, thresholds[:half]) + self.scan(images[half:], plans, thresholds[half:])

    def _one(self, image: RgbImage, plans: Sequence[ScanPlan], threshold: float) -> Scanned:
        ways = [(MemoryStep.COARSER, self._detector, plan) for plan in plans]
        if self._spare is not None:
            ways += [(MemoryStep.CPU, self._spare, plan) for plan in plans]
        for number, (_, detector, plan) in enumerate(ways, 1):
            try:
                return _run(detector, [image], plan, [threshold])[0]
            except (OutOfMemory, MemoryError) as error:
                if number == len(ways):
                    self._note(MemoryStep.FAILED, "the frame fails", error)
                    raise OutOfMemory(f"the detector is out of memory: {error}") from error
                step, following, coarser = ways[number]
                self._note(step, f"next on {following.engine.device} at scale {coarser.applied_scale:g}", error)
        raise ValueError("no plan was given")

    def _note(self, step: MemoryStep, what: str, error: Exception) -> None:
        _logger.warning("the detector is out of memory, %s: %s", what, error)
        self._on_step(step)


def _run(detector: Detector, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]) -> list[Scanned]:
    return [Scanned(found, plan, detector.engine) for found in detector.detect(images, plan, thresholds)]
