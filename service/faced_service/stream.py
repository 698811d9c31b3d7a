"""A stream of frames: one outcome for each, in order, and never more in hand than the stream has credits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

from faced_proto.types import (
    DropReason,
    FrameAnalysis,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    StreamMode,
    StreamStarted,
)
from faced_service.analysis_request import STREAM_AUTO_UPSAMPLE, AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.errors import DeadlineExceeded, FacedError, InternalError, InvalidOption, StreamOrder
from faced_service.fair_queue import Flow
from faced_service.frame_order import FrameOrder, Place
from faced_service.live_scan import LiveScan
from faced_service.live_turn import LiveTurn
from faced_service.stream_frame import StreamFrame, WaitingFrame
from faced_service.stream_tracks import StreamTracks
from faced_service.turns import Turn

_logger = logging.getLogger(__name__)

_MAX_SILENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Draining:
    """The server stops in `grace` seconds."""

    grace: float


async def _dropped(frame: StreamFrame) -> FrameOutcome:
    return FrameOutcome(frame.frame_id, frame.media_time_us, FrameDropped(DropReason.DRAINING))


async def _at_once() -> None:
    pass


class Stream:
    """Analyses the frames of one stream under the configuration that `start_stream` gave.

    Every-frame streams have as many frames under way as they have credits, so that decoding, detecting and describing
    overlap. Live streams have one, chosen when the detector is about to be free for it: the newest that has come by
    then; the others are left out. With a `scan_interval` above 1, frames are searched one after the other. Once
    `draining` is set, frames that come are dropped, and the stream ends when its sender does or falls silent. Tracks
    are followed in the order of the answers.
    """

    def __init__(
        self,
        started: StreamStarted,
        analyzer: Analyzer,
        *,
        caller: str,
        allowance: Callable[[], Awaitable[None]] = _at_once,
        history: Sequence[FrameOutcome] = (),
        draining: asyncio.Event | None = None,
        drain_grace: float = 0.0,
    ) -> None:
        """`allowance` is awaited before each frame that is analysed; `history` are the rows that tracks go on from.

        Learning many rows takes a while: this may run in a thread.

        Raises:
            InvalidOption: their times run backwards.
        """
        self._config = started.config
        self._analyzer = analyzer
        self._allowance = allowance
        self._flow = Flow(caller, started.stream_id)
        self._live = started.config.mode is StreamMode.LIVE
        self._live_turn = LiveTurn(allowance, partial(analyzer.turn, self._flow)) if self._live else None
        interval = started.config.scan_interval or 1
        # Where every frame is searched in full, none has to wait for the one before.
        self._live_scan = LiveScan(interval) if interval > 1 else None
        # Frames that are decoded side by side are searched in their order: if one is never done, those that were not
        # looked at are behind it, and its sender is told of it before it is told to send them again.
        self._order = FrameOrder()
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
            if self._live_turn is not None:
                await self._live_turn.close()

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
            place = self._order.place()
            answer = asyncio.create_task(self._answer(newest, frame.frame_id, frame.media_time_us, place))
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
        self, waiting: WaitingFrame, frame_id: int, media_time_us: int | None, place: Place
    ) -> FrameOutcome:
        async with self._under_way:
            try:
                return FrameOutcome(frame_id, media_time_us, await self._result(waiting, frame_id, place))
            finally:
                place.passed()

    async def _result(
        self, waiting: WaitingFrame, frame_id: int, place: Place
    ) -> FrameAnalysis | FrameFailure | FrameDropped:
        turn: Turn | None = None
        try:
            if self._live_turn is None:
                await self._allowance()
            elif (turn := await self._live_turn.come(waiting, self._begin_by(waiting.arrived))) is None:
                return FrameDropped(DropReason.SUPERSEDED)
            return await self._analyze(waiting.take(), place, turn)
        except DeadlineExceeded:
            return FrameDropped(DropReason.TOO_OLD)
        except FacedError as error:
            return FrameFailure(error.reason, str(error))
        except Exception:
            _logger.exception("frame %d failed in an unforeseen way", frame_id)
            return FrameFailure(InternalError.reason, str(InternalError()))
        finally:
            if turn is not None:
                turn.end()

    def _begin_by(self, arrived: float) -> float | None:
        """Until when a live frame may wait: no longer than its answer may take."""
        limits = (self._config.max_frame_age, self._config.frame_deadline)
        return min((arrived + limit for limit in limits if limit is not None), default=None)

    def _analyze(self, frame: StreamFrame, place: Place, turn: Turn | None) -> Awaitable[FrameAnalysis]:
        """No coroutine: its frame, and with it the pixels, would stay as long as the answer."""
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
            caller=self._flow.caller,
            part=self._flow.part,
            auto_upsample=STREAM_AUTO_UPSAMPLE,
            patient=True,
            begin_by=begin_by,
            # One after the other is in their order, too.
            place=place if self._live_scan is None else None,
            scan_turn=None if self._live_scan is None else self._live_scan.turn(place),
            with_thumbnail=self._tracks is not None,
            turn=turn,
            arrived=frame.arrived,
        )
        return self._analyzer.analyze(request, None if limit is None else frame.arrived + limit)

    def _check_time(self, frame: StreamFrame) -> None:
        time, newest = frame.media_time_us, self._newest_time
        if time is not None:
            if newest is not None and time < newest:
                raise InvalidOption(f"media_time_us is {time} after {newest}, must not decrease")
            self._newest_time = time
