"""A detector's network whose 5x5 convolutions run in loops of our own; what comes after them, on another engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from faced_models.errors import OutOfMemory
from faced_models.kernels import Kernels
from faced_models.session import Session
from faced_models.team import Team
from faced_models.tensor_memory import TensorMemory
from faced_models.winograd import OUTPUTS, TAPS, WinogradLayer

_PARTS = 4
"""Of a layer for each thread: one that another program holds up leaves the rest to the others."""

_BAND_COLUMNS = 512
"""About so many columns of rows go through all layers of stride 2 together, so that these keep no whole picture."""


class WinogradSession:
    """A `Session`: one or more layers of stride 2, then layers of stride 1, then the tail."""

    def __init__(self, name: str, layers: Sequence[WinogradLayer], tail: Session, kernels: Kernels, team: Team) -> None:
        """`name` is the network's in errors."""
        self._name = name
        self._halving = [layer for layer in layers if layer.stride == 2]
        self._level = list(layers[len(self._halving) :])
        self._tail = tail
        self._kernels = kernels
        self._team = team
        # Those of another size go: kept, they would grow for as long as larger pictures come.
        self._planes, self._scratch = TensorMemory(0), TensorMemory(0)

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
        shape = (2, channels, OUTPUTS, (height + 4) * pitch + 2)
        planes = self._planes.take(shape, shape)
        planes[..., : 1 + 2 * pitch] = 0.0
        planes[..., 1 + (height + 2) * pitch :] = 0.0
        pictures = planes[..., 1 + 2 * pitch : -1 - 2 * pitch].reshape(2, channels, OUTPUTS, height, pitch)
        maps = np.empty((len(batch), (self._level or self._halving)[-1].outputs, height, width), np.float32)
        for picture, out in zip(batch, maps, strict=True):
            band = max(8, _BAND_COLUMNS // pitch)
            bands = self._team.threads * -(-height // (band * self._team.threads))
            scratch = sum(map(math.prod, self._shapes(len(picture), -(-height // bands), pitch)))
            self._share(height, bands, partial(self._halve, picture, planes[0, :first], pitch, width, scratch))
            inputs, side = first, 0
            for layer in self._level:
                source, target = planes[side, :inputs], planes[1 - side, : layer.outputs]
                work = partial(self._kernels.convolve, source, target, layer.weights, layer.bias, pitch, width)
                self._share(height, self._team.threads * _PARTS, work)
                inputs, side = layer.outputs, 1 - side
            self._share(inputs, self._team.threads, partial(_gather, pictures[side], out))
        self._planes.give_back(shape, planes)
        return maps

    def _halve(
        self,
        picture: NDArray[np.float32],
        target: NDArray[np.float32],
        pitch: int,
        width: int,
        scratch: int,
        begin: int,
        end: int,
    ) -> None:
        """Rows `begin` to `end` after all layers of stride 2; `scratch` values hold what is between any such rows."""
        block = self._scratch.take(scratch, (scratch,))
        shapes = self._shapes(len(picture), end - begin, pitch)
        borders = [0, *accumulate(map(math.prod, shapes))]
        planes = [block[a:b].reshape(shape) for (a, b), shape in zip(pairwise(borders), shapes, strict=True)]
        self._kernels.spread(picture, planes[0], pitch, begin << len(self._halving))
        for layer, source, between in zip(self._halving, planes, planes[1:], strict=False):
            self._kernels.halve(source, between, layer.weights, layer.bias, pitch, 0, between.shape[3] // pitch, 0)
        last = self._halving[-1]
        place = 1 + (begin + 2) * pitch
        self._kernels.halve(planes[-1], target[:, None], last.weights, last.bias, pitch, width, end - begin, place)
        self._scratch.give_back(scratch, block)

    def _shapes(self, channels: int, rows: int, pitch: int) -> list[tuple[int, int, int, int]]:
        """Of the planes that each layer of stride 2 reads so that the last one gives so many rows."""
        shapes: list[tuple[int, int, int, int]] = []
        inputs = [channels, *(layer.outputs for layer in self._halving)]
        for level in reversed(range(len(self._halving))):
            phases = 1 << (len(self._halving) - level)
            # And those that its kernel reaches below them.
            rows += (phases + 2) // phases
            shapes.insert(0, (inputs[level], phases, OUTPUTS * phases, rows * pitch + 1))
        return shapes

    def _share(self, count: int, parts: int, work: Callable[[int, int], None]) -> None:
        """`work` on so many ranges (begin, end) of `count`, by the whole team."""
        borders = [count * part // parts for part in range(parts + 1)]
        self._team.share(lambda part: work(*part), pairwise(borders))


def _gather(planes: NDArray[np.float32], picture: NDArray[np.float32], begin: int, end: int) -> None:
    """Channels of [channels, 4, h, pitch], column x in plane x % 4, to [channels, h, w]."""
    for phase in range(OUTPUTS):
        part = picture[begin:end, :, phase::OUTPUTS]
        part[...] = planes[begin:end, phase, :, : part.shape[2]]
