"""How a network wants its face cut out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CropKind(Enum):
    """Where a crop lies. `CHIP` is dlib's upright face chip, from the landmarks alone; `BOX` the detector's box as it
    is, never turned; `BLEND` lies halfway between the two, turned upright; `FACE_ALIGNER` is placed as by
    imutils' FaceAligner, from the eyes alone.
    """

    CHIP = "chip"
    BOX = "box"
    BLEND = "blend"
    FACE_ALIGNER = "face_aligner"


@dataclass(frozen=True, slots=True)
class CropRecipe:
    """A crop of `size` x `size` pixels; hashable.

    `padding` is the margin around the face on each side, as a fraction of the face's side: of dlib's chip, or of the
    box. For `FACE_ALIGNER` it is where the left eye comes to lie, from the left and from the top, as a fraction of the
    crop's side (imutils' default is 0.35).
    """

    kind: CropKind
    size: int
    padding: float
