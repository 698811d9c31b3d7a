"""Crops to distributions: any network that the manifest describes; no class per attribute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.crop import CropRecipe
from faced_models.errors import ModelError
from faced_models.session import Session
from faced_proto.types import Axis, Distribution, ModelInfo

# ITU-R BT.601 luma, as OpenCV and Keras' loaders compute grey.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class InputFormat:
    """What the network was trained on: (value - mean) * scale of values 0..255, grey or RGB, planar.

    `mean` float32, one value for grey, three for RGB.
    """

    grey: bool
    mean: NDArray[np.float32]
    scale: float


class Classifier:
    """One attribute network."""

    def __init__(
        self, session: Session, recipe: CropRecipe, input_format: InputFormat, axis: Axis, info: ModelInfo
    ) -> None:
        self.info = info
        self.recipe = recipe
        self._session = session
        self._format = input_format
        self._axis = axis

    def classify(self, crops: NDArray[np.uint8]) -> list[Distribution]:
        """One distribution for each crop of uint8 [n, size, size, 3], RGB.

        Raises:
            ModelError: the network failed, or its output is no distribution over the axis.
        """
        if len(crops) == 0:
            return []
        output = self._session.run(self._prepare(crops))
        if output.shape != (len(crops), len(self._axis)):
            raise ModelError(
                f"{self.info.model} gave {output.shape} for {len(crops)} faces of {len(self._axis)} classes"
            )
        totals = output.sum(axis=1, dtype=np.float64)
        if not (np.isfinite(output).all() and (output >= 0).all() and (np.abs(totals - 1) < 1e-3).all()):
            raise ModelError(f"{self.info.model} gave values that are no probabilities")
        normalised = (output / totals[:, None]).astype(np.float32)
        info = self.info
        return [
            Distribution(info.attribute, self._axis, tuple(row.tolist()), info.model, info.calibrated)
            for row in normalised
        ]

    def _prepare(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32 [n, channels, size, size]."""
        if self._format.grey:
            # Rounded as an 8-bit grey picture would be: the network was trained on those.
            planes = np.rint(crops @ _LUMA)[:, None]
        else:
            planes = crops.transpose(0, 3, 1, 2).astype(np.float32)
        return np.ascontiguousarray((planes - self._format.mean[:, None, None]) * np.float32(self._format.scale))
