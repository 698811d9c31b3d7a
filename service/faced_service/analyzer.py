"""Frames to faces, across the batchers; knows no transport."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

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
from faced_service.analysis_request import AnalysisRequest
from faced_service.attributes import networks_for, outcomes
from faced_service.batcher import Closed, Served
from faced_service.describer import Described, Describer, failures
from faced_service.errors import DeadlineExceeded, FacedError, NotReady
from faced_service.fair_queue import Expired, Flow
from faced_service.finder import Finder, Wish
from faced_service.frame_threads import FrameThreads
from faced_service.images import decode, pixels_of
from faced_service.metrics import Metrics
from faced_service.networks import age_guard
from faced_service.options import CheckedOptions, check_options
from faced_service.settings import Settings
from faced_service.thumbnails import thumbnail
from faced_service.turns import Turn

_logger = logging.getLogger(__name__)

_BYTES_OF_PIXEL = 3
"""RGB."""


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
        self._threads = FrameThreads()
        self._finder = Finder(models, settings, self._metrics, on_hang=self._hang)
        self._describer = Describer(models.classifiers, settings, self._metrics, on_hang=self._hang)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What a request may name, in the order of the answers."""
        allowed = self._settings.allowed_attributes
        return tuple(name for name in self._models.attributes if allowed is None or name in allowed)

    @property
    def scans_in_full(self) -> bool:
        """Whether every frame is searched everywhere: regions are those of one detector's window."""
        return bool(self._models.beside)

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
        await self._threads.close()

    async def turn(self, flow: Flow) -> Turn:
        """Waits until a frame of `flow` that is taken now would be the next to be searched. The turn must be ended."""
        return await self._finder.turn(flow)

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
                # It may have ended while the request waited for its place.
                self.require_ready()
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
        decoded = await self._threads.run(partial(decode, request.picture, max_pixels=self._settings.max_pixels))
        image = decoded.value
        height, width, _ = image.shape
        begin_by = _earlier(deadline, request.begin_by)
        wish = Wish(options, request.auto_upsample, request.flow, begin_by, request.scan_turn, request.turn)
        if request.place is not None:
            await request.place.reached()
            # The next frame goes on once this one waits for the detector, so it comes after it in the queue.
            request.place.passed()
        found = await self._finder.find(image, wish)
        plan, scan = found.plan, found.scan
        detections = scan.faces[: options.max_faces]

        faces = [one for one in detections if self._models.is_face(one)]
        networks = networks_for(options.attributes, self.guard) if faces else ()
        if faces and (networks or options.include_landmarks):
            aligned, described = await self._align_and_describe(image, faces, networks, request.flow, deadline)
        else:
            aligned = Served(AlignedFaces(((),) * len(faces), {}), 0.0, 0.0)
            described = Described({}, 0.0, 0.0)

        told = (
            FaceAnalysis(
                detection,
                aligned.value.landmarks[i],
                outcomes(options.attributes, {n: described.outcomes[n][i] for n in networks}, self.guard),
            )
            for i, detection in enumerate(faces)
        )
        # What is no face has a box and a label, and nothing that describes it.
        rows = tuple(next(told) if self._models.is_face(one) else FaceAnalysis(one, (), ()) for one in detections)
        waited = admitted - request.arrived + decoded.waited + scan.waited + aligned.waited + described.waited
        return FrameAnalysis(
            width=width,
            height=height,
            rotation=request.picture.rotation,
            faces=rows,
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
            aligned = await self._threads.run(partial(align, self._models.aligner, image, boxes, recipes.values()))
        except ModelError as error:
            # Without landmarks there is nothing to show the networks; the boxes stay.
            lost = {network: failures(network, len(boxes), str(error)) for network in networks}
            return Served(AlignedFaces(((),) * len(boxes), {}), 0.0, 0.0), Described(lost, 0.0, 0.0)
        crops = {network: aligned.value.crops[recipe] for network, recipe in recipes.items()}
        return aligned, await self._describer.describe(crops, flow=flow, deadline=deadline)


def _earlier(first: float | None, second: float | None) -> float | None:
    return min((time for time in (first, second) if time is not None), default=None)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
