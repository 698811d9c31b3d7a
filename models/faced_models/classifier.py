"""Crops to distributions: any network that the manifest describes; no class per attribute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_models.calibration import Calibration
from faced_models.crop import CropRecipe
from faced_models.errors import ModelError
from faced_models.input_format import InputFormat
from faced_models.oversample import VIEWS, Oversample, views
from faced_models.session import Session
from faced_proto.types import Axis, Distribution, ModelInfo


class Classifier:
    """One attribute network."""

    def __init__(
        self,
        session: Session,
        recipe: CropRecipe,
        input_format: InputFormat,
        axis: Axis,
        info: ModelInfo,
        *,
        oversample: Oversample = Oversample.NONE,
        calibration: Calibration | None = None,
    ) -> None:
        """Distributions of all `oversample`d views are averaged, then `calibration` is applied; None: it is not."""
        self.info = info
        self.recipe = recipe
        self._session = session
        self._format = input_format
        self._axis = axis
        self._oversample = oversample
        self._calibration = calibration

    def classify(self, crops: NDArray[np.uint8]) -> list[Distribution]:
        """One distribution for each crop of uint8 [n, size, size, 3], RGB.

        Raises:
            ModelError: the network failed, or its output is no distribution over the axis.
        """
        info = self.info
        return [
            Distribution(info.attribute, self._axis, tuple(row.tolist()), info.model, info.calibrated)
            for row in self.probabilities(crops)
        ]

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `classify`, as an array [n, classes]."""
        if len(crops) == 0:
            return np.empty((0, len(self._axis)), np.float32)
        count = VIEWS[self._oversample]
        output = self._session.run(views(self._format.prepare(crops), self._oversample))
        if output.shape != (count * len(crops), len(self._axis)):
            faces = f"{len(crops)} faces" if count == 1 else f"{count} views of {len(crops)} faces"
            raise ModelError(f"{self.info.model} gave {output.shape} for {faces} of {len(self._axis)} classes")
        totals = output.sum(axis=1, dtype=np.float64)
        if not (np.isfinite(output).all() and (output >= 0).all() and (np.abs(totals - 1) < 1e-3).all()):
            raise ModelError(
                f"{self.info.model} gave values that are no probabilities: "
                f"from {output.min():.3g} to {output.max():.3g}, sums from {totals.min():.3g} to {totals.max():.3g}"
            )
        mean: NDArray[np.float64] = (output / totals[:, None]).reshape(count, len(crops), -1).mean(axis=0)
        if self._calibration is not None:
            mean = self._calibration.apply(mean)
        result: NDArray[np.float32] = mean.astype(np.float32)
        return result
