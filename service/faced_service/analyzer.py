"""Frames to faces, across the batchers; knows no transport."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TypeVar

from faced_models.bundle import Models
from faced_models.errors import ModelError
from faced_proto.types import (
    AnalysisOptions,
    Detection,
    DropReason,
    EffectiveOptions,
    FaceAnalysis,
    FrameAnalysis,
    RgbImage,
    ServerInfo,
    Timing,
)
from faced_proto.version import __version__
from faced_service.admission import Admission
from faced_service.alignment import AlignedFaces, align
from faced_service.attributes import networks_for, outcomes
from faced_service.batcher import Closed, Served
from faced_service.describer import Described, Describer, failures
from faced_service.errors import DeadlineExceeded, FacedError, NotReady
from faced_service.fair_queue import Expired, Flow
from faced_service.finder import Finder, Wish
from faced_service.images import Picture, decode, pixels_of
from faced_service.live_scan import ScanTurn
from faced_service.metrics import Metrics
from faced_service.networks import age_guard
from faced_service.options import CheckedOptions, check_options
from faced_service.settings import Settings
from faced_service.thumbnails import thumbnail

_logger = logging.getLogger(__name__)

_Value = TypeVar("_Value")

_BYTES_OF_PIXEL = 3
"""RGB."""


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """A frame to analyse. Times are of the monotonic clock, in seconds.

    `caller`, and which `part` of what it sends this is (a stream, a connection), are what fairness goes by;
    `auto_upsample` are the doublings where the caller chose no scale; a `patient` request waits for a place where
    others are refused; detection begins before `begin_by` or not at all. With a `turn`, frames of a stream are searched
    one after the other, and it decides where; without one, everywhere. `with_thumbnail`: the answer has one.
    """

    picture: Picture
    options: AnalysisOptions
    caller: str
    auto_upsample: int
    part: str = ""
    patient: bool = False
    begin_by: float | None = None
    turn: ScanTurn | None = None
    with_thumbnail: bool = False
    arrived: float = field(default_factory=monotonic)

    @property
    def flow(self) -> Flow:
        """See `fair_queue`."""
        return Flow(self.caller, self.part)


class Analyzer:
    """Decodes, detects, aligns and describes; refuses what it cannot take. Lives on one event loop."""

    def __init__(
        self,
        models: Models,
        settings: Settings,
        *,
        known_attributes: Collection[str],
        metrics: Metrics | None = None,
        on_hang: Callable[[], None] = lambda: None,
    ) -> None:
        """`known_attributes` are all that exist, also those that are not allowed here.

        `on_hang` is called when a run of a network did not end in time: from then on nothing is taken any more.
        """
        self._models = models
        self._settings = settings
        self._known = known_attributes
        self.guard = age_guard(settings)
        self._closed_because: str | None = "the server is starting"
        self._metrics = metrics or Metrics()
        self.admission = Admission(
            queue_limit=settings.queue_limit,
            max_bytes=settings.max_in_flight_bytes,
            on_bytes=self._metrics.bytes_in_flight,
        )
        self._on_hang = on_hang
        # Decoding and aligning: both hold the interpreter for little of their time.
        self._threads = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="frames")
        self._finder = Finder(models, settings, self._metrics, on_hang=self._hang)
        self._describer = Describer(models.classifiers, settings, self._metrics, on_hang=self._hang)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What a request may name, in the order of the answers."""
        allowed = self._settings.allowed_attributes
        return tuple(name for name in self._models.attributes if allowed is None or name in allowed)

    def info(self) -> ServerInfo:
        """Models, limits and device."""
        hidden = set(self._models.attributes) - set(self.attributes)
        return ServerInfo(
            version=__version__,
            engine=self._models.detector.engine,
            models=tuple(info for info in self._models.infos if info.attribute not in hidden),
            attributes=self.attributes,
            limits=self._settings.limits,
            notices=self._models.notices,
        )

    def check(self, options: AnalysisOptions) -> CheckedOptions:
        """The options with defaults, or an InvalidRequest or ForbiddenAttribute; see `check_options`."""
        return check_options(options, known=self._known, allowed=self.attributes)

    def require_ready(self) -> None:
        """Raises NotReady before `start` is done and after `close` began."""
        if self._closed_because is not None:
            raise NotReady(self._closed_because)

    async def start(self) -> None:
        """Run every network once; from then on frames are taken."""
        await self._finder.prepare(self._models.warm_up)
        self._metrics.networks_loaded(self._models.detector.engine, self._models.infos)
        self._closed_because = None

    async def close(self) -> None:
        """Take no more frames, and fail those that wait."""
        self._closed_because = "the server is stopping"
        await asyncio.gather(self._finder.close(drain=False), self._describer.close(drain=False))
        self._threads.shutdown()

    async def analyze(self, request: AnalysisRequest, deadline: float | None = None) -> FrameAnalysis:
        """Everything about one frame. What the deadline (monotonic, seconds) overtakes is not begun.

        Raises:
            FacedError: what went wrong; see the tree in `errors`.
        """
        try:
            analysis = await self._admit(request, deadline)
        except FacedError as error:
            self._metrics.frame_failed(error.reason.value)
            raise
        self._metrics.frame_analysed(analysis)
        return analysis

    def frame_dropped(self, reason: DropReason) -> None:
        """A stream left a frame out."""
        self._metrics.frame_dropped(reason)

    async def _admit(self, request: AnalysisRequest, deadline: float | None) -> FrameAnalysis:
        self.require_ready()
        options = self.check(request.options)
        if deadline is not None and deadline <= monotonic():
            raise DeadlineExceeded("the deadline had passed when the request came")
        try:
            async with asyncio.timeout_at(deadline), self._place(request, deadline):
                return await self._analyze(request, options, deadline)
        except (TimeoutError, Expired) as error:
            raise DeadlineExceeded("the deadline passed before the analysis was done") from error
        except Closed as error:
            raise NotReady(self._closed_because or "the server is stopping") from error

    def _hang(self, queue: str) -> None:
        self._closed_because = f"a run of {queue} hangs"
        _logger.critical("a run of %s did not end within %g s", queue, self._settings.run_timeout_s)
        self._metrics.run_hung(queue)
        self._on_hang()

    @asynccontextmanager
    async def _place(self, request: AnalysisRequest, deadline: float | None) -> AsyncIterator[None]:
        """Admission, once for all stages."""
        pixels = pixels_of(request.picture, max_pixels=self._settings.max_pixels)
        let_go = self.admission.hold(request.picture.size)
        try:
            with self._metrics.frame_in_hand():
                async with self.admission.place(
                    request.flow,
                    size=pixels * _BYTES_OF_PIXEL,
                    cost=pixels / 1e6,
                    patient=request.patient,
                    deadline=_earlier(deadline, request.begin_by),
                ):
                    yield
        finally:
            let_go()

    async def _analyze(
        self, request: AnalysisRequest, options: CheckedOptions, deadline: float | None
    ) -> FrameAnalysis:
        admitted = monotonic()
        decoded = await self._in_thread(partial(decode, request.picture, max_pixels=self._settings.max_pixels))
        image = decoded.value
        height, width, _ = image.shape
        begin_by = _earlier(deadline, request.begin_by)
        wish = Wish(options, request.auto_upsample, request.flow, begin_by, request.turn)
        found = await self._finder.find(image, wish)
        plan, scan = found.plan, found.scan
        detections = scan.faces[: options.max_faces]

        networks = networks_for(options.attributes, self.guard) if detections else ()
        if detections and (networks or options.include_landmarks):
            aligned, described = await self._align_and_describe(image, detections, networks, request.flow, deadline)
        else:
            aligned = Served(AlignedFaces(((),) * len(detections), {}), 0.0, 0.0)
            described = Described({}, 0.0, 0.0)

        faces = tuple(
            FaceAnalysis(
                detection,
                aligned.value.landmarks[i],
                outcomes(options.attributes, {n: described.outcomes[n][i] for n in networks}, self.guard),
            )
            for i, detection in enumerate(detections)
        )
        waited = admitted - request.arrived + decoded.waited + scan.waited + aligned.waited + described.waited
        return FrameAnalysis(
            width=width,
            height=height,
            rotation=request.picture.rotation,
            faces=faces,
            applied_scale=plan.applied_scale,
            min_detectable_px=plan.min_detectable_px,
            options=EffectiveOptions(plan.upsample_times, options.threshold, options.max_faces, options.attributes),
            full_scan=scan.full,
            engine=found.engine,
            timing=Timing(
                decode_us=_microseconds(decoded.worked),
                queue_us=_microseconds(waited),
                detect_us=_microseconds(scan.worked),
                align_us=_microseconds(aligned.worked),
                describe_us=_microseconds(described.worked),
                total_us=_microseconds(monotonic() - request.arrived),
            ),
            thumbnail=thumbnail(image) if request.with_thumbnail else b"",
        )

    async def _align_and_describe(
        self,
        image: RgbImage,
        detections: Sequence[Detection],
        networks: Sequence[str],
        flow: Flow,
        deadline: float | None,
    ) -> tuple[Served[AlignedFaces], Described]:
        boxes = [detection.box for detection in detections]
        recipes = self._describer.recipes(networks)
        try:
            aligned = await self._in_thread(partial(align, self._models.aligner, image, boxes, recipes.values()))
        except ModelError as error:
            # Without landmarks there is nothing to show the networks; the boxes stay.
            lost = {network: failures(network, len(boxes), str(error)) for network in networks}
            return Served(AlignedFaces(((),) * len(boxes), {}), 0.0, 0.0), Described(lost, 0.0, 0.0)
        crops = {network: aligned.value.crops[recipe] for network, recipe in recipes.items()}
        return aligned, await self._describer.describe(crops, flow=flow, deadline=deadline)

    async def _in_thread(self, function: Callable[[], _Value]) -> Served[_Value]:
        since = monotonic()

        def timed() -> Served[_Value]:
            begin = monotonic()
            value = function()
            return Served(value, begin - since, monotonic() - begin)

        return await asyncio.get_running_loop().run_in_executor(self._threads, timed)


def _earlier(first: float | None, second: float | None) -> float | None:
    return min((time for time in (first, second) if time is not None), default=None)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
