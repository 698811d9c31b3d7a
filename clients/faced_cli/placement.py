"""Where panels go: rectangles in whole pixels. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rect:
    """Whole pixels; `right` and `bottom` are not part of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Pixels; 0 where it is turned inside out."""
        return max(0, self.width) * max(0, self.height)

    def overlap(self, other: Rect) -> int:
        """Pixels that both hold."""
        return self.intersection(other).area

    def intersection(self, other: Rect) -> Rect:
        """What both hold; of no area if nothing."""
        return Rect(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def grown(self, margin: int) -> Rect:
        """Larger by `margin` pixels on each side."""
        return Rect(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)


def free_place(picture: Rect, face: Rect, size: tuple[int, int], obstacles: Sequence[Rect], gap: int) -> Rect | None:
    """The best place beside the face for a panel of `size` (width, height), in the picture and touching no obstacle.

    `obstacles` include the face itself. Right of the face is tried first, then left, below and above.
    """
    return _first_free(_beside(picture, face, size, gap), obstacles)


def free_corner(picture: Rect, size: tuple[int, int], obstacles: Sequence[Rect]) -> Rect | None:
    """A corner of the picture where a panel touches no obstacle."""
    return _first_free(_corners(picture, size), obstacles)


def least_bad_place(
    picture: Rect, face: Rect, size: tuple[int, int], obstacles: Sequence[Rect], gap: int
) -> Rect | None:
    """The place in the picture that covers least, a pixel of `face` counting as ten others; None = it does not fit."""
    places = [*_beside(picture, face, size, gap), *_corners(picture, size)]
    if not places:
        return None
    return min(places, key=lambda place: 10 * place.overlap(face) + sum(place.overlap(other) for other in obstacles))


def _first_free(places: Iterable[Rect], obstacles: Sequence[Rect]) -> Rect | None:
    return next((place for place in places if not any(place.overlap(obstacle) for obstacle in obstacles)), None)


def _beside(picture: Rect, face: Rect, size: tuple[int, int], gap: int) -> Iterator[Rect]:
    width, height = size
    if width > picture.width or height > picture.height:
        return
    seen = face.intersection(picture)
    lowest, rightmost = picture.bottom - height, picture.right - width
    for left in (face.right + gap, face.left - gap - width):
        if picture.left <= left <= rightmost:
            for top in _slides(seen.top, seen.bottom, height, picture.top, lowest):
                yield Rect(left, top, left + width, top + height)
    for top in (face.bottom + gap, face.top - gap - height):
        if picture.top <= top <= lowest:
            for left in _slides(seen.left, seen.right, width, picture.left, rightmost):
                yield Rect(left, top, left + width, top + height)


def _corners(picture: Rect, size: tuple[int, int]) -> Iterator[Rect]:
    width, height = size
    if width > picture.width or height > picture.height:
        return
    for left in (picture.right - width, picture.left):
        for top in (picture.top, picture.bottom - height):
            yield Rect(left, top, left + width, top + height)


def _slides(start: int, end: int, length: int, low: int, high: int) -> list[int]:
    """Where something of `length` may begin beside `start`..`end`: aligned with its start, its middle, its end."""
    wanted = (start, (start + end - length) // 2, end - length)
    return list(dict.fromkeys(min(max(value, low), high) for value in wanted))
