"""Crops to the tensor that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.network_entry import Colour

# ITU-R BT.601 luma, as OpenCV and Keras' loaders compute grey.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class InputFormat:
    """What the network was trained on: (value - mean) * scale of values 0..255, planar.

    `mean` and `scale` float32, one value for each channel, in the order of `colour`.
    """

    colour: Colour
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def prepare(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [n, size, size, 3] RGB to float32 [n, channels, size, size]."""
        planes = self._planes(crops)
        return np.ascontiguousarray((planes - self.mean[:, None, None]) * self.scale[:, None, None])

    def _planes(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.colour is Colour.GREY:
            # Rounded as an 8-bit grey picture would be: the network was trained on those.
            grey: NDArray[np.float32] = np.rint(crops @ _LUMA)
            return grey[:, None]
        channels = crops if self.colour is Colour.RGB else crops[..., ::-1]
        return channels.transpose(0, 3, 1, 2).astype(np.float32)
