"""A face as it was handed out to a frame that a camera could have sent; pure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from faced_proto.types import Box, RgbImage

SIDE_PX = 144
"""Small crops are enlarged to this side: most faces then span 90 to 140 px, well above the detector's 80."""

_LARGE_PX = 100
"""Crops of this side are left as they are: their faces are found, and enlarging would only soften them."""

PADDING = 0.25
"""Margin on each side, of the crop's side: data sets cut faces close, and the detector needs to see around them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to a face before it enters: the size that it shall have, blur, rotation.

    `face_px` is the width of its box, None as it is; `blur_px` the Gaussian's standard deviation in pixels of a face
    of 100 px; `degrees` counter-clockwise.
    """

    face_px: int | None = None
    blur_px: float = 0.0
    degrees: float = 0.0


@dataclass(frozen=True, slots=True)
class Framed:
    """A frame, and where the crop lies in it; `smallest` is the least face that is to be found, None: 80 px."""

    image: RgbImage
    crop: Box
    smallest: int | None = None


def framed(crop: RgbImage) -> Framed:
    """The crop, enlarged bilinearly where it is small, its border continued outwards."""
    height, width, _ = crop.shape
    side = min(height, width)
    return _padded(crop if side >= _LARGE_PX else _resized(crop, SIDE_PX / side))


def altered(crop: RgbImage, condition: Condition, face_px: float) -> Framed:
    """The crop under a condition; `face_px` is the width of its face's box in the frame that `framed` makes."""
    frame = framed(crop).image
    if condition.blur_px:
        frame = _blurred(frame, condition.blur_px * face_px / 100)
    if condition.degrees:
        frame = _turned(frame, condition.degrees)
    if condition.face_px is not None:
        frame = _resized(frame, condition.face_px / face_px)
    height, width, _ = frame.shape
    margin_x, margin_y = (PADDING / (1 + 2 * PADDING) * side for side in (width, height))
    # A scan for faces of this width finds them where they came out a little smaller.
    smallest = None if condition.face_px is None else max(1, round(condition.face_px * 0.8))
    return Framed(frame, Box(margin_x, margin_y, width - margin_x, height - margin_y), smallest)


def _padded(crop: RgbImage) -> Framed:
    height, width, _ = crop.shape
    x, y = round(width * PADDING), round(height * PADDING)
    image = cv2.copyMakeBorder(crop, y, y, x, x, cv2.BORDER_REPLICATE)
    return Framed(np.asarray(image, np.uint8), Box(x, y, x + width, y + height))


def _resized(image: RgbImage, scale: float) -> RgbImage:
    height, width, _ = image.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Averaging over areas is how a sensor makes few pixels of many.
    how = cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _blurred(image: RgbImage, sigma: float) -> RgbImage:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _turned(image: RgbImage, degrees: float) -> RgbImage:
    height, width, _ = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
