"""Pictures, boxes and points: continuous pixels of the upright picture, origin at its top-left corner."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
"""uint8 [height, width, 3], red first, upright, C-contiguous."""


class Rotation(Enum):
    """Clockwise turn in degrees."""

    NONE = 0
    QUARTER = 90
    HALF = 180
    THREE_QUARTERS = 270


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; it may leave the picture. dlib's inclusive right and bottom are these minus 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Detection:
    """A face: its box and MMOD's margin, unbounded, comparable within one detector model only.

    `label` is what a detector of several kinds, or of other things than faces, calls it; the package's own has none.
    """

    box: Box
    score: float
    label: str = ""


class LandmarkType(Enum):
    """The five points, in the order of dlib's five-point model; left and right are the person's own."""

    LEFT_EYE_OUTER_CORNER = "left_eye_outer_corner"
    LEFT_EYE_INNER_CORNER = "left_eye_inner_corner"
    RIGHT_EYE_OUTER_CORNER = "right_eye_outer_corner"
    RIGHT_EYE_INNER_CORNER = "right_eye_inner_corner"
    NOSE_BASE = "nose_base"


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named point of a face (dlib's integer point + 0.5)."""

    type: LandmarkType
    x: float
    y: float
