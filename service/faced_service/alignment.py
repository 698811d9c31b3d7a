"""Boxes to named points and to the crops that the networks want."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.aligner import Aligner
from faced_models.crop import CropRecipe
from faced_proto.types import Box, Landmark, LandmarkType, RgbImage

Crops = NDArray[np.uint8]
"""uint8 [n, size, size, 3] RGB: the faces of one frame, cut out by one recipe."""


@dataclass(frozen=True, slots=True)
class AlignedFaces:
    """The points of each face, and the crops of all faces by recipe; networks with equal recipes share them."""

    landmarks: tuple[tuple[Landmark, ...], ...]
    crops: Mapping[CropRecipe, Crops]


def align(aligner: Aligner, image: RgbImage, boxes: Sequence[Box], recipes: Collection[CropRecipe]) -> AlignedFaces:
    """Points and crops of the faces in `boxes`.

    Raises:
        ModelError: the landmark model failed.
    """
    points = aligner.landmarks(image, boxes)
    crops = {recipe: aligner.crops(image, boxes, points, recipe) for recipe in set(recipes)}
    landmarks = tuple(
        tuple(Landmark(kind, x, y) for kind, (x, y) in zip(LandmarkType, face, strict=True)) for face in points.tolist()
    )
    return AlignedFaces(landmarks, crops)
