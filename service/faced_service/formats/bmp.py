"""BMP files (BITMAPCOREHEADER, BITMAPINFOHEADER and its successors): size, pixels."""

from __future__ import annotations

import struct

from faced_service.errors import ImageTruncated
from faced_service.formats.header import Header

HEADER_SIZES = frozenset(struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124))
MAX_SIDE = 1 << 20
"""The decoder's."""

_UNCOMPRESSED = frozenset({0, 3, 6})


def _fields(data: bytes) -> tuple[int, int, int, int, int]:
    """Width, height (negative: top row first), bits of a pixel, compression, bytes of compressed pixels."""
    (header_size,) = struct.unpack_from("<I", data, 14)
    if header_size == 12:
        width, height, _planes, bits = struct.unpack_from("<HHHH", data, 18)
        return width, height, bits, 0, 0
    width, height, _planes, bits, compression, size = struct.unpack_from("<iiHHII", data, 18)
    return width, height, bits, compression, size


def read_header(data: bytes) -> Header:
    """Size as stored, and orientation.

    Raises:
        ImageCorrupt: the header contradicts itself.
        struct.error: the file ends within it.
    """
    width, height, *_ = _fields(data)
    return Header(width, abs(height))


def check_whole(data: bytes) -> None:
    """Follows the file to its end.

    Raises:
        ImageTruncated: it ends before its picture does.
        ImageCorrupt: its structure is broken.
        struct.error: it ends before its picture does.
    """
    width, height, bits, compression, size = _fields(data)
    (start,) = struct.unpack_from("<I", data, 10)
    if compression in _UNCOMPRESSED:
        size = (width * bits + 31) // 32 * 4 * abs(height)
    if start + size > len(data):
        raise ImageTruncated(f"the BMP file has {len(data)} of its {start + size} bytes")
