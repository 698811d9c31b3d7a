"""The orientation in an EXIF block (EXIF 2.32, 4.6: a TIFF directory); nothing else of it is read."""

from __future__ import annotations

import struct

UPRIGHT = 1
_TIFF_ORDER = {b"II": "<", b"MM": ">"}
_ORIENTATION_TAG = 0x0112
_SHORT = 3


def orientation(tiff: bytes) -> int:
    """1 to 8; a block that is broken or silent counts as upright (1), as other readers have it."""
    order = _TIFF_ORDER.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return UPRIGHT
    magic, directory = struct.unpack_from(order + "HI", tiff, 2)
    if magic != 42 or directory + 2 > len(tiff):
        return UPRIGHT
    (entries,) = struct.unpack_from(order + "H", tiff, directory)
    for start in range(directory + 2, min(directory + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, _count, value = struct.unpack_from(order + "HHIH", tiff, start)
        if tag == _ORIENTATION_TAG:
            return value if kind == _SHORT and 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
