"""Images to detections: dlib's MMOD detector (King, arXiv:1502.00046) on ONNX Runtime, with dlib's own boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_models.boxes import Overlap, Rectangle, downsampled, suppress
from faced_models.kernels import Kernels
from faced_models.pyramid import MIN_SIDE_PX, sample_columns, sample_rows, to_picture
from faced_models.pyramid_builder import PyramidBuilder, Recipe
from faced_models.scale import ScanPlan
from faced_models.session import Session
from faced_proto.types import Box, Detection, Engine, ModelInfo, RgbImage

# Output (row, column) of the network looks at input pixel 8 * (row, column) + 14: three 5x5 convolutions of stride 2.
_STRIDE, _OFFSET = 8, 14


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
    """What the .dat says beside the weights: window in pixels, suppression, RGB means, paddings of the pyramid."""

    window: int
    overlaps: Overlap
    means: NDArray[np.float32]
    padding: int
    outer_padding: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tiled pyramids float32 [n, 3, H, W], how they were laid out, and the images' sizes (height, width)."""

    pyramids: NDArray[np.float32]
    recipe: Recipe
    plan: ScanPlan
    original: tuple[int, int]
    scaled: tuple[int, int]


class MmodDetector:
    """The MMOD network around dlib's pyramid, coordinates and suppression; three stages, in `detect` one by one."""

    def __init__(
        self,
        session: Session,
        options: MmodOptions,
        kernels: Kernels,
        info: ModelInfo,
        engine: Engine,
        *,
        threads: int,
    ) -> None:
        self.info = info
        self.engine = engine
        self._session = session
        self._options = options
        self._kernels = kernels
        self._builder = PyramidBuilder(kernels, options.means, options.padding, options.outer_padding, threads)

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
        scaled = [self._scaled(image, plan) for image in images]
        pyramids, recipe = self._builder.build(scaled, plan.skip_levels)
        return Prepared(pyramids, recipe, plan, images[0].shape[:2], scaled[0].shape[:2])

    def score(self, prepared: Prepared) -> NDArray[np.float32]:
        """The network: float32 [n, 1, h, w]. The pyramids may be overwritten afterwards."""
        scores = self._session.run(prepared.pyramids)
        self._builder.give_back(prepared.pyramids, prepared.recipe)
        return scores

    def locate(
        self, scores: NDArray[np.float32], prepared: Prepared, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """Scores to boxes in the images as given, suppressed, highest score first."""
        return [
            tuple(
                Detection(_restore(rectangle, prepared), score)
                for rectangle, score in self._rectangles(plane[0], threshold, prepared)
            )
            for plane, threshold in zip(scores, thresholds, strict=True)
        ]

    def _scaled(self, image: RgbImage, plan: ScanPlan) -> RgbImage:
        if plan.shrink < 1.0:
            height, width, _ = image.shape
            size = (max(1, int(width * plan.shrink)), max(1, int(height * plan.shrink)))
            return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
        for _ in range(plan.upsample_times):
            image = self._doubled(image)
        return image

    def _doubled(self, image: RgbImage) -> RgbImage:
        height, width, _ = image.shape
        out = np.empty((2 * height + 1, 2 * width + 2, 3), np.uint8)
        rows, columns = sample_rows(height, out.shape[0]), sample_columns(width, out.shape[1])
        self._kernels.upsample(
            image, out, rows.first, rows.fraction, columns.first, columns.fraction, columns.exact_from
        )
        return out

    def _rectangles(
        self, scores: NDArray[np.float32], threshold: float, prepared: Prepared
    ) -> list[tuple[Rectangle, float]]:
        """Rectangles in the scaled picture, after suppression; highest score first."""
        rows, columns = np.nonzero(scores > threshold)
        order = np.argsort(-scores[rows, columns], kind="stable")
        rows, columns = rows[order], columns[order]
        x, y = (columns * _STRIDE + _OFFSET).astype(np.float64), (rows * _STRIDE + _OFFSET).astype(np.float64)
        levels = prepared.recipe.layout.levels_at(x, y).tolist()
        rectangles = [self._rectangle(*place, prepared) for place in zip(x.tolist(), y.tolist(), levels, strict=True)]
        ranked = scores[rows, columns].tolist()
        return [(rectangles[i], ranked[i]) for i in suppress(rectangles, self._options.overlaps)]

    def _rectangle(self, x: float, y: float, level: int, prepared: Prepared) -> Rectangle:
        """The detector's window around a point of the tiled picture, in the scaled picture."""
        reach = (self._options.window - 1) / 2
        tile, depth = prepared.recipe.layout.tiles[level], level + prepared.plan.skip_levels
        return Rectangle.rounded(
            *to_picture(x - reach, y - reach, tile, depth), *to_picture(x + reach, y + reach, tile, depth)
        )


def _restore(rectangle: Rectangle, prepared: Prepared) -> Box:
    if prepared.plan.shrink == 1.0:
        return downsampled(rectangle, prepared.plan.upsample_times).as_box()
    box = rectangle.as_box()
    down = prepared.original[0] / prepared.scaled[0]
    across = prepared.original[1] / prepared.scaled[1]
    return Box(box.left * across, box.top * down, box.right * across, box.bottom * down)
