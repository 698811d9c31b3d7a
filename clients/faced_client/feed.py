"""Frames of the synchronous client on their way into calls."""

import threading
from collections.abc import Iterable, Iterator

import grpc

from faced_client.images import ImageInput
from faced_client.progress import StreamFrame, StreamProgress
from faced_proto.v1 import service_pb2


class FrameSource:
    """Draws a stream's frames, for one call after the other, and never two at a time."""

    def __init__(self, progress: StreamProgress, frames: Iterable[ImageInput | StreamFrame]) -> None:
        self._progress = progress
        self._frames = iter(frames)
        self._drawing = threading.Lock()
        self._failure: BaseException | None = None
        self.ended = False

    def next_request(self, call: object) -> service_pb2.AnalyzeStreamRequest | None:
        """What `call` is to send next, an unanswered frame or a new one; None: nothing more.

        When a call breaks while a frame is drawn for it, the next call gets the frame.
        """
        request = self._progress.next_request(call)
        if request is not None:
            return request
        with self._drawing:
            request = self._progress.next_request(call)
            if request is not None or self.ended or not self._progress.is_newest(call):
                return request
            try:
                self._progress.add(next(self._frames))
            except StopIteration:
                self.ended = True
            except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
                self._failure = error
                self.ended = True
            return self._progress.next_request(call)

    def raise_failure(self) -> None:
        """Raise what the frames raised."""
        if self._failure is not None:
            raise self._failure


class FrameFeed(Iterator[service_pb2.AnalyzeStreamRequest]):
    """The requests of one call, drawn by gRPC's own thread: the configuration, then a frame for each credit."""

    def __init__(self, progress: StreamProgress, source: FrameSource) -> None:
        self._first: service_pb2.AnalyzeStreamRequest | None = progress.begin(self)
        self._source = source
        self._credits = threading.Semaphore(0)
        self._done = threading.Event()
        self.expired = False

    def __next__(self) -> service_pb2.AnalyzeStreamRequest:
        first, self._first = self._first, None
        if first is not None:
            return first
        self._credits.acquire()
        request = self._source.next_request(self)
        if request is None:
            self._done.set()
            raise StopIteration
        return request

    def allow(self, frames: int) -> None:
        """Give credits; one also makes a feed that is to send no more look around and end."""
        self._credits.release(frames)

    def expire(self, call: grpc.Call) -> None:
        """End a call that the server does not begin."""
        self.expired = True
        call.cancel()

    def wait(self, seconds: float) -> None:
        """Until no more is sent; a frame that is being drawn is given so long."""
        self._done.wait(seconds)
