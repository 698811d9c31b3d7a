"""Text on pictures: OpenCV's Unicode fonts where it has them (5 and newer), else its ASCII strokes."""

from __future__ import annotations

import unicodedata
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_cli.palette import Colour

REGULAR = 400
BOLD = 700


class Lettering(Protocol):
    """Measures and draws one line of text; `size` is the height of its letters' body in pixels."""

    def width(self, text: str, size: int, weight: int = REGULAR) -> int:
        """Pixels from the first letter's origin to the end."""

    def draw(
        self,
        image: NDArray[np.uint8],
        text: str,
        left: int,
        baseline: int,
        size: int,
        colour: Colour,
        weight: int = REGULAR,
    ) -> None:
        """Writes into `image` (uint8 [h, w, 3] RGB, C-contiguous), anti-aliased; what leaves the picture is cut off."""


def lettering() -> Lettering:
    """The best that this OpenCV can do."""
    return UnicodeLettering() if hasattr(cv2, "FontFace") else StrokeLettering()


class UnicodeLettering:
    """OpenCV 5's built-in variable fonts; a letter that they lack becomes a question mark."""

    def __init__(self) -> None:
        self._font = cv2.FontFace("sans")

    def width(self, text: str, size: int, weight: int = REGULAR) -> int:
        """See `Lettering.width`."""
        _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), self._font, size, weight)
        return int(width)

    def draw(
        self,
        image: NDArray[np.uint8],
        text: str,
        left: int,
        baseline: int,
        size: int,
        colour: Colour,
        weight: int = REGULAR,
    ) -> None:
        """See `Lettering.draw`."""
        # Without a wrap range text that reaches the right border is broken into a second line.
        wide = (0, max(image.shape[1], left + self.width(text, size, weight)) + size)
        cv2.putText(image, text, (left, baseline), colour, self._font, size, weight, wrap=wide)


class StrokeLettering:
    """OpenCV's Hershey strokes, for OpenCV 4: ASCII only, so accents are dropped and other letters become "?"."""

    def width(self, text: str, size: int, weight: int = REGULAR) -> int:
        """See `Lettering.width`."""
        (width, _), _ = cv2.getTextSize(
            ascii_text(text), cv2.FONT_HERSHEY_SIMPLEX, self._scale(size), self._thickness(size, weight)
        )
        return int(width)

    def draw(
        self,
        image: NDArray[np.uint8],
        text: str,
        left: int,
        baseline: int,
        size: int,
        colour: Colour,
        weight: int = REGULAR,
    ) -> None:
        """See `Lettering.draw`."""
        cv2.putText(
            image,
            ascii_text(text),
            (left, baseline),
            cv2.FONT_HERSHEY_SIMPLEX,
            self._scale(size),
            colour,
            self._thickness(size, weight),
            cv2.LINE_AA,
        )

    @staticmethod
    def _scale(size: int) -> float:
        return size / 30  # a Hershey capital is 21 units high, about 0.7 of a body

    @staticmethod
    def _thickness(size: int, weight: int) -> int:
        return max(1, round(size * weight / REGULAR / 16))


def ascii_text(text: str) -> str:
    """`text` with accents dropped and every other non-ASCII letter as a question mark."""
    plain = text.replace("\N{EN DASH}", "-").replace("\N{HORIZONTAL ELLIPSIS}", "..")
    letters = (c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" for c in letters)
