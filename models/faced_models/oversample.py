"""Several views of one crop, whose distributions are averaged; pure."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray


class Oversample(Enum):
    """`FLIP` adds the mirrored crop. `TEN_CROP` takes corners and centre, each mirrored too, out of a larger crop.

    The ten crops are Krizhevsky et al.'s (NeurIPS 2012), for networks that were trained on random crops; `faced eval`
    tells what each costs and gains.
    """

    NONE = "none"
    FLIP = "flip"
    TEN_CROP = "ten_crop"


VIEWS = {Oversample.NONE: 1, Oversample.FLIP: 2, Oversample.TEN_CROP: 10}


def crop_size(oversample: Oversample, input_size: int) -> int:
    """Pixels on a side of the crop that views of `input_size` are taken from: an eighth larger for ten crops."""
    return input_size * 9 // 8 if oversample is Oversample.TEN_CROP else input_size


def views(planes: NDArray[np.float32], oversample: Oversample) -> NDArray[np.float32]:
    """[n, c, crop, crop] to [views * n, c, size, size], all faces of one view together."""
    if oversample is Oversample.TEN_CROP:
        last = planes.shape[-1] // 9
        size = planes.shape[-1] - last
        corners = [(y, x) for y in (0, last) for x in (0, last)] + [(last // 2, last // 2)]
        planes = np.concatenate([planes[:, :, y : y + size, x : x + size] for y, x in corners])
    if oversample is Oversample.NONE:
        return planes
    return np.concatenate((planes, planes[..., ::-1]))
