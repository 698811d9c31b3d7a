"""The header of an encoded file, and whether the file is whole, before anything is decoded.

Reading a header costs nothing that grows with the picture it announces. Decoders give half a picture for half a file;
so each format's own structure is followed to its end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from faced_service.errors import ImageCorrupt, ImageEmpty, ImageTooLarge, ImageTruncated, ImageUnsupported
from faced_service.formats import bmp, jpeg, png, webp
from faced_service.formats.header import Header


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How files of one format are read; `max_side` in pixels is what the format or its decoder can do.

    `bare` gives what the decoder needs of a whole file.
    """

    name: str
    max_side: int
    read_header: Callable[[bytes], Header]
    check_whole: Callable[[bytes], None]
    bare: Callable[[bytes], bytes] = bytes


_JPEG = FileFormat("JPEG", jpeg.MAX_SIDE, jpeg.read_header, jpeg.check_whole)
_PNG = FileFormat("PNG", png.MAX_SIDE, png.read_header, png.check_whole, png.bare)
_WEBP = FileFormat("WebP", webp.MAX_SIDE, webp.read_header, webp.check_whole)
_BMP = FileFormat("BMP", bmp.MAX_SIDE, bmp.read_header, bmp.check_whole)


def sniff(data: bytes) -> FileFormat:
    """The format that the first bytes tell.

    Raises:
        ImageEmpty: no bytes.
        ImageTruncated: not even a whole signature.
        ImageUnsupported: no format that is read here.
    """
    if not data:
        raise ImageEmpty("the picture has no bytes")
    for candidate, signature in ((_JPEG, jpeg.SIGNATURE), (_PNG, png.SIGNATURE)):
        if data.startswith(signature):
            return candidate
        if signature.startswith(data):
            raise ImageTruncated(f"the {candidate.name} file ends within its signature ({len(data)} bytes)")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _WEBP
    if b"RIFF".startswith(data[:4]) and b"WEBP".startswith(data[8:12]) and len(data) < 12:
        raise ImageTruncated(f"the {_WEBP.name} file ends within its signature ({len(data)} bytes)")
    if data == b"B":
        raise ImageTruncated(f"the {_BMP.name} file ends within its signature ({len(data)} bytes)")
    # Two letters are little to go by: the size of the second header must also be one that exists.
    if data[:2] == b"BM" and (len(data) < 18 or data[14:18] in bmp.HEADER_SIZES):
        return _BMP
    raise ImageUnsupported("the bytes are no JPEG, PNG, WebP or BMP picture")


def read_header(data: bytes, file_format: FileFormat) -> Header:
    """Size and orientation.

    Raises:
        ImageTruncated: the file ends within its header.
        ImageCorrupt: the header contradicts itself.
        ImageTooLarge: a side is longer than the format or its decoder can do.
    """
    try:
        header = file_format.read_header(data)
    except struct.error as error:
        raise ImageTruncated(f"the {file_format.name} file ends within its header ({len(data)} bytes)") from error
    if header.width < 1 or header.height < 1:
        raise ImageCorrupt(f"the {file_format.name} header says {header.width} x {header.height} pixels")
    if max(header.width, header.height) > file_format.max_side:
        raise ImageTooLarge(
            f"the picture has {header.width} x {header.height} pixels; "
            f"a side of a {file_format.name} picture has at most {file_format.max_side} here"
        )
    return header


def check_whole(data: bytes, file_format: FileFormat) -> None:
    """Follows the file's structure to its end.

    Raises:
        ImageTruncated: the file ends before its picture does.
        ImageCorrupt: the structure is broken.
    """
    try:
        file_format.check_whole(data)
    except struct.error as error:
        raise ImageTruncated(f"the {file_format.name} file ends before its picture does ({len(data)} bytes)") from error
