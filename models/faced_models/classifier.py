"""Crops to distributions: any network that the manifest describes; no class per attribute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_models.crop import CropRecipe
from faced_models.errors import ModelError
from faced_models.input_format import InputFormat
from faced_models.session import Session
from faced_proto.types import Axis, Distribution, ModelInfo


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
        output = self._session.run(self._format.prepare(crops))
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
