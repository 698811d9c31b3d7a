"""Pictures in, messages out. Files are sent as they are; arrays raw, or encoded by OpenCV (loaded when needed)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faced_client.errors import ConfigurationError, InvalidImage, InvalidRequest, RequestTooLarge
from faced_proto.convert import rotation_to_proto
from faced_proto.types import ErrorReason, Rotation
from faced_proto.v1 import image_pb2

Channels = Literal["rgb", "bgr"]

ImageInput = str | os.PathLike[str] | bytes | NDArray[np.uint8]
"""A path, the bytes of an encoded file (JPEG, PNG, WebP, BMP), or uint8 [h, w], [h, w, 3] or [h, w, 4].

Arrays are read as red first unless `channels="bgr"` is given: OpenCV's arrays are BGR.
"""

_FORMATS = {
    ("rgb", 3): image_pb2.PIXEL_FORMAT_RGB24,
    ("bgr", 3): image_pb2.PIXEL_FORMAT_BGR24,
    ("rgb", 4): image_pb2.PIXEL_FORMAT_RGBA32,
    ("bgr", 4): image_pb2.PIXEL_FORMAT_BGRA32,
}
_OVERHEAD_BYTES = 4 * 1024  # room for everything in a message but the picture
_LEAST_OVERHEAD_BYTES = 64  # there is no less around a file that is sent as it is


@dataclass(frozen=True, slots=True)
class ImageForm:
    """How pictures are sent: `encoding` ("raw", "png" or "jpeg" with `quality`) and `channels` are for arrays."""

    channels: Channels
    encoding: str
    quality: int
    rotation: Rotation
    ignore_exif: bool


def image_form(channels: Channels, encode: str, rotation: Rotation | int, ignore_exif: bool) -> ImageForm:
    """`encode` is "raw", "png" or "jpeg:Q" with Q from 1 to 100; `rotation` is clockwise.

    Raises:
        InvalidRequest: one of them is something else.
    """
    if channels not in ("rgb", "bgr"):
        raise InvalidRequest(f'channels: {channels!r} is neither "rgb" nor "bgr"')
    parsed = re.fullmatch(r"raw|png|jpeg:(?P<quality>[1-9][0-9]?|100)", encode)
    if parsed is None:
        raise InvalidRequest(f"encode: {encode!r} is none of raw, png and jpeg:Q with Q from 1 to 100")
    degrees = rotation.value if isinstance(rotation, Rotation) else rotation
    if degrees not in (0, 90, 180, 270):
        raise InvalidRequest(f"rotation: {rotation!r} is none of 0, 90, 180 and 270")
    return ImageForm(
        channels, encode.partition(":")[0], int(parsed["quality"] or 0), Rotation(degrees), bool(ignore_exif)
    )


def image_message(image: ImageInput, form: ImageForm, max_message_bytes: int) -> image_pb2.Image:
    """The picture as a message. A raw array that exceeds `max_message_bytes` is sent as PNG, without loss.

    Raises:
        InvalidImage: no such file, an empty one, or an array of another shape or type.
        RequestTooLarge: it exceeds the server's limit, an array as PNG too.
        ConfigurationError: encoding is needed and OpenCV is not installed.
    """
    message: image_pb2.Image
    if isinstance(image, np.ndarray):
        message = _array_message(image, form, max_message_bytes - _OVERHEAD_BYTES)
    else:
        message = image_pb2.Image(encoded=_encoded_bytes(image, max_message_bytes - _LEAST_OVERHEAD_BYTES))
    if form.rotation is not Rotation.NONE:
        message.rotation = rotation_to_proto(form.rotation)
    if form.ignore_exif:
        message.ignore_exif = True
    return message


def _encoded_bytes(image: str | os.PathLike[str] | bytes, max_bytes: int) -> bytes:
    if isinstance(image, bytes | bytearray | memoryview):
        content, name = bytes(image), "image"
    elif isinstance(image, str | os.PathLike):
        name = os.fspath(image)
        try:
            content = Path(image).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
            raise InvalidImage(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    else:
        raise InvalidImage(f"image: a path, bytes or a uint8 array is wanted, not {type(image).__name__}")
    if not content:
        raise InvalidImage(f"{name}: is empty", ErrorReason.IMAGE_EMPTY)
    if len(content) > max_bytes:
        raise RequestTooLarge(
            f"{name}: {len(content)} bytes, and the server takes {max_bytes} at most", ErrorReason.MESSAGE_TOO_LARGE
        )
    return content


def _array_message(array: NDArray[np.uint8], form: ImageForm, max_bytes: int) -> image_pb2.Image:
    depth = array.shape[2] if array.ndim == 3 else 1
    shaped = array.ndim == 2 or (array.ndim == 3 and depth in (3, 4))
    if array.dtype != np.uint8 or not shaped:
        given = f"{array.dtype} [{', '.join(map(str, array.shape))}]"
        raise InvalidImage(
            f"image: uint8 [h, w], [h, w, 3] or [h, w, 4] is wanted, not {given}", ErrorReason.RAW_LAYOUT
        )
    if array.size == 0:
        raise InvalidImage(f"image: an array of no pixels, {array.shape[1]}x{array.shape[0]}", ErrorReason.IMAGE_EMPTY)
    if form.encoding == "raw" and array.nbytes <= max_bytes:
        pixel_format = image_pb2.PIXEL_FORMAT_GRAY8 if depth == 1 else _FORMATS[form.channels, depth]
        plane = image_pb2.Plane(data=array.tobytes())  # whatever the strides, rows follow each other without padding
        height, width = array.shape[:2]
        raw = image_pb2.RawImage(pixel_format=pixel_format, width=width, height=height, planes=[plane])
        return image_pb2.Image(raw=raw)
    content = _encode(array, form)
    if len(content) > max_bytes:
        raise RequestTooLarge(
            f"image: {len(content)} bytes as {'jpeg' if form.encoding == 'jpeg' else 'png'},"
            f" and the server takes {max_bytes}; make it smaller or use encode='jpeg:95'",
            ErrorReason.MESSAGE_TOO_LARGE,
        )
    return image_pb2.Image(encoded=content)


def _encode(array: NDArray[np.uint8], form: ImageForm) -> bytes:
    try:
        import cv2  # the SDK works without it as long as nothing has to be encoded
    except ImportError as error:
        why = "is larger than the server takes raw" if form.encoding == "raw" else f"is to be sent as {form.encoding}"
        raise ConfigurationError(f"image: {why}, and encoding needs OpenCV: pip install opencv-python") from error
    if array.ndim == 3:
        colours = array[:, :, :3]  # alpha is ignored, as in raw pictures
        array = np.ascontiguousarray(colours if form.channels == "bgr" else colours[:, :, ::-1])
    else:
        array = np.ascontiguousarray(array)
    suffix, flags = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, form.quality]) if form.encoding == "jpeg" else (".png", [])
    try:
        encoded, buffer = cv2.imencode(suffix, array, flags)
    except cv2.error as error:  # JPEG ends at 65,535 pixels a side
        raise InvalidImage(f"image: OpenCV cannot encode it as {suffix[1:]}: {error}") from error
    if not encoded:
        raise InvalidImage(f"image: OpenCV cannot encode it as {suffix[1:]}")
    return buffer.tobytes()
