"""Images to detections: dlib's MMOD detector (King, arXiv:1502.00046) on ONNX Runtime, with dlib's own boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faced_models.boxes import Overlap
from faced_models.decoder import Decoder, View
from faced_models.image_scaler import ImageScaler
from faced_models.kernels import Kernels
from faced_models.network_entry import DetectorWindow
from faced_models.pyramid import MIN_SIDE_PX
from faced_models.pyramid_builder import PyramidBuilder, Recipe
from faced_models.scale import ScanPlan
from faced_models.session import Session
from faced_models.team import Team
from faced_proto.types import Detection, Engine, ModelInfo, RgbImage


class Detector(Protocol):
    """Finds faces. Blocking, without the GIL, from any thread."""

    @property
    def info(self) -> ModelInfo:
        """The network."""
        ...

    @property
    def engine(self) -> Engine:
        """What runs it."""
        ...

    def detect(
        self, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """Faces of each image (all of one size), highest score first, scores above the image's threshold.

        Raises:
            ModelError: the network failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class MmodOptions:
    """What the .dat says beside the weights: windows, suppression, RGB means, paddings of the pyramid."""

    windows: tuple[DetectorWindow, ...]
    overlaps: Overlap
    means: NDArray[np.float32]
    padding: int
    outer_padding: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tiled pyramids float32 [n, 3, H, W], and how they were laid out."""

    pyramids: NDArray[np.float32]
    recipe: Recipe
    view: View


class MmodDetector:
    """The MMOD network around dlib's pyramid, coordinates and suppression; three stages, in `detect` one by one."""

    def __init__(
        self,
        session: Session,
        options: MmodOptions,
        kernels: Kernels,
        info: ModelInfo,
        engine: Engine,
        team: Team,
    ) -> None:
        self.info = info
        self.engine = engine
        self._session = session
        self._scaler = ImageScaler(kernels, team)
        self._decoder = Decoder(options.windows, options.overlaps)
        self._builder = PyramidBuilder(kernels, options.means, options.padding, options.outer_padding, team)

    def detect(
        self, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """See `Detector`."""
        height, width, _ = images[0].shape
        if min(width, height) * plan.applied_scale < MIN_SIDE_PX:
            return [() for _ in images]
        prepared = self.prepare(images, plan)
        return self.locate(self.score(prepared), prepared, thresholds)

    def prepare(self, images: Sequence[RgbImage], plan: ScanPlan) -> Prepared:
        """Scale the images (all of one size) and lay out their pyramids."""
        scaled = [self._scaler.scaled(image, plan) for image in images]
        pyramids, recipe = self._builder.build(scaled, plan.skip_levels)
        return Prepared(pyramids, recipe, View(recipe.layout, plan, images[0].shape[:2], scaled[0].shape[:2]))

    def score(self, prepared: Prepared) -> NDArray[np.float32]:
        """The network: float32 [n, windows, h, w]. The pyramids may be overwritten afterwards."""
        scores = self._session.run(prepared.pyramids)
        self._builder.give_back(prepared.pyramids, prepared.recipe)
        return scores

    def locate(
        self, scores: NDArray[np.float32], prepared: Prepared, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """Scores to boxes in the images as given, suppressed, highest score first."""
        return self._decoder.decode(scores, prepared.view, thresholds)
