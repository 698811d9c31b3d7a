"""Colours as (red, green, blue): Okabe and Ito's set, told apart with every kind of colour blindness (jfly, 2008)."""

from __future__ import annotations

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
BLUISH_GREEN: Colour = (0, 158, 115)
YELLOW: Colour = (240, 228, 66)
VERMILLION: Colour = (213, 94, 0)
REDDISH_PURPLE: Colour = (204, 121, 167)

FACES: tuple[Colour, ...] = (SKY_BLUE, ORANGE, BLUISH_GREEN, YELLOW, REDDISH_PURPLE, VERMILLION)
"""One for each face in turn."""

EMOTIONS: dict[str, Colour] = {
    "angry": VERMILLION,
    "disgust": BLUISH_GREEN,
    "fear": REDDISH_PURPLE,
    "happy": YELLOW,
    "sad": SKY_BLUE,
    "surprise": ORANGE,
    "neutral": (150, 156, 166),
}
"""One for each of the default network's emotions."""

PANEL: Colour = (17, 20, 26)
TRACK: Colour = (62, 67, 76)
BRIGHT: Colour = (245, 246, 248)
QUIET: Colour = (178, 183, 192)


def ink_on(ground: Colour) -> Colour:
    """Black or white, whichever is easier to read on `ground` (relative luminance of ITU-R BT.709)."""
    red, green, blue = ground
    return BLACK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 110 else WHITE
