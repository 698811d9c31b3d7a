"""How analyses are drawn: which faces get a panel, and what is made unrecognisable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class PanelMode(Enum):
    """Which faces get a panel with their distributions: the largest, each that has room for one, or none."""

    LARGEST = "largest"
    EACH = "each"
    NONE = "none"


class Blur(Enum):
    """What is blurred beyond recognition: the faces that were found, the whole picture, or nothing."""

    FACES = "faces"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DrawingStyle:
    """The looks of an annotated picture."""

    panel: PanelMode = PanelMode.EACH
    blur: Blur = Blur.NONE


DEFAULT_STYLE = DrawingStyle()
