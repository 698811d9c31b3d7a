"""Upright face chips from five landmarks, placed as dlib's get_face_chip_details places them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_proto.types import RgbImage

# Where dlib's five points lie in a chip of side 1 without padding (dlib, image_transforms/interpolation.h).
_CANONICAL = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation, scale and shift [2, 3] that takes points [n, 2] nearest to others (Umeyama, PAMI 1991, in 2D)."""
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    a, b = source - from_mean, target - to_mean
    square = float((a * a).sum())
    dot, cross = float((a * b).sum()), float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    rotation = np.array([[dot, -cross], [cross, dot]]) / square
    return np.column_stack((rotation, to_mean - rotation @ from_mean))


def chip_to_picture(landmarks: NDArray[np.floating], size: int, padding: float) -> NDArray[np.float64]:
    """[2, 3]: pixel indices of a chip of `size` px to pixel indices of the picture.

    `landmarks` [5, 2] are pixel indices (dlib's, without the half pixel); `padding` is the margin in face widths.
    dlib maps the chip's corner pixels to the corners of a rectangle that is a pixel smaller than the chip's scaled
    size, so the scale is (size * s - 1) / (size - 1), not s.
    """
    placed = (padding + _CANONICAL) / (2 * padding + 1) * size
    transform = similarity(placed, landmarks.astype(np.float64))
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    centre = transform @ (size / 2, size / 2, 1.0)
    rotation = transform[:, :2] / scale * ((size * scale - 1) / (size - 1))
    return np.column_stack((rotation, centre - rotation @ np.full(2, (size - 1) / 2)))


def cut_chip(image: RgbImage, transform: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """The chip [size, size, 3], black outside the picture.

    Where the picture is more than twice as fine as the chip it is halved first, as often as dlib halves it, by the
    same 5x5 Gaussian: sampling it directly would alias.
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    left, top, right, bottom = reach(transform, size, image.shape, margin=4 * max(1, int(scale)))
    if right <= left or bottom <= top:
        return np.zeros((size, size, 3), np.uint8)
    region: cv2.typing.MatLike = image[top:bottom, left:right]
    matrix = transform.copy()
    matrix[:, 2] -= (left, top)
    side = scale * size
    # dlib's rule: halve while the halved rectangle still holds more pixels than the chip.
    while side / 2 > size and min(region.shape[:2]) > 8:
        region = cv2.pyrDown(region)
        matrix /= 2
        # dlib places a halved picture a quarter of a pixel off (its 1.25 and 0.75 where 1 would be true), and the
        # networks were trained on its chips.
        matrix[:, 2] += (-0.25, 0.25)
        side /= 2
    return cv2.warpAffine(  # type: ignore[return-value]
        region,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    )


def reach(transform: NDArray[np.float64], size: int, shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int]:
    """The part of the picture that a chip can touch, and `margin` pixels: left, top, right, bottom, clipped to it."""
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], float) @ transform.T
    low = np.floor(corners.min(axis=0)).astype(int) - margin
    high = np.ceil(corners.max(axis=0)).astype(int) + margin
    height, width = shape[:2]
    return (
        max(0, int(low[0])),
        max(0, int(low[1])),
        min(width, int(high[0])),
        min(height, int(high[1])),
    )
