"""Rectangles as dlib computes with them: whole numbers, right and bottom inclusive; overlap and suppression; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from faced_proto.types import Box


@dataclass(frozen=True, slots=True)
class Overlap:
    """When two boxes are the same face: dlib's test_box_overlap.

    dlib's "IoU" is the intersection over the area of the box around both, not over their union.
    """

    iou: float
    covered: float

    def __call__(self, a: Rectangle, b: Rectangle) -> bool:
        """True if the boxes overlap by more than the thresholds."""
        width = min(a.right, b.right) - max(a.left, b.left) + 1
        height = min(a.bottom, b.bottom) - max(a.top, b.top) + 1
        if width <= 0 or height <= 0:
            return False
        inner = width * height
        around = (max(a.right, b.right) - min(a.left, b.left) + 1) * (max(a.bottom, b.bottom) - min(a.top, b.top) + 1)
        return inner / around > self.iou or inner / a.area > self.covered or inner / b.area > self.covered


@dataclass(frozen=True, slots=True)
class Rectangle:
    """dlib's rectangle: whole pixels, right and bottom inclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Pixels in the rectangle."""
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    @classmethod
    def rounded(cls, left: float, top: float, right: float, bottom: float) -> Rectangle:
        """Each side rounded half away from zero."""
        return cls(round_away(left), round_away(top), round_away(right), round_away(bottom))

    def as_box(self) -> Box:
        """The same pixels in continuous coordinates."""
        return Box(float(self.left), float(self.top), float(self.right + 1), float(self.bottom + 1))


def round_away(value: float) -> int:
    """Nearest whole number, halves away from zero (C's lround)."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def suppress(rectangles: Sequence[Rectangle], overlaps: Overlap) -> list[int]:
    """Indices of the rectangles that stay, given highest score first: each that overlaps none that stayed before."""
    kept: list[int] = []
    for index, rectangle in enumerate(rectangles):
        if not any(overlaps(rectangles[k], rectangle) for k in kept):
            kept.append(index)
    return kept


def downsampled(rectangle: Rectangle, times: int) -> Rectangle:
    """A box of the picture after `times` of dlib's pyramid_up, in the picture before (dlib's rect_down)."""
    if times == 0:
        return rectangle
    left, top, right, bottom = map(float, (rectangle.left, rectangle.top, rectangle.right, rectangle.bottom))
    for _ in range(times):
        left, right = left / 2 - 1.25, right / 2 - 1.25
        top, bottom = top / 2 - 0.75, bottom / 2 - 0.75
    return Rectangle.rounded(left, top, right, bottom)
