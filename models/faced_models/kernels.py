"""Compiled loops over pixels; the only importer of numba, with `winograd_loops.py` and `register_tile.py`. No GIL.

Plain Python here; `load_kernels` compiles them once and keeps the machine code in `FACED_CACHE_DIR`
(default: the user's cache folder), so that only the first start of a version pays for compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from faced_models.cache_folder import cache_folder
from faced_models.jpeg_scan import FOLLOW_SCAN_SIGNATURE, follow_scan

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled functions; their plain forms below carry the docstrings."""

    normalise: Callable[[U8, int, np.float32, F32, int, int], None]
    downsample: Callable[[F32, I64, I64, F32, I64, F32], None]
    upsample: Callable[[U8, U8, I64, F64, I64, F64, int], None]
    landmarks: Callable[..., None]
    follow_scan: Callable[..., int]
    spread: Callable[[F32, F32, int, int], None]
    halve: Callable[[F32, F32, F32, F32, int, int, int, int], None]
    convolve: Callable[[F32, F32, F32, F32, int, int, int, int], None]
    tile_rows: int | None
    """Of `WinogradLayer`; None where its kernels would be slower than an engine's."""


def normalise(image: U8, channel: int, mean: np.float32, plane: F32, left: int, top: int) -> None:
    """(value - mean) / 256 of one channel of uint8 [h, w, 3] into float32 plane [H, W] at `left`, `top`."""
    height, width, _ = image.shape
    for r in range(height):
        row = plane[top + r, left : left + width]
        for c in range(width):
            row[c] = (np.float32(image[r, c, channel]) - mean) * np.float32(1.0 / 256.0)


def downsample(plane: F32, tiles: I64, tops: I64, lows: F32, lefts: I64, rights: F32) -> None:
    """Fill all tiles of a plane [H, W] but the first, each bilinearly from the one before; float32.

    `tiles` [levels, 4] are left, top, width, height; `tops`, `lows` and `lefts`, `rights` are first samples and
    fractions of the rows and columns of all levels, one after the other. Rows are blended first, in whole, so that
    the loop over columns reads one row instead of two.
    """
    blended = np.empty(tiles[0, 2] + 1, np.float32)
    one = np.float32(1.0)
    row_base, column_base = 0, 0
    for level in range(1, len(tiles)):
        left, top, width, height = tiles[level - 1, 0], tiles[level - 1, 1], tiles[level - 1, 2], tiles[level - 1, 3]
        out_left, out_top, out_width, out_height = tiles[level, 0], tiles[level, 1], tiles[level, 2], tiles[level, 3]
        first = lefts[column_base : column_base + out_width]
        fraction = rights[column_base : column_base + out_width]
        for r in range(out_height):
            low = lows[row_base + r]
            high = one - low
            above = tops[row_base + r]
            upper = plane[top + above, left : left + width]
            lower = plane[top + min(above + 1, height - 1), left : left + width]
            for c in range(width):
                blended[c] = upper[c] * high + lower[c] * low
            blended[width] = blended[width - 1]
            target = plane[out_top + r, out_left : out_left + out_width]
            for c in range(out_width):
                target[c] = blended[first[c]] * (one - fraction[c]) + blended[first[c] + 1] * fraction[c]
        row_base += out_height
        column_base += out_width


def upsample(src: U8, out: U8, tops: I64, lows: F64, lefts: I64, fractions: F64, exact_from: int) -> None:
    """Dlib's pyramid_up on uint8 [h, w, 3]: four float32 products summed in dlib's order, then truncated.

    The order matters: truncation turns the last bit of a sum into a grey level. Columns from `exact_from` on are
    blended in float64, as dlib does at the end of a row.
    """
    height, width, _ = src.shape
    out_height, out_width, _ = out.shape
    for r in range(out_height):
        upper = src[tops[r]]
        lower = src[min(tops[r] + 1, height - 1)]
        low, high = np.float32(lows[r]), np.float32(1.0 - lows[r])
        for c in range(exact_from):
            left = lefts[c]
            fraction = np.float32(fractions[c])
            rest = np.float32(1.0) - fraction
            a, b, x, y = high * rest, high * fraction, low * rest, low * fraction
            for channel in range(3):
                value = a * np.float32(upper[left, channel]) + b * np.float32(upper[left + 1, channel])
                value = value + x * np.float32(lower[left, channel])
                value = value + y * np.float32(lower[left + 1, channel])
                out[r, c, channel] = np.uint8(np.int32(value))
        for c in range(exact_from, out_width):
            left = lefts[c]
            right = min(left + 1, width - 1)
            fraction = fractions[c]
            for channel in range(3):
                first = (1.0 - fraction) * upper[left, channel] + fraction * upper[right, channel]
                second = (1.0 - fraction) * lower[left, channel] + fraction * lower[right, channel]
                out[r, c, channel] = np.uint8(np.int32((1.0 - lows[r]) * first + lows[r] * second))


def landmarks(
    image: U8,
    boxes: NDArray[np.float64],
    initial_shape: F32,
    anchors: NDArray[np.uint8],
    deltas: F32,
    split_first: NDArray[np.uint16],
    split_second: NDArray[np.uint16],
    thresholds: F32,
    leaves: F32,
    out: F32,
) -> None:
    """Dlib's ensemble of regression trees (Kazemi and Sullivan, CVPR 2014) for five points.

    image uint8 [h, w, 3]; boxes float64 [n, 4] as dlib's inclusive left, top, right, bottom; out float32 [n, 5, 2]:
    dlib's whole-number points, x and y. Per level: anchors [levels, features], deltas [levels, features, 2]; per
    tree: splits [levels, trees, 15], leaves [levels, trees, 16, 5, 2].
    """
    height, width, _ = image.shape
    levels, features = anchors.shape
    trees, splits = thresholds.shape[1], thresholds.shape[2]
    points = initial_shape.shape[0]
    intensity = np.empty(features, np.float32)
    shape = np.empty((points, 2), np.float32)
    mean_x, mean_y = 0.0, 0.0
    for p in range(points):
        mean_x += initial_shape[p, 0] / points
        mean_y += initial_shape[p, 1] / points

    for n in range(boxes.shape[0]):
        left, top = boxes[n, 0], boxes[n, 1]
        box_width, box_height = boxes[n, 2] - left, boxes[n, 3] - top
        shape[:] = initial_shape
        for level in range(levels):
            # The similarity that takes the initial shape to the current one: [a, -b; b, a].
            now_x, now_y = 0.0, 0.0
            for p in range(points):
                now_x += shape[p, 0] / points
                now_y += shape[p, 1] / points
            dot, cross, square = 0.0, 0.0, 0.0
            for p in range(points):
                fx, fy = initial_shape[p, 0] - mean_x, initial_shape[p, 1] - mean_y
                tx, ty = shape[p, 0] - now_x, shape[p, 1] - now_y
                dot += fx * tx + fy * ty
                cross += fx * ty - fy * tx
                square += fx * fx + fy * fy
            a, b = np.float32(dot / square), np.float32(cross / square)

            for f in range(features):
                dx, dy = deltas[level, f, 0], deltas[level, f, 1]
                anchor = anchors[level, f]
                x = np.float64(a * dx - b * dy + shape[anchor, 0]) * box_width + left
                y = np.float64(b * dx + a * dy + shape[anchor, 1]) * box_height + top
                column, line = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
                if 0 <= column < width and 0 <= line < height:
                    total = np.int32(image[line, column, 0]) + image[line, column, 1] + image[line, column, 2]
                    intensity[f] = np.float32(total // 3)
                else:
                    intensity[f] = np.float32(0.0)

            for t in range(trees):
                node = 0
                while node < splits:
                    first, second = split_first[level, t, node], split_second[level, t, node]
                    node = 2 * node + (1 if intensity[first] - intensity[second] > thresholds[level, t, node] else 2)
                leaf = node - splits
                for p in range(points):
                    shape[p, 0] += leaves[level, t, leaf, p, 0]
                    shape[p, 1] += leaves[level, t, leaf, p, 1]

        for p in range(points):
            out[n, p, 0] = np.floor(np.float64(shape[p, 0]) * box_width + left + 0.5)
            out[n, p, 1] = np.floor(np.float64(shape[p, 1]) * box_height + top + 0.5)


@cache
def load_kernels() -> Kernels:
    """Compile, or load from the cache folder; the first call of each function does the work."""
    import numba
    from numba.core import config

    from faced_models.register_tile import FUSED, TILE_ROWS
    from faced_models.winograd_loops import convolve, halve, spread

    folder = cache_folder("kernels")

    def compiled(function: Callable[..., None], fastmath: bool | set[str] = False) -> Callable[..., None]:
        return cast(Callable[..., None], numba.njit(nogil=True, cache=folder is not None, fastmath=fastmath)(function))

    def compiled_now(function: Callable[..., int], signature: str) -> Callable[..., int]:
        return cast(Callable[..., int], numba.njit(signature, nogil=True, cache=folder is not None)(function))

    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder) if folder else ""
    try:
        return Kernels(
            normalise=compiled(normalise),
            # The only sum whose last bit does not matter: multiplications and additions may be fused.
            downsample=compiled(downsample, {"contract"}),
            upsample=compiled(upsample),
            landmarks=compiled(landmarks),
            # The first picture of a server must not wait for it.
            follow_scan=compiled_now(follow_scan, FOLLOW_SCAN_SIGNATURE),
            spread=compiled(spread),
            halve=compiled(halve),
            convolve=compiled(convolve),
            tile_rows=TILE_ROWS if FUSED else None,
        )
    finally:
        config.CACHE_DIR = before
