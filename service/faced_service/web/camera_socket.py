"""The socket of a camera: a start and pictures in, one line of JSON for each picture out."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from faced_proto.json_values import JsonObject, analysis_fields
from faced_proto.types import FrameAnalysis, FrameFailure, FrameOutcome, StreamStarted
from faced_service.access import Access, Caller
from faced_service.analyzer import Analyzer
from faced_service.endings import Endings
from faced_service.errors import FacedError, Overloaded, StreamOrder
from faced_service.images import EncodedImage, Picture
from faced_service.metrics import Metrics
from faced_service.settings import Settings
from faced_service.stream import Draining, Stream
from faced_service.stream_frame import StreamFrame
from faced_service.stream_start import first_message, start_stream
from faced_service.web.http_status import close_code
from faced_service.web.peer import host_of, peer_of
from faced_service.web.web_calls import WebCall, WebCalls, error_object
from faced_service.web.wishes import start_from

_METHOD = "GET /v1/stream"
_GOODBYE_S = 10.0
"""Time for the caller to hear why its socket ends; without it the system may throw away what was not read."""


class CameraSockets:
    """A thin adapter around streams."""

    def __init__(
        self,
        analyzer: Analyzer,
        access: Access,
        calls: WebCalls,
        metrics: Metrics,
        settings: Settings,
        endings: Endings,
    ) -> None:
        self._analyzer, self._access, self._calls = analyzer, access, calls
        self._metrics, self._settings, self._endings = metrics, settings, endings
        self._strangers: Counter[str] = Counter()

    async def answer(self, socket: WebSocket) -> None:
        """One socket from its first message to its end."""
        try:
            with self._calls.begin(_METHOD, socket) as call:
                await socket.accept()
                with suppress(WebSocketDisconnect):
                    await self._converse(socket, call)
                call.succeed()
        except FacedError as error:
            with suppress(WebSocketDisconnect, RuntimeError):
                await _send(socket, {"type": "error", **error_object(error)})
                await socket.close(close_code(error.reason), error.reason.value)
        finally:
            asyncio.get_running_loop().call_later(_GOODBYE_S, peer_of(socket).abort)

    async def _converse(self, socket: WebSocket, call: WebCall) -> None:
        with self._stranger(host_of(socket)), self._endings.stream() as ending:
            start = start_from(await _first_text(socket, self._settings.upload_timeout_s, ending))
        header = socket.headers.get("authorization")
        caller = call.authenticate(header if start.token is None else f"Bearer {start.token}")
        peer_of(socket).expect(self._settings.max_message_bytes)
        started = start_stream(start.config, self._analyzer, credits=self._settings.stream_credits)
        with self._access.stream(caller), self._metrics.stream_open(), self._endings.stream() as ending:
            stream = Stream(
                started,
                self._analyzer,
                caller=caller.name,
                allowance=partial(self._access.wait_for_turn, caller),
                draining=ending,
                drain_grace=self._settings.drain_grace_s,
            )
            await _send(socket, _started(started))
            landmarks = bool(started.config.options.include_landmarks)
            async with aclosing(stream.outcomes(self._frames(socket, caller))) as outcomes:
                async for outcome in outcomes:
                    await _send(socket, _message(outcome, landmarks))
        # The server ends it: its page comes again, here or elsewhere.
        await socket.close(1012, "draining")

    @contextmanager
    def _stranger(self, host: str) -> Iterator[None]:
        """A socket that has not said yet who it is; those of one host leave places for others.

        Raises:
            Overloaded: there are enough of them.
        """
        of_all, of_host = self._settings.max_streams, self._settings.streams_per_caller
        for there, most, name in (
            (self._strangers[host], of_host, f"sockets of this host without a start, streams_per_caller is {of_host}"),
            (self._strangers.total(), of_all, f"sockets without a start, max_streams is {of_all}"),
        ):
            if there >= most:
                raise Overloaded(f"there are {there} {name}", retry_after=1.0)
        self._strangers[host] += 1
        try:
            yield
        finally:
            self._strangers[host] -= 1
            if not self._strangers[host]:
                del self._strangers[host]

    async def _frames(self, socket: WebSocket, caller: Caller) -> AsyncIterator[StreamFrame]:
        number = 0
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            data = message.get("bytes")
            if data is None:
                raise StreamOrder("after the start, messages are pictures, in binary")
            self._access.recheck(caller)
            self._metrics.picture_came(caller.label)
            frame = StreamFrame(number, Picture(EncodedImage(data)))
            number += 1
            # What is suspended here would keep the picture until the next one comes.
            del message, data
            yield frame
            del frame


async def _first_text(socket: WebSocket, limit_s: float, ending: asyncio.Event) -> str:
    message = await first_message(socket.receive(), "start", limit_s=limit_s, ending=ending)
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if text is None:
        raise StreamOrder("the first message must be the start, in text")
    return str(text)


async def _send(socket: WebSocket, message: JsonObject) -> None:
    await socket.send_text(json.dumps(message, allow_nan=False, separators=(",", ":")))


def _started(started: StreamStarted) -> JsonObject:
    options = started.config.options
    return {
        "type": "started",
        "stream_id": started.stream_id,
        "credits": started.max_in_flight,
        "attributes": list(options.attributes or ()),
        "upsample": options.upsample_times,
        "min_face": options.min_face_px,
        "scan_interval": started.config.scan_interval,
        "smoothing_half_life": started.config.smoothing_half_life,
    }


def _message(outcome: FrameOutcome | Draining, landmarks: bool) -> JsonObject:
    if isinstance(outcome, Draining):
        return {"type": "draining", "grace_s": outcome.grace}
    head: JsonObject = {"type": "frame", "frame": outcome.frame_id}
    match outcome.result:
        case FrameAnalysis():
            return head | analysis_fields(outcome.result, landmarks=landmarks)
        case FrameFailure(reason, message):
            return head | {"error": reason.value, "message": message}
        case dropped:
            return head | {"dropped": dropped.reason.value}
