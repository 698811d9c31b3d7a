"""What a file says of its picture."""

from __future__ import annotations

from dataclasses import dataclass

from faced_service.formats import exif

MAX_PARTS = 10_000
"""Chunks or segments that a file may have: each costs time here, and a line of complaint in some decoders."""


@dataclass(frozen=True, slots=True)
class Header:
    """Size in pixels as stored, and EXIF orientation (1 to 8)."""

    width: int
    height: int
    orientation: int = exif.UPRIGHT
