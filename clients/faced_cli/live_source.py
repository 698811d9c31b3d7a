"""Live frames: of a camera, or of what plays like one. Only the newest is kept; nobody has to keep up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from faced_cli.newest import Newest
from faced_proto.types import RgbImage

_LEAVE_S = 1.0
"""How long a thread that waits for its camera is waited for."""


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """A frame as it came: `index` counts every frame of the source from 0, also those that nobody fetches.

    `time_s` is seconds from its first frame, `captured` when the frame was there, in monotonic seconds.
    """

    index: int
    time_s: float
    captured: float
    image: RgbImage


class LiveSource(Protocol):
    """Open from the beginning, captures from `start` to `close`.

    `name` may be shown to anybody, `rate` is in frames a second (None = not known).
    """

    name: str
    rate: float | None
    newest: Newest[LiveFrame]

    @property
    def notice(self) -> str:
        """What holds the source up just now, in a few words; "" = nothing."""

    def start(self) -> None:
        """Begins to capture."""

    def close(self) -> None:
        """Ends and frees the camera; once is enough."""


class Stamper:
    """Makes live frames of pictures, one call for each picture that comes."""

    def __init__(self) -> None:
        self._count = 0
        self._first = 0.0

    def frame(self, image: RgbImage, time_s: float | None = None) -> LiveFrame:
        """A frame captured now; `time_s` None = its time is that of its capture."""
        now = time.monotonic()
        if self._count == 0:
            self._first = now
        frame = LiveFrame(self._count, now - self._first if time_s is None else time_s, now, image)
        self._count += 1
        return frame


class Feed(Protocol):
    """Pictures one after the other, each when its time has come; see `LiveSource` for the rest."""

    name: str
    rate: float | None
    notice: str

    def pictures(self, stop: threading.Event) -> Iterator[tuple[RgbImage, float | None]]:
        """Each picture with its time in seconds, where it has one; waits end with `stop`.

        Raises:
            InputError: the source is gone.
        """

    def close(self) -> None:
        """Frees the source."""


class ThreadedSource:
    """A live source that reads a feed in a thread of its own."""

    def __init__(self, feed: Feed) -> None:
        self.name = feed.name
        self.rate = feed.rate
        self.newest: Newest[LiveFrame] = Newest()
        self._feed = feed
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def notice(self) -> str:
        """What holds the source up."""
        return self._feed.notice

    def start(self) -> None:
        """Begins to capture."""
        self._thread = threading.Thread(target=self._run, name="faced-capture", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread and frees the feed."""
        self.newest.end()
        self._stop.set()
        if self._thread is None:
            self._feed.close()
        else:
            self._thread.join(_LEAVE_S)  # a read that hangs ends with its own time limit, or with the process

    def _run(self) -> None:
        stamper = Stamper()
        try:
            for image, time_s in self._feed.pictures(self._stop):
                self.newest.put(stamper.frame(image, time_s))
        except BaseException as error:  # noqa: BLE001  (raised again in the receiver's thread)
            self.newest.end(error)
        else:
            self.newest.end()
        finally:
            self._feed.close()
