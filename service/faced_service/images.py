"""A picture as it comes to an upright RGB array; nothing is decoded before its header passed the limits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from faced_proto.types import RgbImage, Rotation
from faced_service.errors import ImageCorrupt, ImageEmpty, ImageTooLarge
from faced_service.image_file import check_whole, read_header, sniff
from faced_service.raw_pixels import RawLayout, to_rgb


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A whole JPEG, PNG, WebP or BMP file."""

    data: bytes
    ignore_exif: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What a caller sent: a file, raw pixels, or nothing; `rotation` turns it after its EXIF orientation did."""

    content: EncodedImage | RawLayout | None
    rotation: Rotation = Rotation.NONE

    @property
    def size(self) -> int:
        """Bytes as it came."""
        if isinstance(self.content, EncodedImage):
            return len(self.content.data)
        return 0 if self.content is None else sum(len(plane.data) for plane in self.content.planes)


_TURNS = {
    Rotation.QUARTER: cv2.ROTATE_90_CLOCKWISE,
    Rotation.HALF: cv2.ROTATE_180,
    Rotation.THREE_QUARTERS: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_MIRRORED = frozenset({2, 4, 5, 7})
_ORIENTATION_TURNS = {
    3: Rotation.HALF,
    4: Rotation.HALF,
    5: Rotation.THREE_QUARTERS,
    6: Rotation.QUARTER,
    7: Rotation.QUARTER,
    8: Rotation.THREE_QUARTERS,
}
"""EXIF's eight orientations, undone: the turn after mirroring left and right where `_MIRRORED`."""


def pixels_of(picture: Picture, *, max_pixels: int) -> int:
    """How many pixels it will have, from its header alone.

    Raises:
        ImageError: there is no header that can be read, or it announces too many.
    """
    if picture.content is None:
        raise ImageEmpty("the request holds no picture")
    if isinstance(picture.content, RawLayout):
        width, height = picture.content.width, picture.content.height
    else:
        header = read_header(picture.content.data, sniff(picture.content.data))
        width, height = header.width, header.height
    _limit(width, height, max_pixels)
    return width * height


def decode(picture: Picture, *, max_pixels: int) -> RgbImage:
    """The upright picture. 16 bits a sample become 8, grey becomes RGB, alpha is ignored.

    Raises:
        ImageError: what is wrong with the picture; see the tree in `errors`.
    """
    if picture.content is None:
        raise ImageEmpty("the request holds no picture")
    if isinstance(picture.content, RawLayout):
        _limit(picture.content.width, picture.content.height, max_pixels)
        return _turn(to_rgb(picture.content), picture.rotation)
    return _turn(_decode_file(picture.content, max_pixels), picture.rotation)


def _decode_file(file: EncodedImage, max_pixels: int) -> RgbImage:
    file_format = sniff(file.data)
    header = read_header(file.data, file_format)
    _limit(header.width, header.height, max_pixels)
    check_whole(file.data, file_format)
    content = np.frombuffer(file_format.bare(file.data), np.uint8)
    try:
        # Orientation is applied below, so that all formats and versions of the decoder agree on it.
        decoded = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ImageCorrupt(f"the {file_format.name} file cannot be decoded") from error
    if decoded is None:
        raise ImageCorrupt(f"the {file_format.name} file cannot be decoded")
    if decoded.shape != (header.height, header.width, 3):
        raise ImageCorrupt(f"the {file_format.name} file's pixels do not fit its header")
    image = np.asarray(decoded, dtype=np.uint8)
    return image if file.ignore_exif else _undo_orientation(image, header.orientation)


def _limit(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"the picture has {width} x {height} = {width * height} pixels, the limit max_pixels is {max_pixels}"
        )


def _undo_orientation(image: RgbImage, orientation: int) -> RgbImage:
    if orientation in _MIRRORED:
        image = np.asarray(cv2.flip(image, 1), dtype=np.uint8)
    return _turn(image, _ORIENTATION_TURNS.get(orientation, Rotation.NONE))


def _turn(image: RgbImage, rotation: Rotation) -> RgbImage:
    if rotation is Rotation.NONE:
        return image
    return np.asarray(cv2.rotate(image, _TURNS[rotation]), dtype=np.uint8)
