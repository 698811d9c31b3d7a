"""Geometry of dlib's tiled image pyramid: where each level lies, how it is sampled, coordinates there and back; pure.

dlib lays all levels of the pyramid into one picture, and the detector's receptive field crosses the gaps, so equal
boxes need equal tiles. Source of every rule: dlib, image_transforms/image_pyramid.h and interpolation.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATIO = 5.0 / 6.0
"""Each level is this times the one before: pyramid_down<6>."""

MIN_SIDE_PX = 10
"""Smaller pictures have no layout: dlib's tiles would lie outside its tensor. They hold no face of 80 px."""

_MIN_LEVEL_HEIGHT = 5
_UNSIGNED = 1 << 64


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a level lies in the tiled picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The tiled picture: its size, and the tiles from the finest level on."""

    width: int
    height: int
    tiles: tuple[Tile, ...]

    def levels_at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
        """For each point [n] the level whose tile's pixels are nearest; of equals the finest."""
        left, top, width, height = np.array([(t.left, t.top, t.width, t.height) for t in self.tiles], np.float64).T
        dx = np.maximum(np.maximum(left - x[:, None], x[:, None] - (left + width - 1)), 0.0)
        dy = np.maximum(np.maximum(top - y[:, None], y[:, None] - (top + height - 1)), 0.0)
        nearest: NDArray[np.intp] = np.argmin(dx * dx + dy * dy, axis=1)
        return nearest


@dataclass(frozen=True, slots=True)
class Sampling:
    """Bilinear sampling of one axis: out[i] = in[first[i]] * (1 - fraction[i]) + in[first[i] + 1] * fraction[i].

    `first` int64, `fraction` float64. dlib computes entries below `exact_from` in float32, the others in float64.
    """

    first: NDArray[np.int64]
    fraction: NDArray[np.float64]
    exact_from: int


def level_sizes(width: int, height: int) -> tuple[tuple[int, int], ...]:
    """Sizes (width, height) of all levels of a picture, the picture itself first."""
    sizes = [(width, height)]
    while True:
        width, height = math.floor(RATIO * width), math.floor(RATIO * height)
        if width == 0 or height < _MIN_LEVEL_HEIGHT:
            return tuple(sizes)
        sizes.append((width, height))


@lru_cache(maxsize=64)
def tile(width: int, height: int, padding: int, outer_padding: int) -> Layout:
    """Dlib's layout: one column of levels down, then a second one up beside it.

    dlib compares signed with unsigned 64-bit numbers here; negative differences wrap round, which decides the
    layout of small pictures, so the comparison wraps here too.
    """
    sizes = level_sizes(width, height)
    total = sum(h + padding for _, h in sizes) - 2 * padding
    column, previous = 0, 0
    for w, h in sizes:
        fits_beside = w <= (width - previous - padding) % _UNSIGNED
        if fits_beside and (column - height) * 2 % _UNSIGNED >= (total - height) % _UNSIGNED:
            break
        column += h + padding
        previous = w
    column -= padding

    tiles: list[Tile] = []
    y = outer_padding
    for w, h in sizes:
        if y >= column + outer_padding:
            break
        tiles.append(Tile(outer_padding, y, w, h))
        y += h + padding
    y -= padding
    for w, h in sizes[len(tiles) :]:
        candidate = Tile(outer_padding + width - w, y - h, w, h)
        if tiles and overlap(tiles[0], candidate):
            break
        tiles.append(candidate)
        y -= h + padding
    return Layout(width + 2 * outer_padding, column + 2 * outer_padding, tuple(tiles))


def overlap(a: Tile, b: Tile) -> bool:
    """True if the tiles share a pixel. Those of very flat pictures may; what is written last is seen."""
    return (
        a.left < b.left + b.width
        and b.left < a.left + a.width
        and a.top < b.top + b.height
        and b.top < a.top + a.height
    )


def sample_rows(inputs: int, outputs: int) -> Sampling:
    """Dlib's sampling of rows: positions accumulate in float64."""
    step = (inputs - 1) / max(outputs - 1, 1)
    positions = _accumulate(-step, step, outputs)
    first = np.minimum(np.floor(positions), inputs - 1)
    return Sampling(first.astype(np.int64), positions - first, 0)


def sample_columns(inputs: int, outputs: int) -> Sampling:
    """Dlib's sampling of columns: float32 positions that accumulate in groups of four, float64 at the row's end."""
    step = (inputs - 1) / max(outputs - 1, 1)
    lanes = np.array([[(lane - 4) * step for lane in range(4)]], dtype=np.float32)
    steps = np.full((outputs // 4, 4), 4 * step, dtype=np.float32)
    grouped = np.add.accumulate(np.concatenate((lanes, steps)))[1:]
    # dlib leaves the grouped loop at the first group whose last column has no right neighbour.
    complete = np.trunc(grouped[:, 3]) + 1 < inputs
    count = 4 * (len(complete) if complete.all() else int(np.argmin(complete)))
    positions = grouped.reshape(-1)[:count]
    tail = _accumulate(-step + count * step, step, outputs - count)
    tail_first = np.minimum(np.floor(tail), inputs - 1)
    first = np.trunc(positions)
    return Sampling(
        np.concatenate((first, tail_first)).astype(np.int64),
        np.concatenate(((positions - first).astype(np.float64), tail - tail_first)),
        count,
    )


def _accumulate(start: float, step: float, count: int) -> NDArray[np.float64]:
    return np.add.accumulate(np.concatenate(([start], np.full(count, step))))[1:]


def to_picture(x: float, y: float, tile_of_level: Tile, level: int) -> tuple[float, float]:
    """A point of the tiled picture in pixels of the finest level's picture (dlib's point_up: times 1.2, plus 0.3)."""
    x, y = x - tile_of_level.left, y - tile_of_level.top
    for _ in range(level):
        x, y = x * 1.2 + 0.3, y * 1.2 + 0.3
    return x, y


def upsampled_size(width: int, height: int, times: int) -> tuple[int, int]:
    """Size after `times` of dlib's pyramid_up, which gives (2w + 2) x (2h + 1)."""
    for _ in range(times):
        width, height = 2 * width + 2, 2 * height + 1
    return width, height
