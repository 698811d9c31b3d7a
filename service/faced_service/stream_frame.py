"""One frame of a stream, and what becomes of it before its analysis begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from faced_proto.types import FrameOutcome
from faced_service.errors import FacedError
from faced_service.images import Picture


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """One frame as it came; `picture` is an error where the message held none that can be read."""

    frame_id: int
    picture: Picture | FacedError
    media_time_us: int | None = None
    arrived: float = field(default_factory=monotonic)


class WaitingFrame:
    """A frame between its arrival and its analysis; `let_go` ends the count of its bytes."""

    def __init__(self, frame: StreamFrame, let_go: Callable[[], None]) -> None:
        self.arrived = frame.arrived
        self.superseded = asyncio.Event()
        self._frame: StreamFrame | None = frame
        self._let_go = let_go

    def supersede(self) -> None:
        """Leave it out for a newer one, unless its analysis has begun."""
        if self._frame is not None:
            self._frame = None
            self._let_go()
            self.superseded.set()

    def take(self) -> StreamFrame:
        """For its analysis, which counts the bytes itself; once, and not where it is superseded."""
        frame, self._frame = self._frame, None
        self._let_go()
        if frame is None:
            raise ValueError("the frame was taken or superseded before")
        return frame

    def ended(self, _answer: asyncio.Task[FrameOutcome]) -> None:
        """Its answer is made, or was cancelled before it began."""
        self._frame = None
        self._let_go()
