"""Where panels go: rectangles in whole pixels. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_PLACES_A_SIDE = 32


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
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0

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


def free_corner(picture: Rect, face: Rect, size: tuple[int, int], obstacles: Sequence[Rect]) -> Rect | None:
    """The corner of the picture nearest to the face where a panel touches no obstacle."""
    across, down = face.left + face.right, face.top + face.bottom
    nearest = sorted(
        _corners(picture, size), key=lambda at: abs(at.left + at.right - across) + abs(at.top + at.bottom - down)
    )
    return _first_free(nearest, obstacles)


def nearest_place(
    picture: Rect, face: Rect, size: tuple[int, int], obstacles: Sequence[Rect], reach: int
) -> Rect | None:
    """The place nearest to the face, at most `reach` pixels from it, where a panel touches no obstacle."""
    width, height = size
    seen = face.intersection(picture)
    near = seen.grown(reach)
    left, top = max(picture.left, near.left - width), max(picture.top, near.top - height)
    right, bottom = min(picture.right - width, near.right), min(picture.bottom - height, near.bottom)
    if seen.area == 0 or right < left or bottom < top:
        return None
    xs = np.linspace(left, right, _PLACES_A_SIDE).astype(int)[None, :]
    ys = np.linspace(top, bottom, _PLACES_A_SIDE).astype(int)[:, None]
    free = np.ones((_PLACES_A_SIDE, _PLACES_A_SIDE), bool)
    for other in obstacles:
        beside = (xs >= other.right) | (xs + width <= other.left)
        free &= beside | (ys >= other.bottom) | (ys + height <= other.top)
    if not free.any():
        return None
    # Between edges, not centres: wide panels are not to be preferred above or below.
    away_x = np.maximum(0, np.maximum(xs - seen.right, seen.left - xs - width))
    away_y = np.maximum(0, np.maximum(ys - seen.bottom, seen.top - ys - height))
    off_centre = np.abs(2 * xs + width - seen.left - seen.right) + np.abs(2 * ys + height - seen.top - seen.bottom)
    cost = np.where(free, np.hypot(away_x, away_y) + 0.05 * off_centre, np.inf)
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    x, y = int(xs[0, column]), int(ys[row, 0])
    return Rect(x, y, x + width, y + height)


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
