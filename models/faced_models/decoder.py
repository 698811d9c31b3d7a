"""The network's scores to faces: dlib's coordinates and suppression; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.boxes import Overlap, Rectangle, downsampled, suppress
from faced_models.network_entry import DetectorWindow
from faced_models.pyramid import Layout, to_picture
from faced_models.scale import ScanPlan
from faced_proto.types import Box, Detection

# Output (row, column) of the network looks at input pixel 8 * (row, column) + 14: three 5x5 convolutions of stride 2.
_STRIDE, _OFFSET = 8, 14


@dataclass(frozen=True, slots=True)
class View:
    """How a tiled picture came of an image: sizes (height, width) of the image as given and as scaled."""

    layout: Layout
    plan: ScanPlan
    original: tuple[int, int]
    scaled: tuple[int, int]


class Decoder:
    """Scores to boxes, for one detector window or several."""

    def __init__(self, windows: Sequence[DetectorWindow], overlaps: Overlap) -> None:
        self._reaches = [((window.width - 1) / 2, (window.height - 1) / 2) for window in windows]
        self._labels = [window.label for window in windows]
        self._overlaps = overlaps

    def decode(
        self, scores: NDArray[np.float32], view: View, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """Scores [n, windows, h, w] to boxes in the images as given, suppressed, highest score first."""
        return [
            tuple(
                Detection(_restore(rectangle, view), score, self._labels[window])
                for rectangle, score, window in self._rectangles(planes, threshold, view)
            )
            for planes, threshold in zip(scores, thresholds, strict=True)
        ]

    def _rectangles(
        self, scores: NDArray[np.float32], threshold: float, view: View
    ) -> list[tuple[Rectangle, float, int]]:
        """Rectangles in the scaled picture, after suppression, with their windows; highest score first."""
        windows, rows, columns = np.nonzero(scores > threshold)
        order = np.argsort(-scores[windows, rows, columns], kind="stable")
        windows, rows, columns = windows[order], rows[order], columns[order]
        x, y = (columns * _STRIDE + _OFFSET).astype(np.float64), (rows * _STRIDE + _OFFSET).astype(np.float64)
        levels = view.layout.levels_at(x, y).tolist()
        seen = windows.tolist()
        places = zip(x.tolist(), y.tolist(), levels, seen, strict=True)
        rectangles = [self._rectangle(*place, view) for place in places]
        ranked = scores[windows, rows, columns].tolist()
        return [(rectangles[i], ranked[i], seen[i]) for i in suppress(rectangles, self._overlaps)]

    def _rectangle(self, x: float, y: float, level: int, window: int, view: View) -> Rectangle:
        """The detector's window around a point of the tiled picture, in the scaled picture."""
        tile, depth = view.layout.tiles[level], level + view.plan.skip_levels
        across, down = self._reaches[window]
        return Rectangle.rounded(
            *to_picture(x - across, y - down, tile, depth), *to_picture(x + across, y + down, tile, depth)
        )


def _restore(rectangle: Rectangle, view: View) -> Box:
    if view.plan.shrink == 1.0:
        return downsampled(rectangle, view.plan.upsample_times).as_box()
    return unshrunk(rectangle.as_box(), view.original, view.scaled)


def unshrunk(box: Box, original: tuple[int, int], scaled: tuple[int, int]) -> Box:
    """A box of the shrunk image in the image as given; sizes are (height, width)."""
    down, across = original[0] / scaled[0], original[1] / scaled[1]
    return Box(box.left * across, box.top * down, box.right * across, box.bottom * down)
