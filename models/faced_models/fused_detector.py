"""The MMOD detector for GPUs: bytes in, scores out, one graph for each size of image; boxes as everywhere."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faced_models.decoder import Decoder, View
from faced_models.detector import MmodOptions
from faced_models.errors import OutOfMemory
from faced_models.fused_graph import FusedGraphs, Tiling
from faced_models.image_scaler import ImageScaler
from faced_models.kernels import Kernels
from faced_models.pyramid import MIN_SIDE_PX
from faced_models.scale import ScanPlan
from faced_models.team import Team
from faced_proto.types import Detection, Engine, ModelInfo, RgbImage

_MOST_LAYOUTS = 8
_LARGEST_BATCH = 32
_MOST_PIXELS = 40_000_000
"""Tiled pixels in one run: 32 images of 640x480. The tiled tensor and the first layer then take 1.1 GB."""


class ImageSession(Protocol):
    """A `Session` that takes images uint8 [n, h, w, 3]."""

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores [n, windows, H/8, W/8].

        Raises:
            ModelError: the run failed; OutOfMemory where a smaller one may not.
        """
        ...


class FusedDetector:
    """A `Detector` whose pyramids are built on the device. Equal images run together, in batches of powers of two."""

    def __init__(
        self,
        graphs: FusedGraphs,
        new_session: Callable[[bytes], ImageSession],
        options: MmodOptions,
        kernels: Kernels,
        info: ModelInfo,
        engine: Engine,
    ) -> None:
        self.info = info
        self.engine = engine
        self._paddings = options.padding, options.outer_padding
        self._scaler = ImageScaler(kernels, Team(1))
        self._decoder = Decoder(options.windows, options.overlaps)
        self._sessions = _Sessions(graphs, new_session)

    def detect(
        self, images: Sequence[RgbImage], plan: ScanPlan, thresholds: Sequence[float]
    ) -> list[tuple[Detection, ...]]:
        """See `Detector`."""
        height, width, _ = images[0].shape
        if min(width, height) * plan.applied_scale < MIN_SIDE_PX:
            return [() for _ in images]
        scaled = [self._scaler.scaled(image, plan) for image in images]
        size = scaled[0].shape[:2]
        tiling = Tiling.of(size[1], size[0], plan.skip_levels, *self._paddings)
        return self._decoder.decode(
            self._scores(scaled, tiling), View(tiling.layout, plan, (height, width), size), thresholds
        )

    def _scores(self, images: Sequence[RgbImage], tiling: Tiling) -> NDArray[np.float32]:
        step = largest_batch(tiling)
        parts = []
        for start in range(0, len(images), step):
            part = images[start : start + step]
            # Few sizes of batch, so that memory and convolution plans are reused: the last image fills up the rest.
            filling = [part[-1]] * (_power_of_two(len(part)) - len(part))
            parts.append(self._run(np.stack([*part, *filling]), tiling)[: len(part)])
        return np.concatenate(parts)

    def _run(self, batch: NDArray[np.uint8], tiling: Tiling) -> NDArray[np.float32]:
        try:
            return self._sessions.get(tiling).run(batch)
        except OutOfMemory:
            # Each session holds on to memory of its own; that of the other sizes goes first.
            if not self._sessions.drop_others(tiling):
                raise
        return self._sessions.get(tiling).run(batch)


class _Sessions:
    """Sessions of the sizes that came last; the oldest makes room for a new one."""

    def __init__(self, graphs: FusedGraphs, new_session: Callable[[bytes], ImageSession]) -> None:
        self._graphs = graphs
        self._new_session = new_session
        self._lock = Lock()
        self._kept: OrderedDict[Tiling, ImageSession] = OrderedDict()

    def get(self, tiling: Tiling) -> ImageSession:
        """The session for images of this size, made at first."""
        with self._lock:
            if tiling not in self._kept:
                while len(self._kept) >= _MOST_LAYOUTS:
                    self._kept.popitem(last=False)
                self._kept[tiling] = self._new_session(self._graphs.write(tiling))
            self._kept.move_to_end(tiling)
            return self._kept[tiling]

    def drop_others(self, tiling: Tiling) -> bool:
        """Let all other sessions go; False if there are none."""
        with self._lock:
            others = [other for other in self._kept if other != tiling]
            for other in others:
                del self._kept[other]
            return bool(others)


def largest_batch(tiling: Tiling) -> int:
    """How many images of this size run together at most; a power of two."""
    return min(_LARGEST_BATCH, 1 << (max(1, _MOST_PIXELS // tiling.pixels).bit_length() - 1))


def _power_of_two(count: int) -> int:
    """The next one that is not below `count`."""
    return 1 << (count - 1).bit_length()
