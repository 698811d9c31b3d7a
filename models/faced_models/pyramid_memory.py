"""Where pyramids are built: one block of memory that outlives its frame, so that frames of any size share it."""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

_KEPT_VALUES = 25_000_000
"""100 MB of float32, a picture of 1920 x 1080. A larger block goes when a smaller one would do."""


class PyramidMemory:
    """Lends tensors whose background is zero. Several may be lent at once; the newest given back is kept."""

    def __init__(self) -> None:
        self._spare: tuple[Hashable, NDArray[np.float32]] | None = None

    def take(self, layout: Hashable, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 tensor of zeros, but for what the same layout wrote into the tensor before."""
        spare, self._spare = self._spare, None
        size = math.prod(shape)
        if spare is not None:
            before, tensor = spare
            if before == layout and tensor.shape == shape:
                return tensor
            block = tensor.base
            if block is not None and size <= block.size <= max(size, _KEPT_VALUES):
                tensor = block[:size].reshape(shape)
                tensor.fill(0.0)
                return tensor
            # The old block goes before the new one comes.
            del tensor, block
        del spare
        return np.zeros(size, np.float32).reshape(shape)

    def give_back(self, layout: Hashable, tensor: NDArray[np.float32]) -> None:
        """A tensor that was lent and that nobody needs any more."""
        self._spare = layout, tensor
