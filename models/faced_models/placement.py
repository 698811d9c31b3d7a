"""Crops placed by the detector's box, or by box and landmarks together; pure."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_models.chips import chip_to_picture, reach
from faced_proto.types import Box, RgbImage

# How dlib's chip without padding and MMOD's box lie to each other, medians over 3,476 faces of FER2013's PublicTest:
# the box is this many chips wide, and its centre this part of a chip above the chip's.
_BOX_SIDE = 1.33
_BOX_ABOVE = 0.117

_MOST_SAMPLES = 8


def box_to_picture(box: Box, size: int, padding: float) -> NDArray[np.float64]:
    """[2, 3]: pixel indices of a crop of `size` px to pixel indices of the picture; the box with its margin."""
    centre = np.array([box.left + box.right, box.top + box.bottom]) / 2
    return _placed(centre, box.width * (1 + 2 * padding), 0.0, size)


def blend_to_picture(box: Box, landmarks: NDArray[np.floating], size: int, padding: float) -> NDArray[np.float64]:
    """As `box_to_picture`, halfway between box and dlib's chip, turned as the chip is.

    `landmarks` [5, 2] are pixel indices. Box and landmarks err independently of each other, so that their mean errs
    less than either: the centre is halfway, the side the geometric mean.
    """
    chip = chip_to_picture(landmarks, 2, 0.0)
    # The middle of a chip of two pixels, and its axes.
    chip_centre = chip @ (0.5, 0.5, 1.0) + 0.5
    roll = math.atan2(chip[1, 0], chip[0, 0])
    # `chip_to_picture` maps the outermost pixels' centres onto a chip that is a pixel smaller than its side.
    chip_side = math.hypot(chip[0, 0], chip[1, 0]) + 1
    up = np.array([math.sin(roll), -math.cos(roll)])
    box_centre = np.array([box.left + box.right, box.top + box.bottom]) / 2
    centre = (chip_centre + _BOX_ABOVE * chip_side * up + box_centre) / 2
    side = math.sqrt(chip_side * box.width / _BOX_SIDE)
    return _placed(centre, side * (1 + 2 * padding), roll, size)


def eyes_to_picture(landmarks: NDArray[np.floating], size: int, eye: float) -> NDArray[np.float64]:
    """As `box_to_picture`, from the eyes alone: level, the left one in the crop at `eye` of its side from left and top.

    That is where imutils' FaceAligner (0.5.4, which fails on OpenCV 4.5 and newer) puts them; it samples bicubically.
    """
    # The person's right eye is the left one in the picture.
    left, right = landmarks[2:4].mean(axis=0) + 0.5, landmarks[0:2].mean(axis=0) + 0.5
    apart = right - left
    side = max(1.0, math.hypot(*apart)) / (1 - 2 * eye)
    roll = math.atan2(apart[1], apart[0])
    down = np.array([-math.sin(roll), math.cos(roll)])
    return _placed((left + right) / 2 + (0.5 - eye) * side * down, side, roll, size)


def cut_smoothly(image: RgbImage, transform: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """The crop [size, size, 3], black outside the picture.

    Where the picture is finer than the crop, every pixel is the mean of as many bilinear samples as it takes not to
    alias.
    """
    scale = math.hypot(transform[0, 0], transform[1, 0])
    samples = min(_MOST_SAMPLES, max(1, math.ceil(scale - 0.01)))
    matrix = transform.copy()
    matrix[:, :2] /= samples
    # Sample i of a pixel lies at (i + 0.5) / samples - 0.5 from its centre.
    matrix[:, 2] += transform[:, :2] @ np.full(2, 0.5 / samples - 0.5)
    # The region around the crop alone: some versions of OpenCV refuse pictures with a side of 32,767 pixels and more.
    left, top, right, bottom = reach(transform, size, image.shape, margin=math.ceil(scale) + 2)
    if left >= right or top >= bottom:
        return np.zeros((size, size, 3), np.uint8)
    matrix[:, 2] -= left, top
    fine = cv2.warpAffine(
        image[top:bottom, left:right],
        matrix,
        (size * samples, size * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    )
    crop = fine if samples == 1 else cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)


def _placed(centre: NDArray[np.float64], side: float, roll: float, size: int) -> NDArray[np.float64]:
    """A square of `side` around `centre` (continuous pixels), turned by `roll` radians."""
    step = side / size
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]]) * step
    return np.column_stack((turn, centre - 0.5 - turn @ np.full(2, (size - 1) / 2)))
