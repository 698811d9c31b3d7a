"""The newest frame of a live source through the server and back, over and over, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import faced_client
from faced_cli.live_source import LiveFrame, LiveSource
from faced_cli.newest import Newest
from faced_proto.types import FrameOutcome, StreamConfig


@dataclass(frozen=True, slots=True)
class Analysed:
    """A frame and what was found on that very frame."""

    frame: LiveFrame
    outcome: FrameOutcome


class LiveAnalysis:
    """A context manager that analyses from entering to leaving; `source` is to be left before it.

    One frame is on its way at a time, the newest when `proceed` is called: a second one would only grow old while it
    waits for the first.
    """

    def __init__(self, client: faced_client.Client, source: LiveSource, config: StreamConfig, encode: str) -> None:
        self._client = client
        self._source = source
        self._config = config
        self._encode = encode
        self._results: Newest[Analysed] = Newest()
        self._turn = threading.Semaphore(1)
        self._paused = False
        self._idle = False
        self._sent: LiveFrame | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="faced-live", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        self._source.newest.end()
        self._turn.release()
        self._thread.join()

    @property
    def ended(self) -> bool:
        """The source has ended, and its last result was fetched."""
        return self._results.ended

    @property
    def paused(self) -> bool:
        """Whether no more frames are taken just now."""
        return self._paused

    def pause(self) -> None:
        """Take no more frames, or go on; the one on its way still comes."""
        self._paused = not self._paused
        self.proceed()

    def proceed(self) -> None:
        """The result that was taken is dealt with: the next frame may go."""
        if self._idle and not self._paused:
            self._idle = False
            self._turn.release()

    def take(self, timeout: float) -> Analysed | None:
        """The next result; None = none within `timeout` seconds, or ever.

        Raises:
            FacedError: the server failed.
            InputError: the source did.
        """
        result = self._results.take(timeout)
        self._idle = self._idle or result is not None
        return result

    def _run(self) -> None:
        try:
            outcomes = self._client.stream(self._frames(), self._config, encode=self._encode)
            with closing(outcomes):
                for outcome in outcomes:
                    frame = self._sent
                    if self._stopped or frame is None:
                        break
                    self._results.put(Analysed(frame, outcome))
        except BaseException as error:  # noqa: BLE001  (raised again in the receiver's thread)
            self._results.end(error)
        else:
            self._results.end()

    def _frames(self) -> Iterator[faced_client.StreamFrame]:
        """Drawn by the SDK in a thread of its own; its credits are more than are used here."""
        while True:
            self._turn.acquire()
            frame = None if self._stopped else self._source.newest.take()
            if frame is None:
                return
            self._sent = frame
            yield faced_client.StreamFrame(frame.image, media_time_us=round(frame.time_s * 1e6), frame_id=frame.index)
