"""The synchronous client."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc
import numpy as np

from faced_client.connection import connection_to
from faced_client.errors import Cancelled, DeadlineExceeded, error_from_rpc
from faced_client.images import Channels, ImageInput, image_form
from faced_client.wire import (
    Draining,
    StreamFrame,
    StreamProgress,
    analysis_options,
    analyze_request,
    check_timeout,
    read_analysis,
    read_server_info,
    stream_config,
)
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
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; calls in flight are cancelled. Closing twice does nothing."""
        self._closed = True
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
        limit = self._info(end).limits.max_message_bytes if isinstance(image, np.ndarray) else 0
        request = analyze_request(image, form, options, self._left(end), limit)
        return read_analysis(self._call(self._open_stub().Analyze, request, end), self._known)

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
    ) -> Generator[FrameOutcome, None, None]:
        """Analyse the frames of one camera or video: one outcome for each frame, in order.

        `frames` is read in another thread, never further ahead than the server allows. `mode` replaces that of
        `config`. `channels`, `encode`, `rotation` and `ignore_exif` are as for `analyze`; `timeout` is for the
        server's first answer (`config.frame_deadline` bounds the time of a frame).
        Closing the generator ends the stream. Where `frames` raises, the frames before it are answered first.

        Raises:
            FacedError: the call failed; a frame that failed alone is a `FrameFailure` among the outcomes.
        """
        end = time.monotonic() + check_timeout(timeout)
        form = image_form(channels, encode, rotation, ignore_exif)
        limit = self._info(end).limits.max_message_bytes
        progress = StreamProgress(stream_config(config, mode), form, limit)
        feed = _FrameFeed(progress, frames)
        left = self._left(end)
        call = self._open_stub().AnalyzeStream(feed, metadata=self._metadata)
        alarm = threading.Timer(left, feed.expire, [call])
        alarm.daemon = True
        alarm.start()
        try:
            for message in call:
                event = progress.read(message)
                if isinstance(event, StreamStarted):
                    alarm.cancel()
                    feed.allow(event.max_in_flight)
                elif isinstance(event, Draining):
                    feed.drain()
                else:
                    feed.allow(1)
                    yield event
            feed.raise_failure()
            progress.check_end(all_frames_sent=feed.is_exhausted())
        except grpc.RpcError as error:
            feed.raise_failure()
            if feed.expired:
                raise DeadlineExceeded(f"no stream from {self._server} within {left:.3g} s") from error
            raise error_from_rpc(error, self._server) from error
        finally:
            alarm.cancel()
            feed.stop()
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
        if self._closed:
            raise Cancelled("the client is closed")
        return self._stub

    def _left(self, end: float) -> float:
        left = end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"no answer from {self._server} in time")
        return left

    def _call(self, method: Callable[..., Reply], request: object, end: float) -> Reply:
        try:
            return method(request, timeout=self._left(end), metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self._server) from error


class _FrameFeed(Iterator[service_pb2.AnalyzeStreamRequest]):
    """The requests of one stream, drawn by gRPC's own thread: the configuration, then a frame for each credit."""

    def __init__(self, progress: StreamProgress, frames: Iterable[ImageInput | StreamFrame]) -> None:
        self._progress = progress
        self._frames = iter(frames)
        self._first: service_pb2.AnalyzeStreamRequest | None = progress.config_request()
        self._credits = threading.Semaphore(0)
        self._ended = threading.Event()
        self._stopped = False
        self._draining = False
        self._exhausted = False
        self._failure: BaseException | None = None
        self.expired = False

    def __next__(self) -> service_pb2.AnalyzeStreamRequest:
        first, self._first = self._first, None
        if first is not None:
            return first
        self._credits.acquire()
        try:
            if not self._stopped:
                frame = next(self._frames)
                if not self._draining:
                    return self._progress.frame_request(frame)
        except StopIteration:
            self._exhausted = True
        except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
            self._failure = error
        self._ended.set()
        raise StopIteration

    def allow(self, frames: int) -> None:
        """Give credits."""
        self._credits.release(frames)

    def drain(self) -> None:
        """Send no more frames; see whether there would have been one."""
        self._draining = True
        self._credits.release()

    def stop(self) -> None:
        """Draw no more frames."""
        self._stopped = True
        self._credits.release()

    def expire(self, call: grpc.Call) -> None:
        """End a call that the server does not begin."""
        self.expired = True
        call.cancel()

    def raise_failure(self) -> None:
        """Raise what the frames raised."""
        if self._failure is not None:
            raise self._failure

    def is_exhausted(self) -> bool:
        """True if all frames were drawn; a frame that is being drawn is given a moment."""
        self._ended.wait(1.0)
        return self._exhausted
