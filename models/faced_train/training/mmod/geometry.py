"""Where the network's outputs look in a crop, and which output is to find a box: dlib's mmod_options and loss_mmod."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.boxes import Rectangle, round_away
from faced_models.network_entry import DetectorWindow
from faced_models.pyramid import RATIO, Layout, tile, to_picture

PADDING, OUTER_PADDING = 10, 11
"""dlib's tiled pyramid, in pixels."""

_STRIDE, _OFFSET = 8, 14
_SAME_AREA = 400 * 400


@dataclass(frozen=True, slots=True)
class Target:
    """A box to find; one that is `ignored` need not be found and may be."""

    box: Rectangle
    label: str = ""
    ignored: bool = False


class UnreachableError(ValueError):
    """No output of the network can find a box; says why."""


class Grid:
    """The outputs [windows, rows, columns] of a network for crops of one size.

    `rectangles` float64 [windows * rows * columns, 4] are what each finds, right and bottom inclusive.
    """

    def __init__(self, size: tuple[int, int], windows: Sequence[DetectorWindow], shape: tuple[int, int]) -> None:
        """`size` is the crops' (width, height), `shape` the rows and columns of the network's output."""
        self.windows = tuple(windows)
        self.shape = shape
        self.size = size
        self.layout = tile(*size, PADDING, OUTER_PADDING)
        self.rectangles = np.concatenate([_rectangles(self.layout, window, shape) for window in self.windows])

    def place(self, target: Target, match_iou: float) -> int:
        """The flat index of the output that is to find a box.

        Raises:
            UnreachableError: there is none.
        """
        box = target.box
        width, height = box.right - box.left + 1, box.bottom - box.top + 1
        x, y = (box.left + box.right + 1) // 2, (box.top + box.bottom + 1) // 2
        if not (0 <= x < self.size[0] and 0 <= y < self.size[1]):
            raise UnreachableError("its centre is outside the picture")
        index = self._window(target)
        window = self.windows[index]
        # Of the two scales the larger: where they differ much, the box cannot be matched anyway.
        scale = min(1.0, max(window.width / width, window.height / height))
        level = min(int(math.log(scale) / math.log(RATIO) + 0.5), len(self.layout.tiles) - 1)
        x, y = self._tiled_centre(box, level)
        left, top = x - window.width // 2, y - window.height // 2
        seen = self._in_picture(left, top, left + window.width - 1, top + window.height - 1)
        if iou(box, seen) <= match_iou:
            small = width < window.width and height < window.height
            why = "smaller than" if small else "of another shape than"
            raise UnreachableError(
                f"{width} x {height} px is {why} what the window of {window.width} x {window.height} px finds"
            )
        row, column = (math.floor((place - _OFFSET) / _STRIDE + 0.5) for place in (y, x))
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise UnreachableError("it lies too close to the edge for the network")
        return (index * rows + row) * columns + column

    def window(self, target: Target) -> DetectorWindow:
        """The window that is to find a box: of its label the one whose shape is most like its own."""
        return self.windows[self._window(target)]

    def _window(self, target: Target) -> int:
        box = target.box
        width, height = box.right - box.left + 1, box.bottom - box.top + 1
        best, most = 0, -math.inf
        for index, window in enumerate(self.windows):
            if window.label == target.label:
                shared = _shape_iou(_same_area(width, height), _same_area(window.width, window.height))
                if shared > most:
                    best, most = index, shared
        return best

    def _tiled_centre(self, box: Rectangle, level: int) -> tuple[int, int]:
        at = self.layout.tiles[level]

        def down(value: int, origin: int) -> int:
            mapped = float(value)
            for _ in range(level):
                mapped = (mapped - 0.3) * RATIO
            return round_away(mapped + origin)

        left, right = down(box.left, at.left), down(box.right, at.left)
        top, bottom = down(box.top, at.top), down(box.bottom, at.top)
        return (left + right + 1) // 2, (top + bottom + 1) // 2

    def _in_picture(self, left: int, top: int, right: int, bottom: int) -> Rectangle:
        x, y = (np.array([math.floor((a + b) / 2 + 0.5)], np.float64) for a, b in ((left, right), (top, bottom)))
        level = int(self.layout.levels_at(x, y)[0])
        at = self.layout.tiles[level]
        return Rectangle.rounded(*to_picture(left, top, at, level), *to_picture(right, bottom, at, level))


def iou(a: Rectangle, b: Rectangle) -> float:
    """Intersection over union."""
    width = min(a.right, b.right) - max(a.left, b.left) + 1
    height = min(a.bottom, b.bottom) - max(a.top, b.top) + 1
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a.area + b.area - width * height)


def _same_area(width: int, height: int) -> tuple[int, int]:
    """The shape at a fixed area: sizes do not matter to windows, the pyramid has all."""
    scale = math.sqrt(_SAME_AREA / (width * height))
    return round_away(width * scale), round_away(height * scale)


def _shape_iou(a: tuple[int, int], b: tuple[int, int]) -> float:
    inner = min(a[0], b[0]) * min(a[1], b[1])
    return inner / (a[0] * a[1] + b[0] * b[1] - inner)


def _rectangles(layout: Layout, window: DetectorWindow, shape: tuple[int, int]) -> NDArray[np.float64]:
    rows, columns = np.indices(shape).reshape(2, -1)
    x, y = (columns * _STRIDE + _OFFSET).astype(np.float64), (rows * _STRIDE + _OFFSET).astype(np.float64)
    found = np.empty((len(x), 4))
    levels = layout.levels_at(x, y)
    across, down = (window.width - 1) / 2, (window.height - 1) / 2
    for level, at in enumerate(layout.tiles):
        chosen = levels == level
        corners = np.stack([x - across - at.left, y - down - at.top, x + across - at.left, y + down - at.top], 1)[
            chosen
        ]
        for _ in range(level):
            corners = corners * 1.2 + 0.3
        found[chosen] = np.sign(corners) * np.floor(np.abs(corners) + 0.5)
    return found
