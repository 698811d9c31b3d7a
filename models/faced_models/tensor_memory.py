"""Blocks of memory that outlive their frame, so that frames of any size share them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

_KEPT_VALUES = 25_000_000
"""100 MB of float32, the pyramid of a picture of 1920 x 1080."""

_IDLE_LOANS = 64
"""A block that lies through so many loans of others was needed by a crowd that has gone."""


class TensorMemory:
    """Lends tensors whose background is zero. Safe for threads; as many blocks stay as were lent at once lately."""

    def __init__(self, kept_values: int = _KEPT_VALUES) -> None:
        """A block of more than `kept_values` goes when a smaller one would do."""
        self._kept_values = kept_values
        # Each with the number of loans when it came back; the newest is lent first, so that what is too much lies.
        self._spare: deque[tuple[Hashable, NDArray[np.float32], int]] = deque()
        self._loans = 0

    def take(self, layout: Hashable, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 tensor of zeros, but for what the same layout wrote into the tensor before."""
        size = math.prod(shape)
        self._loans += 1
        try:
            before, tensor, _ = self._spare.pop()
        except IndexError:
            return np.zeros(size, np.float32).reshape(shape)
        if before == layout and tensor.shape == shape:
            return tensor
        block = tensor.base
        if block is not None and size <= block.size <= max(size, self._kept_values):
            tensor = block[:size].reshape(shape)
            tensor.fill(0.0)
            return tensor
        # The old ones go before the new one comes.
        del tensor, block
        self._spare.clear()
        return np.zeros(size, np.float32).reshape(shape)

    def give_back(self, layout: Hashable, tensor: NDArray[np.float32]) -> None:
        """A tensor that was lent and that nobody needs any more."""
        self._spare.append((layout, tensor, self._loans))
        # Another thread may take it at this moment, or its successor go in its place: both do no harm.
        with suppress(IndexError):
            if self._loans - self._spare[0][2] > _IDLE_LOANS:
                self._spare.popleft()
