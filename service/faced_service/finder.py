"""Frames to detections: one batcher for the detector, shared by all frames in hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from faced_models.bundle import Models
from faced_models.errors import ModelError
from faced_models.scale import WINDOW_PX, ScanPlan, plan_scan
from faced_models.thrifty_detector import Scanned, ThriftyDetector
from faced_proto.types import Detection, Engine, RgbImage
from faced_service.batcher import Batcher, Crowd, Served
from faced_service.errors import InvalidOption, ModelFailed
from faced_service.fair_queue import Flow
from faced_service.live_scan import Scan, ScanTurn
from faced_service.metrics import Metrics
from faced_service.options import CheckedOptions
from faced_service.settings import Settings
from faced_service.turns import Turn
from faced_service.work_thread import Hung

_CROWD = 16
"""Frames that wait: about so many share what two runs at once save, 5 %, which then is what each run takes longer."""

_CROWD_MEGAPIXELS = 2.1
"""1920 x 1080: each run has its own memory."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants of detection; `auto_upsample` are the doublings where the caller chose no scale.

    Detection begins before `begin_by` (monotonic, seconds) or not at all; begun, it is finished unless it is cancelled.
    With a `scan_turn`, it decides where to search. `turn` is that of the frame in the detector's queue, if it waited
    for one.
    """

    options: CheckedOptions
    auto_upsample: int
    flow: Flow
    begin_by: float | None
    scan_turn: ScanTurn | None
    turn: Turn | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan found, and the plan and the engine that really ran."""

    scan: Scan
    plan: ScanPlan
    engine: Engine


@dataclass(frozen=True, slots=True)
class _Scan:
    image: RgbImage
    threshold: float


@dataclass(frozen=True, slots=True)
class _ScanKey:
    height: int
    width: int
    plans: tuple[ScanPlan, ...]


class Finder:
    """Runs the detector on frames of equal size and plan together."""

    def __init__(self, models: Models, settings: Settings, metrics: Metrics, *, on_hang: Callable[[str], None]) -> None:
        self._settings = settings
        self._window_px = models.detector.info.input_size or WINDOW_PX
        self._engine = models.detector.engine
        self._detector = ThriftyDetector(models.searching, spare=models.spare, on_step=metrics.memory_was_short)
        self._batcher: Batcher[_Scan, _ScanKey, Scanned] = Batcher(
            "detect",
            self._scan,
            max_batch=settings.detect_batch,
            max_wait=settings.detect_wait_ms / 1000,
            queue_limit=settings.queue_limit,
            runs=_runs(settings.detect_runs, settings, self._engine),
            crowd=Crowd(_runs(settings.detect_runs_crowded, settings, self._engine), _CROWD, _CROWD_MEGAPIXELS),
            run_timeout=settings.run_timeout_s,
            on_hang=on_hang,
            on_batch=metrics.batch_began,
        )

    def __len__(self) -> int:
        """How many scans and turns are waited for."""
        return len(self._batcher)

    async def turn(self, flow: Flow) -> Turn:
        """See `Batcher.turn`."""
        return await self._batcher.turn(flow)

    async def prepare(self, function: Callable[[], None]) -> None:
        """See `Batcher.prepare`."""
        await self._batcher.prepare(function)

    async def close(self, *, drain: bool) -> None:
        """See `Batcher.close`."""
        await self._batcher.close(drain=drain)

    async def find(self, image: RgbImage, wish: Wish) -> Found:
        """The faces of one frame.

        Raises:
            InvalidOption: an option is out of range.
            ModelFailed: the detector failed, or did not end in time.
            Expired, Closed: as `Batcher.submit`.
        """
        plans = self._plans(image.shape[1], image.shape[0], wish)
        if wish.scan_turn is None:
            served = await self._submit(image, plans, wish)
            scanned = served.value
            return Found(Scan(scanned.detections, True, served.waited, served.worked), scanned.plan, scanned.engine)
        engines = [self._engine]
        following = wish

        async def detect(part: RgbImage, plan: ScanPlan) -> Served[tuple[Detection, ...]]:
            nonlocal following
            # Detection begins with the first search, and the turn ends there; what follows is never too late.
            this, following = following, replace(wish, begin_by=None, turn=None)
            served = await self._submit(part, (plan,), this)
            engines.append(served.value.engine)
            return Served(served.value.detections, served.waited, served.worked)

        scan = await wish.scan_turn.scan(image, plans[0], detect)
        other = next((engine for engine in engines if engine != self._engine), self._engine)
        return Found(scan, plans[0], other)

    def _plans(self, width: int, height: int, wish: Wish) -> tuple[ScanPlan, ...]:
        """The wanted plan, and the coarser ones for want of memory: automatic doublings can be left out.

        A caller's smallest face leaves no choice, as its plan is the coarsest that finds such faces.
        """
        options, caps = wish.options, self._settings
        plan = partial(
            plan_scan,
            width,
            height,
            upsample_times=options.upsample_times,
            min_face_px=options.min_face_px,
            max_upscaled_pixels=caps.max_upscaled_pixels,
            max_detect_pixels=caps.max_detect_pixels,
            window_px=self._window_px,
        )
        try:
            wanted = plan(auto_upsample=wish.auto_upsample)
        except ValueError as error:
            raise InvalidOption(str(error)) from error
        automatic = options.upsample_times is None and options.min_face_px is None
        fewer = reversed(range(wanted.upsample_times)) if automatic else ()
        return (wanted, *(plan(auto_upsample=times) for times in fewer))

    async def _submit(self, image: RgbImage, plans: tuple[ScanPlan, ...], wish: Wish) -> Served[Scanned]:
        key = _ScanKey(image.shape[0], image.shape[1], plans)
        scan = _Scan(image, wish.options.threshold)
        try:
            return await self._batcher.submit(
                scan,
                key=key,
                flow=wish.flow,
                deadline=wish.begin_by,
                cost=_cost(image, plans[0]),
                turn=wish.turn,
            )
        except (ModelError, Hung) as error:
            raise ModelFailed(str(error)) from error

    def _scan(self, key: _ScanKey, scans: Sequence[_Scan]) -> Sequence[Scanned]:
        return self._detector.scan([scan.image for scan in scans], key.plans, [scan.threshold for scan in scans])


def _runs(wanted: int, settings: Settings, engine: Engine) -> int:
    """On a CPU as many as there are threads at most; a GPU is kept busy by batches."""
    threads = settings.cpu_threads or os.cpu_count() or 1
    return min(wanted, threads) if engine.device == "cpu" else 1


def _cost(image: RgbImage, plan: ScanPlan) -> float:
    """Megapixels on which the detector runs: its time grows with them."""
    return float(image.shape[0] * image.shape[1] * plan.applied_scale**2 / 1e6)
