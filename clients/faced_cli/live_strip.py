"""The line below a live picture: rate, age, drops, device, what goes on, and the keys. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from faced_cli.lettering import BOLD, REGULAR, lettering
from faced_cli.overlay import letter_size
from faced_cli.palette import BRIGHT, ORANGE, PANEL, QUIET, VERMILLION, Colour
from faced_proto.types import RgbImage

KEYS = "q quit  space pause  b blur  p panel  s snapshot  r record"


def with_strip(image: RgbImage, facts: str, recording: str, notice: str) -> RgbImage:
    """A new picture: `image` (uint8 [h, w, 3] RGB) with a strip below it.

    `recording` and `facts` stand at the left; at the right stands `notice`, or, where there is room, the keys.
    """
    height, width = image.shape[:2]
    size = letter_size(width, height)
    strip = round(2.1 * size)
    canvas: RgbImage = np.empty((height + strip, width, 3), np.uint8)
    canvas[:height], canvas[height:] = image, PANEL
    letters = lettering()
    gap = round(0.8 * size)
    left, baseline = gap, height + round(1.4 * size)
    if recording:
        # A dot, as on every camera; and the word, for those who do not see its colour.
        centre = (left + size // 2, baseline - round(0.35 * size))
        cv2.circle(canvas, centre, max(3, round(0.4 * size)), VERMILLION, cv2.FILLED, cv2.LINE_AA)
        letters.draw(canvas, recording, left + round(1.3 * size), baseline, size, BRIGHT, BOLD)
        left += round(1.3 * size) + letters.width(recording, size, BOLD) + 2 * gap
    right = width - gap
    for text, colour, weight in _at_right(notice):
        start = right - letters.width(text, size, weight)
        if start >= left + (letters.width(facts, size) + 2 * gap if not notice else 0):
            letters.draw(canvas, text, start, baseline, size, colour, weight)
            right = start - 2 * gap
            break
    for part in _shorter(facts):
        if left + letters.width(part, size) <= right:
            letters.draw(canvas, part, left, baseline, size, BRIGHT)
            break
    return canvas


def starting(text: str) -> RgbImage:
    """What is seen before the first picture, with a line of `text`."""
    width, height = 640, 480
    canvas: RgbImage = np.full((height, width, 3), PANEL, np.uint8)
    letters, size = lettering(), 2 * letter_size(width, height)
    letters.draw(canvas, text, (width - letters.width(text, size)) // 2, height // 2, size, QUIET)
    return canvas


def _at_right(notice: str) -> list[tuple[str, Colour, int]]:
    return [(notice, ORANGE, BOLD)] if notice else [(KEYS, QUIET, REGULAR)]


def _shorter(facts: str) -> list[str]:
    """The facts, then the same without the last one, and so on."""
    parts = facts.split("  ")
    return ["  ".join(parts[:count]) for count in range(len(parts), 0, -1)]
