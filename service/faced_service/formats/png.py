"""PNG files (W3C PNG, third edition): chunks, checksums, size, orientation, end."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from faced_service.errors import ImageCorrupt, ImageTruncated
from faced_service.formats import exif
from faced_service.formats.header import MAX_PARTS, Header

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 1_000_000
"""The decoder's."""

_PIXELS = b"IDAT"
_OF_THE_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", _PIXELS, b"IEND"})


def read_header(data: bytes) -> Header:
    """Size as stored, and orientation.

    Raises:
        ImageCorrupt: the header contradicts itself.
        struct.error: the file ends within it.
    """
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise ImageCorrupt("the PNG file does not begin with its header")
    return Header(width, height, _orientation(data))


def _orientation(data: bytes) -> int:
    for kind, start, end in _chunks(data):
        if kind == b"eXIf" and end <= len(data):
            return exif.orientation(data[start:end])
    return exif.UPRIGHT


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each chunk's content, as far as the file goes or up to IEND."""
    at = len(SIGNATURE)
    others = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        # Some encoders cut the pixels into chunks of a row: those may be many.
        others += kind != _PIXELS or length == 0
        if others > MAX_PARTS:
            raise ImageCorrupt(f"the PNG file has more than {MAX_PARTS} chunks beside its pixels")
        yield kind, at + 8, at + 8 + length
        if kind == b"IEND":
            return
        at += 12 + length


def check_whole(data: bytes) -> None:
    """Follows the file to its end.

    Raises:
        ImageTruncated: it ends before its picture does.
        ImageCorrupt: its structure is broken.
        struct.error: it ends before its picture does.
    """
    view = memoryview(data)
    kinds = set()
    for kind, start, end in _chunks(data):
        (expected,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[start - 4 : end]) != expected:
            raise ImageCorrupt(f"the PNG file's chunk {kind.decode('ascii', 'replace')} fails its checksum")
        kinds.add(kind)
    if b"IEND" not in kinds:
        raise ImageTruncated(f"the PNG file ends before its picture does ({len(data)} bytes)")
    if _PIXELS not in kinds:
        raise ImageCorrupt("the PNG file has no pixels")


def bare(data: bytes) -> bytes:
    """The file with what its picture needs alone: decoders unpack every compressed text, which can be megabytes each.

    Of an animation that leaves the picture that decoders without animations show.
    """
    chunks = list(_chunks(data))
    kept = [(start, end) for kind, start, end in chunks if kind in _OF_THE_PICTURE]
    if len(kept) == len(chunks):
        return data
    # A chunk's length and type lie before its content, its checksum after.
    return SIGNATURE + b"".join(memoryview(data)[start - 8 : end + 4] for start, end in kept)
