"""JPEG files (ITU T.81, annex B): segments, size, orientation, end."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from faced_service.errors import ImageCorrupt, ImageTruncated
from faced_service.formats import exif
from faced_service.formats.header import Header

SIGNATURE = b"\xff\xd8\xff"

_EXIF_PREFIX = b"Exif\x00\x00"
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NEXT_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])", re.DOTALL)
"""In a scan, FF 00 is a byte of data and FF D0 to FF D7 are restarts: all others end it."""


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to EOI; scans are stepped over."""
    at = 2
    while True:
        if struct.unpack_from("B", data, at)[0] != 0xFF:
            raise ImageCorrupt(f"the JPEG file has no marker at byte {at}")
        while (marker := struct.unpack_from("B", data, at)[0]) == 0xFF:
            at += 1
        at += 1
        if marker == _EOI:
            yield marker, at, at
            return
        if marker == _SOI or marker < 0x02 or 0xD0 <= marker <= 0xD7:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2:
            raise ImageCorrupt(f"the JPEG file has a segment of length {length} at byte {at}")
        yield marker, at + 2, at + length
        at += length
        if marker == _SOS:
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                raise ImageTruncated(f"the JPEG file ends before its picture does ({len(data)} bytes)")
            at = found.start()


def read_header(data: bytes) -> Header:
    """Size as stored, and orientation.

    Raises:
        ImageCorrupt: the header contradicts itself.
        struct.error: the file ends within it.
    """
    orientation = exif.UPRIGHT
    size: tuple[int, int] | None = None
    for marker, start, end in _segments(data):
        if marker == _APP1 and data.startswith(_EXIF_PREFIX, start):
            orientation = exif.orientation(data[start + len(_EXIF_PREFIX) : end])
        elif marker in _SOF:
            height, width = struct.unpack_from(">HH", data, start + 1)
            size = (width, height)
        elif marker in (_SOS, _EOI):
            break
    if size is None:
        raise ImageCorrupt("the JPEG file has no frame header")
    return Header(*size, orientation)


def check_whole(data: bytes) -> None:
    """Follows the file to its end.

    Raises:
        ImageTruncated: it ends before its picture does.
        ImageCorrupt: its structure is broken.
        struct.error: it ends before its picture does.
    """
    scans = sum(marker == _SOS for marker, _, _ in _segments(data))
    if not scans:
        raise ImageCorrupt("the JPEG file has no scan")
