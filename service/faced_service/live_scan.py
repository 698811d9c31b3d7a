"""Live mode: full scans on fixed frame numbers, and in between only the regions around known faces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from faced_models.regions import Region, follow, plan_regions
from faced_models.scale import ScanPlan
from faced_proto.types import Detection, RgbImage
from faced_service.batcher import Served
from faced_service.frame_order import Place

MAX_SCAN_INTERVAL = 1000

Detect = Callable[[RgbImage, ScanPlan], Awaitable[Served[tuple[Detection, ...]]]]
"""Faces of one picture, highest score first."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The faces of a frame, highest score first; whether all of it was searched; seconds of waiting and working."""

    faces: tuple[Detection, ...]
    full: bool
    waited: float
    worked: float


@dataclass(frozen=True, slots=True)
class _Known:
    """What the newest scanned frame held, its size, and how it is scanned in full."""

    faces: tuple[Detection, ...]
    width: int
    height: int
    plan: ScanPlan


class LiveScan:
    """The scans of one stream: what one frame holds says where to look in the next.

    Full scans fall on frames 0, `interval`, 2 * `interval` ..., and on the next frame that can be scanned where such a
    frame cannot; also on frames in which a known face was not found, where the picture changes its size, and where
    the regions would cost as much. Lives on one event loop.
    """

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._known: _Known | None = None
        self._newest_period = -1

    def turn(self, place: Place) -> ScanTurn:
        """The turn of the frame at `place`, which is passed once the frame was searched."""
        return ScanTurn(self, place)

    def regions(self, number: int, image: RgbImage, plan: ScanPlan) -> tuple[Region, ...] | None:
        """Where to look in frame `number`; None = everywhere."""
        height, width, _ = image.shape
        known = self._known
        due = number // self._interval > self._newest_period
        if due or known is None or (known.width, known.height, known.plan) != (width, height, plan):
            return None
        return plan_regions(known.faces, width, height, plan)

    async def scan(self, number: int, image: RgbImage, plan: ScanPlan, detect: Detect) -> Scan:
        """Search frame `number`, all frames before it being done with."""
        waited = worked = 0.0
        height, width, _ = image.shape
        regions = self.regions(number, image, plan)
        faces: tuple[Detection, ...] | None = None
        if regions is not None and self._known is not None:
            parts = []
            # One after the other: a frame holds one place in the detector's queue.
            for region in regions:
                served = await detect(_cut(image, region), region.plan)
                waited, worked = waited + served.waited, worked + served.worked
                parts.append(served.value)
            faces = follow(self._known.faces, regions, parts)
        full = faces is None
        if faces is None:
            served = await detect(image, plan)
            waited, worked, faces = waited + served.waited, worked + served.worked, served.value
            self._newest_period = number // self._interval
        self._known = _Known(faces, width, height, plan)
        return Scan(faces, full, waited, worked)


class ScanTurn:
    """A frame's place in the order of a stream's scans."""

    def __init__(self, live: LiveScan, place: Place) -> None:
        self._live = live
        self._place = place

    async def scan(self, image: RgbImage, plan: ScanPlan, detect: Detect) -> Scan:
        """Wait for the turn, search the frame, and let the next one begin; `detect` may raise."""
        since = monotonic()
        try:
            await self._place.reached()
            waited = monotonic() - since
            scan = await self._live.scan(self._place.number, image, plan, detect)
        finally:
            self._place.passed()
        return Scan(scan.faces, scan.full, scan.waited + waited, scan.worked)


def _cut(image: RgbImage, region: Region) -> RgbImage:
    return np.ascontiguousarray(image[region.top : region.bottom, region.left : region.right])
