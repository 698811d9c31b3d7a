"""Images to detections: dlib's MMOD detector (King, arXiv:1502.00046) on ONNX Runtime, with dlib's own boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_models.boxes import Overlap, Rectangle, downsampled, suppress
from faced_models.kernels import Kernels
from faced_models.pyramid import (
    MIN_SIDE_PX,
    Layout,
    Sampling,
    level_sizes,
    sample_columns,
    sample_rows,
    tile,
    to_picture,
)
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
class Tables:
    """How the tiled picture of one size of image is filled: sampling of the left-out levels, then of the tiles."""

    layout: Layout
    skipped: tuple[tuple[Sampling, Sampling], ...]
    sampled: tuple[tuple[Sampling, Sampling], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tiled pyramids float32 [n, 3, H, W], where their tiles lie, and the images' sizes (height, width)."""

    pyramids: NDArray[np.float32]
    layout: Layout
    plan: ScanPlan
    original: tuple[int, int]
    scaled: tuple[int, int]


class MmodDetector:
    """The MMOD network around dlib's pyramid, coordinates and suppression; three stages, in `detect` one by one."""

    def __init__(
        self, session: Session, options: MmodOptions, kernels: Kernels, info: ModelInfo, engine: Engine
    ) -> None:
        self.info = info
        self.engine = engine
        self._session = session
        self._options = options
        self._kernels = kernels
        # The newest layout's tensor: its background stays zero, so that the next batch of equal frames can use it.
        self._spare: NDArray[np.float32] | None = None

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
        height, width, _ = scaled[0].shape
        tables = _tables(width, height, plan.skip_levels, self._options.padding, self._options.outer_padding)
        return Prepared(self._pyramids(scaled, tables), tables.layout, plan, images[0].shape[:2], (height, width))

    def score(self, prepared: Prepared) -> NDArray[np.float32]:
        """The network: float32 [n, 1, h, w]. The pyramids may be overwritten afterwards."""
        scores = self._session.run(prepared.pyramids)
        self._spare = prepared.pyramids
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

    def _pyramids(self, images: Sequence[RgbImage], tables: Tables) -> NDArray[np.float32]:
        layout = tables.layout
        shape = (len(images), 3, layout.height, layout.width)
        spare, self._spare = self._spare, None
        batch = spare if spare is not None and spare.shape == shape else np.zeros(shape, np.float32)
        tiles = np.array([(t.left, t.top, t.width, t.height) for t in layout.tiles], np.int64)
        for image, pyramid in zip(images, batch, strict=True):
            self._finest(image, pyramid, tiles[0], tables)
            for (source, target), (rows, columns) in zip(pairwise(tiles), tables.sampled, strict=True):
                self._downsample(pyramid, source, pyramid, target, rows, columns)
        return batch

    def _finest(self, image: RgbImage, pyramid: NDArray[np.float32], tile: NDArray[np.int64], tables: Tables) -> None:
        """Fill the first tile: the image itself, or the first level that is not left out."""
        if not tables.skipped:
            self._kernels.normalise(image, self._options.means, pyramid, int(tile[0]), int(tile[1]))
            return
        height, width, _ = image.shape
        level = np.empty((3, height, width), np.float32)
        self._kernels.normalise(image, self._options.means, level, 0, 0)
        for rows, columns in tables.skipped[:-1]:
            smaller = np.empty((3, len(rows.first), len(columns.first)), np.float32)
            self._downsample(level, _whole(level), smaller, _whole(smaller), rows, columns)
            level = smaller
        rows, columns = tables.skipped[-1]
        self._downsample(level, _whole(level), pyramid, tile, rows, columns)

    def _downsample(
        self,
        source: NDArray[np.float32],
        source_tile: NDArray[np.int64],
        target: NDArray[np.float32],
        target_tile: NDArray[np.int64],
        rows: Sampling,
        columns: Sampling,
    ) -> None:
        scratch = np.empty(source_tile[2] + 1, np.float32)
        lows, rights = rows.fraction.astype(np.float32), columns.fraction.astype(np.float32)
        self._kernels.downsample(
            source, source_tile, target, target_tile, rows.first, lows, columns.first, rights, scratch
        )

    def _rectangles(
        self, scores: NDArray[np.float32], threshold: float, prepared: Prepared
    ) -> list[tuple[Rectangle, float]]:
        """Rectangles in the scaled picture, after suppression; highest score first."""
        rows, columns = np.nonzero(scores > threshold)
        order = np.argsort(-scores[rows, columns], kind="stable")
        rows, columns = rows[order], columns[order]
        x, y = (columns * _STRIDE + _OFFSET).astype(np.float64), (rows * _STRIDE + _OFFSET).astype(np.float64)
        levels = prepared.layout.levels_at(x, y).tolist()
        rectangles = [self._rectangle(*place, prepared) for place in zip(x.tolist(), y.tolist(), levels, strict=True)]
        ranked = scores[rows, columns].tolist()
        return [(rectangles[i], ranked[i]) for i in suppress(rectangles, self._options.overlaps)]

    def _rectangle(self, x: float, y: float, level: int, prepared: Prepared) -> Rectangle:
        """The detector's window around a point of the tiled picture, in the scaled picture."""
        reach = (self._options.window - 1) / 2
        tile, depth = prepared.layout.tiles[level], level + prepared.plan.skip_levels
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


def _whole(planes: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.array((0, 0, planes.shape[2], planes.shape[1]), np.int64)


@lru_cache(maxsize=32)
def _tables(width: int, height: int, skip: int, padding: int, outer_padding: int) -> Tables:
    sizes = level_sizes(width, height)
    layout = tile(*sizes[skip], padding, outer_padding)
    steps = [
        (sample_rows(a[1], b[1]), sample_columns(a[0], b[0])) for a, b in pairwise(sizes[: skip + len(layout.tiles)])
    ]
    return Tables(layout, tuple(steps[:skip]), tuple(steps[skip:]))
