"""The synchronous client."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc

from faced_client.connection import connection_to
from faced_client.errors import Cancelled, DeadlineExceeded, FacedError, error_from_rpc
from faced_client.feed import FrameFeed, FrameSource
from faced_client.images import Channels, ImageInput, image_form
from faced_client.progress import LAST_FRAME_S, Draining, StreamFrame, StreamProgress, stream_config
from faced_client.resumption import Resumption
from faced_client.wire import analysis_options, analyze_request, check_timeout, read_analysis, read_server_info
from faced_proto.types import FrameAnalysis, FrameOutcome, Rotation, ServerInfo, StreamConfig, StreamMode, StreamStarted
from faced_proto.v1 import service_pb2, service_pb2_grpc

Reply = TypeVar("Reply")


class Client:
    """A connection to a server. Thread-safe; connects when first used; to be closed, or used in a `with`.

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
            self._channel = grpc.insecure_channel(connection.server, connection.options)
        else:
            self._channel = grpc.secure_channel(connection.server, connection.credentials, connection.options)
        self._stub = service_pb2_grpc.FaceAnalysisServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._known: ServerInfo | None = None
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; calls in flight are cancelled. Closing twice does nothing."""
        self._closed.set()
        self._channel.close()

    def analyze(
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
        timeout: float = 30.0,
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
        limit = self._info(end).limits.max_message_bytes
        request = analyze_request(image, form, options, self._left(end), limit)
        return read_analysis(self._call(self._open_stub().Analyze, request, end, wait=True), self._known)

    def stream(
        self,
        frames: Iterable[ImageInput | StreamFrame],
        config: StreamConfig | None = None,
        *,
        mode: StreamMode | None = None,
        channels: Channels = "rgb",
        encode: str = "raw",
        rotation: Rotation | int = Rotation.NONE,
        ignore_exif: bool = False,
        timeout: float = 30.0,
        reconnect: float = 30.0,
    ) -> Generator[FrameOutcome, None, None]:
        """Analyse the frames of one camera or video: one outcome for each frame, in order.

        `frames` is read in another thread, never further ahead than the server allows. `mode` replaces that of
        `config`. `channels`, `encode`, `rotation` and `ignore_exif` are as for `analyze`; `timeout` is for the
        server's first answer (`config.frame_deadline` bounds the time of a frame). A stream that breaks is taken up
        again, its unanswered frames sent anew, for `reconnect` seconds after the last outcome; 0 = never.
        Closing the generator ends the stream. Where `frames` raises, the frames before it are answered first.

        Raises:
            FacedError: the call failed; a frame that failed alone is a `FrameFailure` among the outcomes.
        """
        end = time.monotonic() + check_timeout(timeout)
        form = image_form(channels, encode, rotation, ignore_exif)
        limit = self._info(end).limits.max_message_bytes
        progress = StreamProgress(stream_config(config, mode), form, limit)
        source = FrameSource(progress, frames)
        resumption = Resumption(reconnect)
        seconds = self._left(end)
        while True:
            try:
                yield from self._outcomes(progress, source, resumption, seconds)
                source.raise_failure()
                return
            except FacedError as error:
                pause = None if self._closed.is_set() else resumption.pause_after(error)
                if pause is None:
                    source.raise_failure()
                    raise
                resumption.log(error, self._server, progress.unanswered)
            self._closed.wait(pause)
            seconds = timeout

    def _outcomes(
        self, progress: StreamProgress, source: FrameSource, resumption: Resumption, seconds: float
    ) -> Generator[FrameOutcome, None, None]:
        """Those of one call, which is to begin within `seconds`."""
        feed = FrameFeed(progress, source)
        call = self._open_stub().AnalyzeStream(feed, metadata=self._metadata)
        alarm = threading.Timer(seconds, feed.expire, [call])
        alarm.daemon = True
        alarm.start()
        try:
            for message in call:
                event = progress.read(message)
                if isinstance(event, StreamStarted):
                    alarm.cancel()
                    resumption.started(progress.unanswered)
                    feed.allow(event.max_in_flight)
                elif isinstance(event, Draining):
                    feed.allow(1)
                else:
                    resumption.progressed()
                    feed.allow(1)
                    yield event
            feed.wait(LAST_FRAME_S)
            progress.check_end(all_frames_drawn=source.ended)
        except grpc.RpcError as error:
            if feed.expired:
                raise DeadlineExceeded(f"no stream from {self._server} within {seconds:.3g} s") from error
            raise error_from_rpc(error, self._server) from error
        finally:
            alarm.cancel()
            progress.end()
            feed.allow(1)
            call.cancel()

    def server_info(self, *, timeout: float = 30.0) -> ServerInfo:
        """Models, limits and device of the server, asked for anew.

        Raises:
            FacedError: see `faced_client.errors`.
        """
        end = time.monotonic() + check_timeout(timeout)
        method = self._open_stub().GetServerInfo
        self._known = read_server_info(self._call(method, service_pb2.GetServerInfoRequest(), end))
        return self._known

    def _info(self, end: float) -> ServerInfo:
        return self._known or self.server_info(timeout=self._left(end))

    def _open_stub(self) -> service_pb2_grpc.FaceAnalysisServiceStub:
        if self._closed.is_set():
            raise Cancelled("the client is closed")
        return self._stub

    def _left(self, end: float) -> float:
        left = end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"no answer from {self._server} in time")
        return left

    def _call(self, method: Callable[..., Reply], request: object, end: float, *, wait: bool = False) -> Reply:
        """With `wait`, a server that was there once is waited for while it is away."""
        try:
            return method(request, timeout=self._left(end), metadata=self._metadata, wait_for_ready=wait)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self._server) from error
