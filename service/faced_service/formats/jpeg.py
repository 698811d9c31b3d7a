"""JPEG files (ITU T.81, annex B): segments, size, orientation, end."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from faced_service.errors import ImageCorrupt, ImageTruncated
from faced_service.formats import exif
from faced_service.formats.header import MAX_PARTS, Header
from faced_service.formats.jpeg_frame import JpegFrame

SIGNATURE = b"\xff\xd8\xff"
MAX_SIDE = 65_535

_EXIF_PREFIX = b"Exif\x00\x00"
_SOI, _EOI, _SOS, _DHT, _DRI, _APP1 = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD, 0xE1
_SCAN_DATA = 0x00
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
_NEXT_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])", re.DOTALL)
"""In a scan, FF 00 is a byte of data and FF D0 to FF D7 are restarts: all others end it."""


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to EOI; the data of a scan come as `_SCAN_DATA`."""
    at = 2
    for _ in range(MAX_PARTS):
        found = _MARKER.match(data, at)
        if found is None:
            if not data[at:].strip(b"\xff"):
                raise ImageTruncated(f"the JPEG file ends before its picture does ({len(data)} bytes)")
            raise ImageCorrupt(f"the JPEG file has no marker at byte {at}")
        marker, at = found[1][0], found.end()
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
            yield _SCAN_DATA, at, found.start()
            at = found.start()
    raise ImageCorrupt(f"the JPEG file has more than {MAX_PARTS} segments")


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
    """Follows the file to its end, and each scan to its last block.

    Raises:
        ImageTruncated: it ends before its picture does.
        ImageCorrupt: its structure is broken.
        struct.error: it ends before its picture does.
    """
    frame: JpegFrame | None = None
    tables: dict[int, bytes] = {}
    scan_header = b""
    restart_interval = scans = 0
    for marker, start, end in _segments(data):
        if marker in _SOF:
            if frame is not None:
                raise ImageCorrupt("the JPEG file has a second frame")
            frame = JpegFrame(marker, data[start:end])
        elif marker == _DHT:
            tables |= _huffman_tables(data[start:end])
        elif marker == _DRI:
            (restart_interval,) = struct.unpack_from(">H", data, start)
        elif marker == _SOS:
            scan_header = data[start:end]
        elif marker == _SCAN_DATA:
            if frame is None:
                raise ImageCorrupt("the JPEG file has a scan before its frame header")
            frame.check_scan(scan_header, data[start:end], tables, restart_interval)
            scans += 1
    if not scans or frame is None:
        raise ImageCorrupt("the JPEG file has no scan")
    frame.check_all_there()


def _huffman_tables(content: bytes) -> dict[int, bytes]:
    """Class and number (as one byte) of each table of a segment, and the table: 16 counts, then symbols."""
    tables, at = {}, 0
    while at + 17 <= len(content):
        stop = at + 17 + sum(content[at + 1 : at + 17])
        tables[content[at]] = content[at + 1 : stop]
        at = stop
    return tables
