"""Frames of the asynchronous client on their way into calls."""

import asyncio
import itertools
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress

import grpc
import grpc.aio

from faced_client.images import ImageInput
from faced_client.progress import StreamFrame, StreamProgress
from faced_proto.v1 import service_pb2


class AsyncFrameSource:
    """Draws a stream's frames, for one call after the other, and never two at a time."""

    def __init__(
        self,
        progress: StreamProgress,
        frames: AsyncIterable[ImageInput | StreamFrame] | Iterable[ImageInput | StreamFrame],
    ) -> None:
        self._progress = progress
        self._frames = aiter(frames) if isinstance(frames, AsyncIterable) else _InThreads(frames)
        self._drawing: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self.ended = False

    async def next_request(self, call: object) -> service_pb2.AnalyzeStreamRequest | None:
        """What `call` is to send next, an unanswered frame or a new one; None: nothing more.

        Being cancelled does not end the drawing of a frame: the next call gets it.
        """
        request = self._progress.next_request(call)
        if request is not None or self.ended or not self._progress.is_newest(call):
            return request
        if self._drawing is None:
            self._drawing = asyncio.create_task(self._draw())
        await asyncio.wait([self._drawing])
        return self._progress.next_request(call)

    async def _draw(self) -> None:
        try:
            frame = await anext(self._frames)
            await asyncio.to_thread(self._progress.add, frame)
        except StopAsyncIteration:
            self.ended = True
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  (raised again where the outcomes are read)
            self._failure = error
            self.ended = True
        finally:
            self._drawing = None

    def raise_failure(self) -> None:
        """Raise what the frames raised."""
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Draw no more."""
        if self._drawing is not None:
            self._drawing.cancel()
            await asyncio.wait([self._drawing])


class AsyncFrameFeed:
    """Sends the requests of one call: the configuration, then a frame for each credit."""

    def __init__(self, progress: StreamProgress, source: AsyncFrameSource) -> None:
        self._first = progress.begin(self)
        self._source = source
        self._credits = asyncio.Semaphore(0)
        self._done = asyncio.Event()

    async def send_to(self, call: grpc.aio.StreamStreamCall) -> None:
        """Send until the frames end, raise or are no longer wanted."""
        try:
            await call.write(self._first)
            await self._credits.acquire()
            while (request := await self._source.next_request(self)) is not None:
                await call.write(request)
                await self._credits.acquire()
            self._done.set()
            await call.done_writing()
        except (grpc.RpcError, asyncio.InvalidStateError):
            return  # the call has ended, and whoever reads its replies learns why

    def allow(self, frames: int) -> None:
        """Give credits; one also makes a feed that is to send no more look around and end."""
        for _ in range(frames):
            self._credits.release()

    async def wait(self, seconds: float) -> None:
        """Until no more is sent; a frame that is being drawn is given so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), seconds)


class _InThreads(AsyncIterator[ImageInput | StreamFrame]):
    """A plain iterable's frames, each drawn in a thread: a camera may block, the event loop may not."""

    def __init__(self, frames: Iterable[ImageInput | StreamFrame]) -> None:
        self._frames = iter(frames)

    async def __anext__(self) -> ImageInput | StreamFrame:
        # A list, since StopIteration cannot leave a thread.
        drawn = await asyncio.to_thread(list, itertools.islice(self._frames, 1))
        if not drawn:
            raise StopAsyncIteration
        return drawn[0]
