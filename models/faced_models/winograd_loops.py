"""The compiled loops of `winograd.py`; `kernels.py` imports this when it compiles, and nobody else does.

A picture of w columns lies in planes by column modulo 4 (modulo 8, 16, 32 before layers of stride 2, and then also by
row modulo 2, 4, 8), so that what a transform mixes is in as many planes, each loop runs along contiguous memory, and a
step of a column or row is one fixed offset. A plane is one row after the other, `pitch` columns each; the last of
them belongs to no picture, but what lies right of a row's end is found there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from faced_models.register_tile import TILE_COLUMNS, TILE_ROWS, column_mixer, multiply_tile
from faced_models.winograd import transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]

_BLOCK_VALUES = 1 << 18
"""Transformed values of a block of rows: 1 MB, to stay near the second-level cache."""

_six, _eight = transform(3), transform(5)
_to_six, _from_six = column_mixer(_six.source), column_mixer(_six.back, rectified=True)
_to_eight, _from_eight = column_mixer(_eight.source), column_mixer(_eight.back, rectified=True)
_NOTHING = np.float32(0)


@njit(nogil=True)
def _multiply(weights, points, steps, products, columns):  # noqa: ANN001, ANN202
    """For each point, weights [blocks, steps, rows] times the columns of its plane; see `multiply_tile`."""
    tile_weights = steps.size * TILE_ROWS
    blocks = weights.shape[1]
    plane, stride = points.size // points.shape[0], products.shape[2]
    for k in range(weights.shape[0]):
        for n in range(0, columns, TILE_COLUMNS):
            for block in range(blocks):
                tile = k * blocks + block
                multiply_tile(
                    weights,
                    tile * tile_weights,
                    points,
                    k * plane + n,
                    steps,
                    products,
                    tile * TILE_ROWS * stride + n,
                    stride,
                )


@njit(nogil=True)
def _block_height(row_values, pitch, reach, least):  # noqa: ANN001, ANN202
    """Rows of a block, `reach` more being read: not too many values, and little of the last tile left empty."""
    most = max(least, _BLOCK_VALUES // row_values - reach)
    best, best_use = most, 0.0
    for height in range(most, max(least, most // 2) - 1, -1):
        use = height * pitch / (-(-height * pitch // TILE_COLUMNS) * TILE_COLUMNS)
        if use > best_use + 0.02:
            best, best_use = height, use
    return best


@njit(nogil=True)
def _clear_margin(planes, pitch, width, begin, rows):  # noqa: ANN001, ANN202
    """Zeros right of a picture's columns, in planes [channels, ..., 4, length] by column modulo 4."""
    for plane in planes.reshape(-1, 4, planes.shape[-1]):
        for phase in range(4):
            for row in range(rows):
                for n in range((width + 3 - phase) // 4, pitch):
                    plane[phase, begin + row * pitch + n] = _NOTHING


def spread(picture: F32, planes: F32, pitch: int, first_row: int) -> None:
    """Rows of [channels, h, w] from `first_row` on to planes [channels, rows mod, columns mod, length]; else zeros."""
    channels, height, width = picture.shape
    row_phases, column_phases, length = planes.shape[1:]
    whole = width // column_phases
    for c in range(channels):
        for row in range(length // pitch * row_phases):
            row_phase, begin = row % row_phases, row // row_phases * pitch
            planes[c, row_phase, :, begin : begin + pitch] = _NOTHING
            if first_row + row < height:
                for n in range(whole):
                    for phase in range(column_phases):
                        planes[c, row_phase, phase, begin + n] = picture[c, first_row + row, n * column_phases + phase]
                for phase in range(width - whole * column_phases):
                    planes[c, row_phase, phase, begin + whole] = picture[
                        c, first_row + row, whole * column_phases + phase
                    ]
    planes[:, :, :, length - 1] = _NOTHING


def halve(source: F32, target: F32, weights: F32, bias: F32, pitch: int, width: int, rows: int, target_at: int) -> None:
    """A layer of stride 2: `rows` rows of planes, from row 0 of `source` to place `target_at` of the target's planes.

    source [in, r, p, length] to target [out, r / 2, p / 2, length]. The outputs of a row of planes need the source's
    to the second one after it. Where the target's columns are modulo 4, those right of `width` become zero.
    """
    inputs, row_phases, column_phases, length = source.shape
    height = _block_height(12 * inputs * row_phases * pitch, pitch, 2, 2)
    stride = (height + 2) * pitch + TILE_COLUMNS
    planes = inputs * row_phases
    points = np.zeros((6, 2 * planes, stride), np.float32)
    out_stride = (height * pitch + TILE_COLUMNS - 1) // TILE_COLUMNS * TILE_COLUMNS
    products = np.empty((6, weights.shape[1] * TILE_ROWS, out_stride), np.float32)
    steps = np.empty((row_phases // 2, 2 * inputs * 5), np.int64)
    for out_row in range(row_phases // 2):
        for channel in range(2 * inputs):
            for r in range(5):
                down, row_phase = divmod(2 * out_row + r, row_phases)
                steps[out_row, channel * 5 + r] = (channel * row_phases + row_phase) * stride + down * pitch
    back = np.arange(6) * products[0].size
    target_length = target.shape[3]
    columns = np.empty(6, np.int64)

    for top in range(0, rows, height):
        height_here = min(height, rows - top)
        begin = top * pitch
        reach = min((height_here + 2) * pitch, length - 1 - begin)
        count = height_here * pitch
        for group in range(0, column_phases, 8):
            for odd in range(2):
                for j in range(6):
                    # The columns after the last group are the first group's, one place on.
                    along, column = divmod(group + odd + 2 * j, column_phases)
                    columns[j] = column * length + along
                for plane in range(planes):
                    at = plane * column_phases * length + begin
                    into = (odd * planes + plane) * stride
                    _to_six(source, at, columns, points, into, points[0].size, reach, _NOTHING)
            for out_row in range(row_phases // 2):
                _multiply(weights, points, steps[out_row], products, count)
                for c in range(bias.size):
                    first = (c * (row_phases // 2) + out_row) * (column_phases // 2) + group // 2
                    at = first * target_length + target_at + begin
                    _from_six(products, c * out_stride, back, target, at, target_length, count, bias[c])
        if column_phases == 8:
            _clear_margin(target, pitch, width, target_at + begin, height_here)
    if column_phases > 8:
        target[:, :, :, target_length - 1] = _NOTHING


def convolve(
    source: F32, target: F32, weights: F32, bias: F32, pitch: int, width: int, first_row: int, end_row: int
) -> None:
    """A layer of stride 1 with padding 2: rows `first_row` to `end_row`.

    source [in, 4, length], target [out, 4, length]: pixel (x, y) is at [x % 4, 1 + (y + 2) * pitch + x // 4], and all
    else is zero and stays so.
    """
    inputs, _, length = source.shape
    height = _block_height(8 * inputs * pitch, pitch, 4, 4)
    stride = (height + 4) * pitch + TILE_COLUMNS
    points = np.zeros((8, inputs, stride), np.float32)
    out_stride = (height * pitch + TILE_COLUMNS - 1) // TILE_COLUMNS * TILE_COLUMNS
    products = np.empty((8, weights.shape[1] * TILE_ROWS, out_stride), np.float32)
    steps = np.empty(inputs * 5, np.int64)
    for c in range(inputs):
        for r in range(5):
            steps[c * 5 + r] = c * stride + r * pitch
    back = np.arange(8) * products[0].size
    columns = np.empty(8, np.int64)
    for j in range(8):
        along, column = divmod(j - 2, 4)
        columns[j] = column * length + along

    for top in range(first_row, end_row, height):
        height_here = min(height, end_row - top)
        begin, count = 1 + top * pitch, height_here * pitch
        for c in range(inputs):
            reach = count + 4 * pitch
            _to_eight(source, c * 4 * length + begin, columns, points, c * stride, points[0].size, reach, _NOTHING)
        _multiply(weights, points, steps, products, count)
        begin += 2 * pitch
        for c in range(bias.size):
            _from_eight(products, c * out_stride, back, target, c * 4 * length + begin, length, count, bias[c])
        _clear_margin(target, pitch, width, begin, height_here)
