"""A stream of frames: one outcome for each, in order, and never more in hand than the stream has credits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from uuid import uuid4

from faced_proto.types import (
    AnalysisOptions,
    DropReason,
    FrameAnalysis,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    StreamConfig,
    StreamMode,
    StreamStarted,
)
from faced_service.analyzer import AnalysisRequest, Analyzer
from faced_service.errors import DeadlineExceeded, FacedError, InternalError, InvalidOption, StreamOrder
from faced_service.live_scan import MAX_SCAN_INTERVAL, LiveScan, ScanTurn
from faced_service.stream_frame import StreamFrame, WaitingFrame
from faced_service.stream_tracks import MAX_HALF_LIFE_S, StreamTracks, history_span

_logger = logging.getLogger(__name__)

_AUTO_UPSAMPLE = 0
"""Streams are about speed: no doubling where the caller chose no scale."""

_MAX_SILENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Draining:
    """The server stops in `grace` seconds."""

    grace: float


def start_stream(config: StreamConfig, analyzer: Analyzer, *, credits: int) -> StreamStarted:
    """Check a configuration and say what is in force.

    Raises:
        FacedError: what is wrong with it.
    """
    analyzer.require_ready()
    for name in ("max_frame_age", "frame_deadline", "smoothing_half_life"):
        seconds: float | None = getattr(config, name)
        if seconds is not None and not seconds > 0:
            raise InvalidOption(f"{name} is {seconds:g} s, must be above 0")
    scan_interval = 1 if config.scan_interval is None else config.scan_interval
    if not 1 <= scan_interval <= MAX_SCAN_INTERVAL:
        raise InvalidOption(f"scan_interval is {scan_interval}, must be 1 to {MAX_SCAN_INTERVAL}")
    half_life = config.smoothing_half_life
    if half_life is not None and not config.track:
        raise InvalidOption("smoothing_half_life needs track")
    if half_life is not None and half_life > MAX_HALF_LIFE_S:
        raise InvalidOption(f"smoothing_half_life is {half_life:g} s, must be at most {MAX_HALF_LIFE_S:g}")
    checked = analyzer.check(config.options)
    neither = checked.upsample_times is None and checked.min_face_px is None
    effective = replace(
        config,
        options=AnalysisOptions(
            upsample_times=_AUTO_UPSAMPLE if neither else checked.upsample_times,
            min_face_px=checked.min_face_px,
            threshold=checked.threshold,
            max_faces=checked.max_faces,
            attributes=checked.attributes,
            include_labels=bool(config.options.include_labels),
            include_landmarks=checked.include_landmarks,
        ),
        scan_interval=scan_interval,
        track=bool(config.track),
        history=(),
    )
    return StreamStarted(
        stream_id=uuid4().hex,
        max_in_flight=credits,
        config=effective,
        models=tuple(info for info in analyzer.info().models if info.attribute in checked.attributes),
        ignored=("history",) if config.history and not config.track else (),
        history_span=history_span(half_life) if config.track else None,
    )


async def _dropped(frame: StreamFrame) -> FrameOutcome:
    return FrameOutcome(frame.frame_id, frame.media_time_us, FrameDropped(DropReason.DRAINING))


async def _at_once() -> None:
    pass


class Stream:
    """Analyses the frames of one stream under the configuration that `start_stream` gave.

    Every-frame streams have as many frames under way as they have credits, so that decoding, detecting and describing
    overlap; live streams have one, and the newest of those that wait is next. With a `scan_interval` above 1, frames
    are searched one after the other. Once `draining` is set, frames that come are dropped, and the stream ends when its
    sender does or falls silent. Tracks are followed in the order of the answers.
    """

    def __init__(
        self,
        started: StreamStarted,
        analyzer: Analyzer,
        *,
        caller: str,
        turn: Callable[[], Awaitable[None]] = _at_once,
        history: Sequence[FrameOutcome] = (),
        draining: asyncio.Event | None = None,
        drain_grace: float = 0.0,
    ) -> None:
        """`turn` is awaited before each frame that is analysed; `history` are the rows that tracks go on from.

        Raises:
            InvalidOption: their times run backwards.
        """
        self._config = started.config
        self._analyzer = analyzer
        self._caller, self._stream_id = caller, started.stream_id
        self._turn = turn
        self._live = started.config.mode is StreamMode.LIVE
        interval = started.config.scan_interval or 1
        # Where every frame is searched in full, none has to wait for the one before.
        self._live_scan = LiveScan(interval) if interval > 1 else None
        half_life = started.config.smoothing_half_life
        self._tracks = StreamTracks(half_life, analyzer.guard, history) if started.config.track else None
        self._arrivals: deque[float] = deque()
        self._credits = asyncio.Semaphore(started.max_in_flight)
        # Semaphores are first come, first served: frames begin in their order.
        self._under_way = asyncio.Semaphore(1 if self._live else started.max_in_flight)
        self._answers: asyncio.Queue[asyncio.Task[FrameOutcome] | Draining | None] = asyncio.Queue()
        self._draining = draining or asyncio.Event()
        self._drain_grace = drain_grace
        self._received = self._answered = 0
        self._newest_id: int | None = None
        self._newest_time: int | None = None

    async def outcomes(self, frames: AsyncIterator[StreamFrame]) -> AsyncGenerator[FrameOutcome | Draining, None]:
        """One outcome for each frame, in order, and at most one Draining.

        Close the iterator (`aclosing`) to end what is under way.

        Raises:
            StreamOrder: a frame's id did not increase; the frames before it were answered.
        """
        reader = asyncio.create_task(self._read(frames))
        reader.add_done_callback(lambda _: self._answers.put_nowait(None))
        drainer = asyncio.create_task(self._drain(reader))
        pending: asyncio.Task[FrameOutcome] | Draining | None = None
        try:
            while (pending := await self._answers.get()) is not None:
                if isinstance(pending, Draining):
                    yield pending
                    continue
                yield self._tracked(await pending)
                self._answered += 1
                self._credits.release()
            if not reader.cancelled():
                await reader
        finally:
            rest: list[asyncio.Future[None] | asyncio.Future[FrameOutcome]] = [reader, drainer]
            while pending is not None or not self._answers.empty():
                if isinstance(pending, asyncio.Task):
                    rest.append(pending)
                pending = None if self._answers.empty() else self._answers.get_nowait()
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

    def _tracked(self, outcome: FrameOutcome) -> FrameOutcome:
        arrived = self._arrivals.popleft()
        if isinstance(outcome.result, FrameDropped):
            self._analyzer.frame_dropped(outcome.result.reason)
        return outcome if self._tracks is None else self._tracks.follow(outcome, arrived)

    async def _drain(self, reader: asyncio.Task[None]) -> None:
        await self._draining.wait()
        self._answers.put_nowait(Draining(self._drain_grace))
        # A sender that heard of it ends its side; one that does not is given up once it is silent.
        silence = min(_MAX_SILENCE_S, self._drain_grace / 4)
        while not reader.done():
            before = self._received
            await asyncio.wait([reader], timeout=silence)
            if self._received == before == self._answered:
                reader.cancel()

    async def _read(self, frames: AsyncIterator[StreamFrame]) -> None:
        newest: WaitingFrame | None = None
        while True:
            # Not reading is what holds the sender back.
            await self._credits.acquire()
            await self._analyzer.admission.room()
            frame = await anext(frames, None)
            if frame is None:
                return
            self._received += 1
            self._check_order(frame)
            self._arrivals.append(frame.arrived)
            if self._draining.is_set():
                self._answers.put_nowait(asyncio.create_task(_dropped(frame)))
                continue
            if self._live and newest is not None:
                newest.supersede()
            size = 0 if isinstance(frame.picture, FacedError) else frame.picture.size
            newest = WaitingFrame(frame, self._analyzer.admission.hold(size))
            turn = None if self._live_scan is None else self._live_scan.turn()
            answer = asyncio.create_task(self._answer(newest, frame.frame_id, frame.media_time_us, turn))
            # Also where it is cancelled before it began.
            answer.add_done_callback(newest.ended)
            self._answers.put_nowait(answer)
            # Else its pixels stay until the next one comes.
            del frame

    def _check_order(self, frame: StreamFrame) -> None:
        if self._newest_id is not None and frame.frame_id <= self._newest_id:
            raise StreamOrder(f"frame_id is {frame.frame_id} after {self._newest_id}, must increase")
        self._newest_id = frame.frame_id

    async def _answer(
        self, waiting: WaitingFrame, frame_id: int, media_time_us: int | None, turn: ScanTurn | None
    ) -> FrameOutcome:
        async with self._under_way:
            try:
                if waiting.frame is not None:
                    await self._turn()
                return FrameOutcome(frame_id, media_time_us, await self._result(waiting.take(), turn))
            finally:
                if turn is not None:
                    turn.end()

    async def _result(
        self, frame: StreamFrame | None, turn: ScanTurn | None
    ) -> FrameAnalysis | FrameFailure | FrameDropped:
        if frame is None:
            return FrameDropped(DropReason.SUPERSEDED)
        try:
            return await self._analyze(frame, turn)
        except DeadlineExceeded:
            return FrameDropped(DropReason.TOO_OLD)
        except FacedError as error:
            return FrameFailure(error.reason, str(error))
        except Exception:
            _logger.exception("frame %d failed in an unforeseen way", frame.frame_id)
            return FrameFailure(InternalError.reason, str(InternalError()))

    async def _analyze(self, frame: StreamFrame, turn: ScanTurn | None) -> FrameAnalysis:
        if isinstance(frame.picture, FacedError):
            raise frame.picture
        self._check_time(frame)
        age, limit = self._config.max_frame_age, self._config.frame_deadline
        begin_by = None if age is None else frame.arrived + age
        if begin_by is not None and begin_by <= monotonic():
            raise DeadlineExceeded("the frame waited longer than max_frame_age")
        request = AnalysisRequest(
            picture=frame.picture,
            options=self._config.options,
            caller=self._caller,
            part=self._stream_id,
            auto_upsample=_AUTO_UPSAMPLE,
            patient=True,
            begin_by=begin_by,
            turn=turn,
            with_thumbnail=self._tracks is not None,
            arrived=frame.arrived,
        )
        return await self._analyzer.analyze(request, None if limit is None else frame.arrived + limit)

    def _check_time(self, frame: StreamFrame) -> None:
        time, newest = frame.media_time_us, self._newest_time
        if time is not None:
            if newest is not None and time < newest:
                raise InvalidOption(f"media_time_us is {time} after {newest}, must not decrease")
            self._newest_time = time
