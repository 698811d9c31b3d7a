"""What a file says of its picture."""

from __future__ import annotations

from dataclasses import dataclass

from faced_service.formats import exif


@dataclass(frozen=True, slots=True)
class Header:
    """Size in pixels as stored, and EXIF orientation (1 to 8)."""

    width: int
    height: int
    orientation: int = exif.UPRIGHT
