"""Uncompressed pixels in the layouts that cameras and libraries hand out, to RGB."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_proto.types import RgbImage
from faced_service.errors import RawLayoutError


class PixelFormat(Enum):
    """Sample order and subsampling; YUV is BT.601, limited range; alpha is ignored."""

    BGR24 = "BGR24"
    RGB24 = "RGB24"
    GRAY8 = "GRAY8"
    BGRA32 = "BGRA32"
    RGBA32 = "RGBA32"
    NV12 = "NV12"
    NV21 = "NV21"
    I420 = "I420"
    YUYV = "YUYV"


@dataclass(frozen=True, slots=True)
class Plane:
    """Rows of samples; strides in bytes, 0 = without gaps."""

    data: bytes | memoryview
    row_stride: int = 0
    pixel_stride: int = 0


@dataclass(frozen=True, slots=True)
class RawLayout:
    """A raw picture as it lies in memory, before rotation."""

    pixel_format: PixelFormat
    width: int
    height: int
    planes: tuple[Plane, ...]


MOST_PLANES = 3
"""No format has more."""

_PACKED_BYTES = {
    PixelFormat.BGR24: 3,
    PixelFormat.RGB24: 3,
    PixelFormat.GRAY8: 1,
    PixelFormat.BGRA32: 4,
    PixelFormat.RGBA32: 4,
    PixelFormat.YUYV: 2,
}
_TO_RGB = {
    PixelFormat.BGR24: cv2.COLOR_BGR2RGB,
    PixelFormat.GRAY8: cv2.COLOR_GRAY2RGB,
    PixelFormat.BGRA32: cv2.COLOR_BGRA2RGB,
    PixelFormat.RGBA32: cv2.COLOR_RGBA2RGB,
    PixelFormat.YUYV: cv2.COLOR_YUV2RGB_YUY2,
}
_CHROMA_ORDER = {
    PixelFormat.NV12: cv2.COLOR_YUV2RGB_NV12,
    PixelFormat.NV21: cv2.COLOR_YUV2RGB_NV21,
    PixelFormat.I420: cv2.COLOR_YUV2RGB_NV12,
}


def to_rgb(raw: RawLayout) -> RgbImage:
    """The pixels as RGB, in memory of its own.

    Raises:
        RawLayoutError: sizes, strides or planes do not fit; names the plane and the bytes expected and given.
    """
    if raw.width < 1 or raw.height < 1:
        raise RawLayoutError(f"raw picture of {raw.width} x {raw.height} pixels: both must be at least 1")
    if raw.pixel_format in _PACKED_BYTES:
        return _packed_to_rgb(raw)
    return _subsampled_to_rgb(raw)


def _packed_to_rgb(raw: RawLayout) -> RgbImage:
    if len(raw.planes) != 1:
        raise RawLayoutError(f"{raw.pixel_format.value} has one plane, {len(raw.planes)} given")
    if raw.pixel_format is PixelFormat.YUYV and raw.width % 2:
        raise RawLayoutError(f"YUYV holds pixels in pairs: the width must be even, not {raw.width}")
    samples = _PACKED_BYTES[raw.pixel_format]
    pixels = _samples(raw.planes[0], raw.width, raw.height, samples, f"{raw.pixel_format.value} plane 0")
    if raw.pixel_format is PixelFormat.RGB24:
        # The copy is what makes it writable: compiled code is specialised on that, and bytes are read-only.
        return np.array(pixels, order="C")
    return _as_rgb(cv2.cvtColor(pixels, _TO_RGB[raw.pixel_format]))


def _subsampled_to_rgb(raw: RawLayout) -> RgbImage:
    luma, chroma = _planes_of_420(raw)
    # OpenCV takes even sizes only: an odd picture gets its last column and row twice, and loses them again.
    odd_columns, odd_rows = raw.width % 2, raw.height % 2
    if odd_columns or odd_rows:
        luma = np.pad(luma, ((0, odd_rows), (0, odd_columns)), mode="edge")
    image = cv2.cvtColorTwoPlane(luma, chroma, _CHROMA_ORDER[raw.pixel_format])
    return _as_rgb(image[: raw.height, : raw.width])


def _planes_of_420(raw: RawLayout) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Luma [height, width] and interleaved chroma [(height + 1) / 2, (width + 1) / 2, 2]."""
    name = raw.pixel_format.value
    planar = raw.pixel_format is PixelFormat.I420
    columns, rows = (raw.width + 1) // 2, (raw.height + 1) // 2
    wanted = 3 if planar else 2
    planes = raw.planes
    if len(planes) == 1:
        planes = _split_single_plane(raw, columns * rows)
    if len(planes) != wanted:
        raise RawLayoutError(f"{name} has {wanted} planes, or all in one, {len(raw.planes)} given")
    luma = _samples(planes[0], raw.width, raw.height, 1, f"{name} plane 0 (Y)")
    if planar:
        blue = _samples(planes[1], columns, rows, 1, f"{name} plane 1 (U)")
        red = _samples(planes[2], columns, rows, 1, f"{name} plane 2 (V)")
        return luma, np.stack((blue, red), axis=2)
    return luma, _samples(planes[1], columns, rows, 2, f"{name} plane 1 (chroma)")


def _split_single_plane(raw: RawLayout, chroma_size: int) -> tuple[Plane, ...]:
    name = raw.pixel_format.value
    (plane,) = raw.planes
    if plane.row_stride not in (0, raw.width) or plane.pixel_stride not in (0, 1):
        raise RawLayoutError(
            f"{name} in one plane has no padding: row_stride {plane.row_stride} and pixel_stride {plane.pixel_stride} "
            f"must be unset, or {raw.width} and 1"
        )
    luma_size = raw.width * raw.height
    expected = luma_size + 2 * chroma_size
    view = memoryview(plane.data)
    if len(view) != expected:
        raise RawLayoutError(
            f"{name} plane 0: {raw.width} x {raw.height} pixels in one plane take {expected} bytes, {len(view)} given"
        )
    sizes = (chroma_size, chroma_size) if raw.pixel_format is PixelFormat.I420 else (2 * chroma_size,)
    cuts = accumulate(sizes, initial=luma_size)
    return (Plane(view[:luma_size]), *(Plane(view[start:end]) for start, end in pairwise(cuts)))


def _samples(plane: Plane, columns: int, rows: int, samples: int, name: str) -> NDArray[np.uint8]:
    """A view [rows, columns, samples] (without the last axis for one sample) of a plane's bytes."""
    pixel_stride = plane.pixel_stride or samples
    row_bytes = (columns - 1) * pixel_stride + samples
    row_stride = plane.row_stride or columns * pixel_stride
    if pixel_stride < samples:
        raise RawLayoutError(f"{name}: pixel_stride is {pixel_stride}, must be at least {samples}")
    if row_stride < row_bytes:
        raise RawLayoutError(f"{name}: row_stride is {row_stride}, must be at least {row_bytes}")
    # The last row may come with or without the padding of the others.
    least, most = (rows - 1) * row_stride + row_bytes, rows * row_stride
    given = len(plane.data)
    if not least <= given <= max(least, most):
        span = f"{least}" if least >= most else f"{least} to {most}"
        raise RawLayoutError(f"{name}: {span} bytes expected, {given} given")
    view: NDArray[np.uint8] = np.ndarray(
        (rows, columns, samples), np.uint8, buffer=plane.data, strides=(row_stride, pixel_stride, 1)
    )
    return view[:, :, 0] if samples == 1 else view


def _as_rgb(image: NDArray[np.generic]) -> RgbImage:
    return np.ascontiguousarray(image, dtype=np.uint8)
