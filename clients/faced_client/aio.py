"""The asynchronous client: the same names as the synchronous one."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Self, TypeVar

import grpc
import grpc.aio

from faced_client.aio_feed import AsyncFrameFeed, AsyncFrameSource
from faced_client.connection import connection_to
from faced_client.errors import Cancelled, DeadlineExceeded, FacedError, error_from_rpc
from faced_client.images import Channels, ImageInput, image_form
from faced_client.progress import LAST_FRAME_S, Draining, StreamFrame, StreamProgress, stream_config
from faced_client.resumption import Resumption
from faced_client.wire import analysis_options, analyze_request, check_timeout, read_analysis, read_server_info
from faced_proto.types import FrameAnalysis, FrameOutcome, Rotation, ServerInfo, StreamConfig, StreamMode, StreamStarted
from faced_proto.v1 import service_pb2, service_pb2_grpc

Reply = TypeVar("Reply")


class AsyncClient:
    """A connection to a server, for use within one event loop; to be closed, or used in an `async with`.

    `server` is "host:port" or "unix:path"; None = FACED_SERVER, else localhost:50051. TLS is used where a `tls_`
    file (PEM) is given; `token` is sent over TLS, or to this host.

    Raises:
        ConfigurationError: a file is unreadable, or the token would travel in clear text.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        tls_ca: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
    ) -> None:
        connection = connection_to(server, token, tls_ca, tls_cert, tls_key)
        self._server = connection.server
        self._metadata = connection.metadata
        if connection.credentials is None:
            self._channel = grpc.aio.insecure_channel(connection.server, connection.options)
        else:
            self._channel = grpc.aio.secure_channel(connection.server, connection.credentials, connection.options)
        self._stub = service_pb2_grpc.FaceAnalysisServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._known: ServerInfo | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection; calls in flight are cancelled. Closing twice does nothing."""
        self._closed = True
        await self._channel.close()

    async def analyze(
        self,
        image: ImageInput,
        *,
        channels: Channels = "rgb",
        encode: str = "raw",
        rotation: Rotation | int = Rotation.NONE,
        ignore_exif: bool = False,
        upsample_times: int | None = None,
        min_face_px: int | None = None,
        threshold: float | None = None,
        max_faces: int | None = None,
        attributes: Sequence[str] | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109  (it is the call's own deadline, sent to the server)
    ) -> FrameAnalysis:
        """Find and describe the faces of one picture.

        `image` is a path, the bytes of an encoded file, or a uint8 array [h, w], [h, w, 3] or [h, w, 4] whose
        `channels` are RED FIRST unless "bgr" is said: arrays from OpenCV need `channels="bgr"`.
        `encode` is for arrays: "raw" (as PNG where the server takes no message of that size), "png" or "jpeg:Q".
        `rotation` is clockwise, in degrees. `attributes`: None = all that the server allows, [] = boxes only.
        `timeout` in seconds, for everything.

        Raises:
            FacedError: see `faced_client.errors`.
        """
        end = time.monotonic() + check_timeout(timeout)
        form = image_form(channels, encode, rotation, ignore_exif)
        options = analysis_options(upsample_times, min_face_px, threshold, max_faces, attributes)
        limit = (await self._info(end)).limits.max_message_bytes
        # Reading and encoding take milliseconds that the event loop has better use for.
        request = await asyncio.to_thread(analyze_request, image, form, options, self._left(end), limit)
        return read_analysis(await self._call(self._open_stub().Analyze, request, end, wait=True), self._known)

    async def stream(
        self,
        frames: AsyncIterable[ImageInput | StreamFrame] | Iterable[ImageInput | StreamFrame],
        config: StreamConfig | None = None,
        *,
        mode: StreamMode | None = None,
        channels: Channels = "rgb",
        encode: str = "raw",
        rotation: Rotation | int = Rotation.NONE,
        ignore_exif: bool = False,
        timeout: float = 30.0,  # noqa: ASYNC109  (as above)
        reconnect: float = 30.0,
    ) -> AsyncGenerator[FrameOutcome, None]:
        """Analyse the frames of one camera or video: one outcome for each frame, in order.

        `frames` is read in another task (a plain iterable in a thread), never further ahead than the server allows.
        `mode` replaces that of `config`. `channels`, `encode`, `rotation` and `ignore_exif` are as for `analyze`;
        `timeout` is for the server's first answer (`config.frame_deadline` bounds the time of a frame). A stream that
        breaks is taken up again, its unanswered frames sent anew, for `reconnect` seconds after the last outcome;
        0 = never.
        Closing the generator ends the stream. Where `frames` raises, the frames before it are answered first.

        Raises:
            FacedError: the call failed; a frame that failed alone is a `FrameFailure` among the outcomes.
        """
        end = time.monotonic() + check_timeout(timeout)
        form = image_form(channels, encode, rotation, ignore_exif)
        limit = (await self._info(end)).limits.max_message_bytes
        progress = StreamProgress(stream_config(config, mode), form, limit)
        source = AsyncFrameSource(progress, frames)
        resumption = Resumption(reconnect)
        seconds = self._left(end)
        try:
            while True:
                try:
                    async with aclosing(self._outcomes(progress, source, resumption, seconds)) as outcomes:
                        async for outcome in outcomes:
                            yield outcome
                    source.raise_failure()
                    return
                except FacedError as error:
                    pause = None if self._closed else resumption.pause_after(error)
                    if pause is None:
                        source.raise_failure()
                        raise
                    resumption.log(error, self._server, progress.unanswered)
                await asyncio.sleep(pause)
                seconds = timeout
        finally:
            await source.close()

    async def _outcomes(
        self, progress: StreamProgress, source: AsyncFrameSource, resumption: Resumption, seconds: float
    ) -> AsyncGenerator[FrameOutcome, None]:
        """Those of one call, which is to begin within `seconds`."""
        feed = AsyncFrameFeed(progress, source)
        call = self._open_stub().AnalyzeStream(metadata=self._metadata)
        task = asyncio.create_task(feed.send_to(call))
        try:
            message = await self._first_reply(call, seconds)
            while message is not grpc.aio.EOF:
                event = progress.read(message)
                if isinstance(event, StreamStarted):
                    resumption.started(progress.unanswered)
                    feed.allow(event.max_in_flight)
                elif isinstance(event, Draining):
                    feed.allow(1)
                else:
                    resumption.progressed()
                    feed.allow(1)
                    yield event
                message = await call.read()
            await feed.wait(LAST_FRAME_S)
            progress.check_end(all_frames_drawn=source.ended)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self._server) from error
        except asyncio.CancelledError:
            self._raise_if_closed()
            raise
        finally:
            progress.end()
            call.cancel()
            task.cancel()
            await asyncio.wait([task])

    async def server_info(self, *, timeout: float = 30.0) -> ServerInfo:  # noqa: ASYNC109  (as above)
        """Models, limits and device of the server, asked for anew.

        Raises:
            FacedError: see `faced_client.errors`.
        """
        end = time.monotonic() + check_timeout(timeout)
        method = self._open_stub().GetServerInfo
        self._known = read_server_info(await self._call(method, service_pb2.GetServerInfoRequest(), end))
        return self._known

    async def _info(self, end: float) -> ServerInfo:
        return self._known or await self.server_info(timeout=self._left(end))

    def _open_stub(self) -> service_pb2_grpc.FaceAnalysisServiceStub:
        if self._closed:
            raise Cancelled("the client is closed")
        return self._stub

    def _left(self, end: float) -> float:
        left = end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"no answer from {self._server} in time")
        return left

    async def _first_reply(self, call: grpc.aio.StreamStreamCall, seconds: float) -> service_pb2.AnalyzeStreamResponse:
        try:
            return await asyncio.wait_for(call.read(), seconds)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no stream from {self._server} within {seconds:.3g} s") from error

    def _raise_if_closed(self) -> None:
        """GRPC reports a call that `close` ended as if the caller's own task were cancelled; tell the two apart."""
        task = asyncio.current_task()
        if self._closed and task is not None and not task.cancelling():
            raise Cancelled("the client is closed")

    async def _call(
        self, method: Callable[..., Awaitable[Reply]], request: object, end: float, *, wait: bool = False
    ) -> Reply:
        """With `wait`, a server that was there once is waited for while it is away."""
        try:
            return await method(request, timeout=self._left(end), metadata=self._metadata, wait_for_ready=wait)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self._server) from error
        except asyncio.CancelledError:
            self._raise_if_closed()
            raise
