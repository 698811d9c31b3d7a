"""WebP files (RFC 9649): RIFF chunks, size of all three kinds, orientation, end."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from faced_service.errors import ImageCorrupt, ImageTruncated
from faced_service.formats import exif
from faced_service.formats.header import MAX_PARTS, Header

MAX_SIDE = 16_383

_EXIF_PREFIX = b"Exif\x00\x00"


def _chunks(data: bytes, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each chunk's content, as far as `stop`."""
    at, chunks = 12, 0
    while at + 8 <= stop:
        chunks += 1
        if chunks > MAX_PARTS:
            raise ImageCorrupt(f"the WebP file has more than {MAX_PARTS} chunks")
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, at + 8, at + 8 + length
        at += 8 + length + (length & 1)


def read_header(data: bytes) -> Header:
    """Size as stored, and orientation.

    Raises:
        ImageCorrupt: the header contradicts itself.
        struct.error: the file ends within it.
    """
    kind = data[12:16]
    if kind == b"VP8X":
        low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", data, 24)
        width, height = 1 + low_w + (high_w << 16), 1 + low_h + (high_h << 16)
    elif kind == b"VP8L":
        signature, bits = struct.unpack_from("<BI", data, 20)
        if signature != 0x2F:
            raise ImageCorrupt("the WebP file's lossless header is broken")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        start_code, width, height = struct.unpack_from("<3sHH", data, 23)
        if start_code != b"\x9d\x01\x2a":
            raise ImageCorrupt("the WebP file's lossy header is broken")
        width, height = width & 0x3FFF, height & 0x3FFF
    elif len(data) < 16:
        raise ImageTruncated(f"the WebP file ends within its header ({len(data)} bytes)")
    else:
        raise ImageCorrupt("the WebP file does not begin with a header that exists")
    return Header(width, height, _orientation(data))


def _orientation(data: bytes) -> int:
    for kind, start, end in _chunks(data, len(data)):
        if kind == b"EXIF":
            return exif.orientation(data[start:end].removeprefix(_EXIF_PREFIX))
    return exif.UPRIGHT


def check_whole(data: bytes) -> None:
    """Follows the file to its end.

    Raises:
        ImageTruncated: it ends before its picture does.
        ImageCorrupt: its structure is broken.
        struct.error: it ends before its picture does.
    """
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise ImageTruncated(f"the WebP file has {len(data)} of its {size + 8} bytes")
    for kind, start, end in _chunks(data, size + 8):
        if end > size + 8:
            name = kind.decode("ascii", "replace")
            raise ImageCorrupt(f"the WebP file's chunk {name!r} at byte {start - 8} is longer than the file")
