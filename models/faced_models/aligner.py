"""Boxes to five landmarks and aligned chips, without the GIL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_models.chips import chip_to_picture, cut_chip
from faced_models.crop import CropRecipe
from faced_models.errors import WeightsError
from faced_models.kernels import Kernels
from faced_proto.types import Box, ModelInfo, RgbImage

_HALF_PIXEL = np.float32(0.5)


@dataclass(frozen=True, slots=True)
class Cascade:
    """dlib's shape predictor as arrays; shapes as the kernel `landmarks` wants them."""

    initial_shape: NDArray[np.float32]
    anchors: NDArray[np.uint8]
    deltas: NDArray[np.float32]
    split_first: NDArray[np.uint16]
    split_second: NDArray[np.uint16]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]


def load_cascade(path: Path) -> Cascade:
    """Read the arrays that `faced models rebuild` wrote.

    Raises:
        WeightsError: an array is missing or the file is no archive of arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Cascade(
                initial_shape=arrays["initial_shape"].astype(np.float32),
                anchors=arrays["anchors"].astype(np.uint8),
                deltas=arrays["deltas"].astype(np.float32),
                split_first=arrays["split_first"].astype(np.uint16),
                split_second=arrays["split_second"].astype(np.uint16),
                thresholds=arrays["thresholds"].astype(np.float32),
                leaves=arrays["leaves"].astype(np.float32),
            )
    except (OSError, KeyError, ValueError) as error:
        raise WeightsError(f"{path.name}: not the landmark cascade: {error}") from error


class Aligner:
    """Finds eye corners and nose base in a box, and cuts faces out upright."""

    def __init__(self, cascade: Cascade, kernels: Kernels, info: ModelInfo) -> None:
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
        chips = np.empty((len(boxes), recipe.size, recipe.size, 3), np.uint8)
        for chip, points in zip(chips, landmarks, strict=True):
            chip[:] = cut_chip(image, chip_to_picture(points - _HALF_PIXEL, recipe.size, recipe.padding), recipe.size)
        return chips
