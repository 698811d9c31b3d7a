"""dlib's shape predictor as arrays: what the converter writes and the aligner runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_models.errors import WeightsError


@dataclass(frozen=True, slots=True)
class LandmarkCascade:
    """Levels of regression trees; points are x, y in the box, 0..1.

    initial_shape float32 [points, 2]; anchors uint8 [levels, features], the nearest point of each feature, and
    deltas float32 [levels, features, 2] from it; split_first, split_second uint16 and thresholds float32
    [levels, trees, splits]; leaves float32 [levels, trees, splits + 1, points, 2].
    """

    initial_shape: NDArray[np.float32]
    anchors: NDArray[np.uint8]
    deltas: NDArray[np.float32]
    split_first: NDArray[np.uint16]
    split_second: NDArray[np.uint16]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]


def load_cascade(path: Path) -> LandmarkCascade:
    """Read the arrays that `faced models rebuild` wrote.

    Raises:
        WeightsError: an array is missing or the file is no archive of arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return LandmarkCascade(**{field.name: arrays[field.name] for field in fields(LandmarkCascade)})
    except (OSError, KeyError, ValueError) as error:
        raise WeightsError(f"{path.name}: not the landmark cascade: {error}") from error
