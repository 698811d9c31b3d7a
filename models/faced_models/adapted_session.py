"""Any attribute network behind one shape: planar float32 faces in, a row of probabilities for each out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faced_models.network_entry import Activation, Layout
from faced_models.session import Session

INPUT_TYPES = {"float": np.float32, "float16": np.float16, "double": np.float64, "uint8": np.uint8}
"""What networks may take, by ONNX Runtime's name."""


class AdaptedSession:
    """A `Session` that gives what another network wants, and makes probabilities of what comes out."""

    def __init__(
        self, session: Session, *, dtype: str, layout: Layout, activation: Activation, one_by_one: bool
    ) -> None:
        """`dtype` is a key of `INPUT_TYPES`; `one_by_one` is for networks whose batch is fixed to one face."""
        self._session = session
        self._dtype = INPUT_TYPES[dtype]
        self._layout = layout
        self._activation = activation
        self._one_by_one = one_by_one

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, channels, size, size] to [n, classes].

        Raises:
            ModelError: the run failed.
        """
        return activated(self.values(batch), self._activation)

    def values(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `run`, before the activation."""
        if self._layout is Layout.NHWC:
            batch = batch.transpose(0, 2, 3, 1)
        faces = np.ascontiguousarray(batch, self._dtype)
        runs = [faces[i : i + 1] for i in range(len(faces))] if self._one_by_one else [faces]
        outputs: Sequence[NDArray[np.generic]] = [self._session.run(run) for run in runs]
        values = np.concatenate(outputs).astype(np.float32)
        return values.reshape(len(values), -1)


def activated(values: NDArray[np.float32], activation: Activation) -> NDArray[np.float32]:
    """[n, k] to probabilities [n, k]; a single value, [n, 1], is the probability of the second of two classes."""
    match activation:
        case Activation.SOFTMAX:
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            values = powers / powers.sum(axis=1, keepdims=True)
        case Activation.SIGMOID:
            values = (0.5 * (1 + np.tanh(0.5 * values))).astype(np.float32)  # does not overflow
        case Activation.NONE:
            pass
    return np.concatenate((1 - values, values), axis=1) if values.shape[1] == 1 else values
