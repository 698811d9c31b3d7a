"""Faces to what the networks say of them: as the server does it, or on the crops as handed out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_models.bundle import Models
from faced_models.classifier import Classifier
from faced_models.errors import ModelError
from faced_proto.types import AnalysisOptions, AttributeFailure, Box, Distribution, FaceAnalysis, RgbImage
from faced_service.analysis_request import AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.attributes import attributes_of
from faced_service.images import Picture
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.settings import Settings
from faced_train.framing import Framed, framed


@dataclass(frozen=True, slots=True)
class Observation:
    """A face: the width of its box in the frame (0 on the crop path), and probabilities by attribute."""

    face_px: float
    probabilities: Mapping[str, Sequence[float]]


class Observer(Protocol):
    """Describes faces; None where none was found. `batch` faces at a time serve it best."""

    batch: int

    def observe(self, crops: Sequence[RgbImage]) -> list[Observation | None]:
        """One for each face.

        Raises:
            ModelError: a network failed.
        """
        ...


class CropObserver:
    """Feeds faces to the networks as they were handed out, resized bilinearly."""

    batch = 128

    def __init__(self, classifiers: Mapping[str, Classifier]) -> None:
        """`classifiers` are by attribute."""
        self._classifiers = classifiers

    def observe(self, crops: Sequence[RgbImage]) -> list[Observation | None]:
        """See `Observer`."""
        found: dict[str, NDArray[np.float32]] = {}
        for name, classifier in self._classifiers.items():
            size = classifier.recipe.size
            resized = [cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR) for crop in crops]
            found[name] = classifier.probabilities(np.asarray(np.stack(resized), np.uint8))
        return [Observation(0.0, {name: rows[i].tolist() for name, rows in found.items()}) for i in range(len(crops))]


class ServedObserver:
    """Puts faces, enlarged and padded, through the server's own analyzer; a context manager."""

    batch = 32

    def __init__(self, models: Models, settings: Settings, attributes: Sequence[str]) -> None:
        """`settings` must not withhold gender."""
        self._attributes = tuple(attributes)
        self._runner = asyncio.Runner()
        self._analyzer = Analyzer(models, settings, known_attributes=attributes_of(tuple(models.classifiers)))

    def __enter__(self) -> ServedObserver:
        self._runner.__enter__()
        self._runner.run(self._analyzer.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._analyzer.close())
        self._runner.close()

    def observe(self, crops: Sequence[RgbImage]) -> list[Observation | None]:
        """See `Observer`."""
        return self.observe_frames([framed(crop) for crop in crops])

    def observe_frames(self, frames: Sequence[Framed]) -> list[Observation | None]:
        """The face of each frame that overlaps its crop most."""
        return self._runner.run(self._observe(frames))

    async def _observe(self, frames: Sequence[Framed]) -> list[Observation | None]:
        return await asyncio.gather(*(self._observe_one(frame) for frame in frames))

    async def _observe_one(self, frame: Framed) -> Observation | None:
        height, width, _ = frame.image.shape
        pixels = RawLayout(PixelFormat.RGB24, width, height, (Plane(frame.image.tobytes()),))
        options = AnalysisOptions(attributes=self._attributes, min_face_px=frame.smallest)
        request = AnalysisRequest(Picture(pixels), options, caller="evaluation", auto_upsample=0, patient=True)
        analysis = await self._analyzer.analyze(request)
        face = max(analysis.faces, key=lambda face: overlap(face.detection.box, frame.crop), default=None)
        if face is None or not overlap(face.detection.box, frame.crop):
            return None
        return Observation(face.detection.box.width, _probabilities(face))


def _probabilities(face: FaceAnalysis) -> dict[str, Sequence[float]]:
    found: dict[str, Sequence[float]] = {}
    for outcome in face.attributes:
        if isinstance(outcome, AttributeFailure):
            raise ModelError(outcome.message)
        if isinstance(outcome, Distribution):
            found[outcome.attribute] = outcome.probabilities
    return found


def overlap(box: Box, crop: Box) -> float:
    """Intersection over union."""
    width = min(box.right, crop.right) - max(box.left, crop.left)
    height = min(box.bottom, crop.bottom) - max(box.top, crop.top)
    if min(width, height) <= 0:
        return 0.0
    common = width * height
    return common / (box.width * box.height + crop.width * crop.height - common)
