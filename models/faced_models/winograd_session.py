"""A detector's network whose 5x5 convolutions run in loops of our own; what comes after them, on another engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from faced_models.errors import OutOfMemory
from faced_models.kernels import Kernels
from faced_models.session import Session
from faced_models.winograd import OUTPUTS, TAPS, WinogradLayer

_PARTS = 4
"""Of a layer for each thread: one that another program holds up leaves the rest to the others."""

_BAND_COLUMNS = 512
"""About so many columns of rows go through all layers of stride 2 together, so that these keep no whole picture."""


class WinogradSession:
    """A `Session`: one or more layers of stride 2, then layers of stride 1, then the tail."""

    def __init__(
        self, name: str, layers: Sequence[WinogradLayer], tail: Session, kernels: Kernels, *, threads: int
    ) -> None:
        """`name` is the network's in errors."""
        self._name = name
        self._halving = [layer for layer in layers if layer.stride == 2]
        self._level = list(layers[len(self._halving) :])
        self._tail = tail
        self._kernels = kernels
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "winograd") if threads > 1 else None
        self._spare: NDArray[np.float32] | None = None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Session`."""
        try:
            maps = self._convolved(batch)
        except MemoryError as error:
            raise OutOfMemory(f"{self._name} failed on input {batch.shape}: {error}") from error
        return self._tail.run(maps)

    def _convolved(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        height, width = batch.shape[2:]
        for _ in self._halving:
            height, width = (height - TAPS) // 2 + 1, (width - TAPS) // 2 + 1
        pitch = -(-width // OUTPUTS) + 1
        first = self._halving[-1].outputs
        channels = max(first, *(layer.outputs for layer in self._level), 0)
        planes = self._take((2, channels, OUTPUTS, (height + 4) * pitch + 2))
        planes[..., : 1 + 2 * pitch] = 0.0
        planes[..., 1 + (height + 2) * pitch :] = 0.0
        pictures = planes[..., 1 + 2 * pitch : -1 - 2 * pitch].reshape(2, channels, OUTPUTS, height, pitch)
        maps = np.empty((len(batch), (self._level or self._halving)[-1].outputs, height, width), np.float32)
        for picture, out in zip(batch, maps, strict=True):
            band = max(8, _BAND_COLUMNS // pitch)
            bands = self._threads * -(-height // (band * self._threads))
            self._share(height, bands, partial(self._halve, picture, planes[0, :first], pitch, width))
            inputs, side = first, 0
            for layer in self._level:
                source, target = planes[side, :inputs], planes[1 - side, : layer.outputs]
                work = partial(self._kernels.convolve, source, target, layer.weights, layer.bias, pitch, width)
                self._share(height, self._threads * _PARTS, work)
                inputs, side = layer.outputs, 1 - side
            self._share(inputs, self._threads, partial(_gather, pictures[side], out))
        self._spare = planes
        return maps

    def _take(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Float32, of any values: those of the run before if they fit, since the system zeroes fresh pages first."""
        spare, self._spare = self._spare, None
        if spare is None or spare.shape != shape:
            # The old ones go before the new ones come.
            del spare
            return np.empty(shape, np.float32)
        return spare

    def _halve(
        self, picture: NDArray[np.float32], target: NDArray[np.float32], pitch: int, width: int, begin: int, end: int
    ) -> None:
        """Rows `begin` to `end` after all layers of stride 2."""
        phases = 1 << len(self._halving)
        # Rows that each layer gives; it needs those that its kernel reaches below them.
        rows = [end - begin]
        for level in range(len(self._halving)):
            rows.insert(0, rows[0] + ((2 << level) + 2) // (2 << level))
        source = _planes(picture.shape[0], phases, rows[0], pitch)
        self._kernels.spread(picture, source, pitch, begin * phases)
        for layer, height in zip(self._halving[:-1], rows[1:], strict=False):
            phases //= 2
            between = _planes(layer.outputs, phases, height, pitch)
            self._kernels.halve(source, between, layer.weights, layer.bias, pitch, 0, height, 0)
            source = between
        last = self._halving[-1]
        place = 1 + (begin + 2) * pitch
        self._kernels.halve(source, target[:, None], last.weights, last.bias, pitch, width, end - begin, place)

    def _share(self, count: int, parts: int, work: Callable[[int, int], None]) -> None:
        """`work` on as many ranges (begin, end) of `count`, on all threads."""
        borders = [count * part // parts for part in range(parts + 1)]
        run = self._pool.map if self._pool else map
        list(run(work, borders[:-1], borders[1:]))


def _planes(channels: int, phases: int, rows: int, pitch: int) -> NDArray[np.float32]:
    """Without values: those beyond a picture reach no output that is one."""
    return np.empty((channels, phases, OUTPUTS * phases, rows * pitch + 1), np.float32)


def _gather(planes: NDArray[np.float32], picture: NDArray[np.float32], begin: int, end: int) -> None:
    """Channels of [channels, 4, h, pitch], column x in plane x % 4, to [channels, h, w]."""
    for phase in range(OUTPUTS):
        part = picture[begin:end, :, phase::OUTPUTS]
        part[...] = planes[begin:end, phase, :, : part.shape[2]]
