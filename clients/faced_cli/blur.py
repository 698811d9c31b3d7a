"""Faces made unrecognisable: what is left of one is a few blots of colour. Pure but for the picture it is given."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_cli.placement import Rect
from faced_proto.types import Box

_CELLS = 6
"""Blots along a face's shorter side; portraits of 16 by 16 can be recognised (Harmon, 1973)."""
_MARGIN = 0.25
"""MMOD's box ends at brow and chin; hair and ears tell as much."""
_CELLS_OF_ALL = 24
"""Blots along the shorter side of a picture that is blurred as a whole."""


def blur_faces(image: NDArray[np.uint8], boxes: Sequence[Box]) -> None:
    """Blurs what lies in and around `boxes` in `image` (uint8 [h, w, 3]), in place."""
    height, width = image.shape[:2]
    for box in boxes:
        x, y = _MARGIN * (box.right - box.left), _MARGIN * (box.bottom - box.top)
        left, right = _within(box.left - x, width), _within(box.right + x, width)
        top, bottom = _within(box.top - y, height), _within(box.bottom + y, height)
        _blot(image, Rect(left, top, right, bottom), _CELLS)


def blur_all(image: NDArray[np.uint8], boxes: Sequence[Box]) -> None:
    """Blurs the whole of `image` in place, so that faces that were not found are hidden too, and `boxes` once more."""
    height, width = image.shape[:2]
    _blot(image, Rect(0, 0, width, height), _CELLS_OF_ALL)
    blur_faces(image, boxes)


def _blot(image: NDArray[np.uint8], place: Rect, cells: int) -> None:
    if place.area == 0:
        return
    part = image[place.top : place.bottom, place.left : place.right]
    cell = max(1.0, min(place.width, place.height) / cells)
    size = max(1, round(place.width / cell)), max(1, round(place.height / cell))
    # Averages first: what is between the blots' colours is made up, so nothing can bring the face back.
    blots = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    part[...] = cv2.resize(blots, (place.width, place.height), interpolation=cv2.INTER_LINEAR)


def _within(value: float, length: int) -> int:
    return round(min(max(value, 0.0), float(length)))
