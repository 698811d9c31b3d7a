"""Pictures of a few cells, to tell a cut from motion; pure."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_proto.types import RgbImage

_CELLS = 8
_SAMPLES = 64
"""So many rows and columns, about, are looked at."""
_CUT = 0.45
"""The same picture is at 0, one of other brightness near it, an unrelated one at 0.7, a negative at 1."""
_LEAST_CONTRAST = 18.0
"""Grey levels: in flat pictures whatever comes into sight would be a cut."""


def thumbnail(image: RgbImage) -> bytes:
    """8 x 8 cells of mean R, G and B, row by row."""
    height, width, _ = image.shape
    some = np.ascontiguousarray(image[:: max(1, height // _SAMPLES), :: max(1, width // _SAMPLES)])
    return cv2.resize(some, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).tobytes()


def is_cut(before: bytes, after: bytes) -> bool:
    """Whether two successive pictures show different scenes; no if one is not known."""
    if not before or not after or len(before) != len(after):
        return False
    a, b = _centred(before), _centred(after)
    contrast = float(np.linalg.norm(a) + np.linalg.norm(b))
    least = 2 * _LEAST_CONTRAST * len(a) ** 0.5
    return bool(np.linalg.norm(a - b) > _CUT * max(contrast, least))


def _centred(cells: bytes) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.frombuffer(cells, dtype=np.uint8).astype(np.float64)
    values -= values.mean()
    return values
