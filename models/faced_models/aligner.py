"""Boxes to five landmarks and aligned chips, without the GIL."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faced_models.chips import chip_to_picture, cut_chip
from faced_models.crop import CropKind, CropRecipe
from faced_models.kernels import Kernels
from faced_models.landmark_cascade import LandmarkCascade
from faced_models.placement import blend_to_picture, box_to_picture, cut_smoothly, eyes_to_picture
from faced_proto.types import Box, ModelInfo, RgbImage

_HALF_PIXEL = np.float32(0.5)


class Aligner:
    """Finds eye corners and nose base in a box, and cuts faces out upright."""

    def __init__(self, cascade: LandmarkCascade, kernels: Kernels, info: ModelInfo) -> None:
        self.info = info
        self._cascade = cascade
        self._kernels = kernels

    def landmarks(self, image: RgbImage, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Five points of each box, float32 [n, 5, 2], x and y in continuous pixels (dlib's whole numbers + 0.5)."""
        points = np.empty((len(boxes), 5, 2), np.float32)
        corners = np.array([(b.left, b.top, b.right - 1, b.bottom - 1) for b in boxes], np.float64).reshape(-1, 4)
        c = self._cascade
        self._kernels.landmarks(
            image,
            corners,
            c.initial_shape,
            c.anchors,
            c.deltas,
            c.split_first,
            c.split_second,
            c.thresholds,
            c.leaves,
            points,
        )
        return points + _HALF_PIXEL

    def crops(
        self, image: RgbImage, boxes: Sequence[Box], landmarks: NDArray[np.float32], recipe: CropRecipe
    ) -> NDArray[np.uint8]:
        """What a network wants to see of each face: uint8 [n, size, size, 3], RGB, black outside the picture."""
        crops = np.empty((len(boxes), recipe.size, recipe.size, 3), np.uint8)
        for crop, box, points in zip(crops, boxes, landmarks - _HALF_PIXEL, strict=True):
            crop[:] = _crop(image, box, points, recipe)
        return crops


def _crop(image: RgbImage, box: Box, points: NDArray[np.float32], recipe: CropRecipe) -> NDArray[np.uint8]:
    """`points` are pixel indices."""
    size, padding = recipe.size, recipe.padding
    match recipe.kind:
        case CropKind.CHIP:
            return cut_chip(image, chip_to_picture(points, size, padding), size)
        case CropKind.BOX:
            return cut_smoothly(image, box_to_picture(box, size, padding), size)
        case CropKind.BLEND:
            return cut_smoothly(image, blend_to_picture(box, points, size, padding), size)
        case CropKind.FACE_ALIGNER:
            return cut_smoothly(image, eyes_to_picture(points, size, padding), size)
