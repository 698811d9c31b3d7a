"""The newest outcomes of a stream: what primes tracks and smoothing when it is taken up again."""

from collections import deque

from faced_proto import convert
from faced_proto.types import FrameOutcome, StreamConfig

_MOST_ROWS = 512
_SPAN_US = 30_000_000
"""Older rows say nothing of tracks that still live."""


class History:
    """The rows that the caller gave and those that came, as far back as they matter and fit a message.

    Empty where the configuration asks neither for tracks nor brings rows of its own.
    """

    def __init__(self, config: StreamConfig, max_message_bytes: int) -> None:
        self._kept: deque[FrameOutcome] = deque(config.history, _MOST_ROWS)
        self._given = tuple(config.history)
        self._wanted = bool(config.track)
        self._max_bytes = max_message_bytes // 2

    def add(self, outcome: FrameOutcome) -> None:
        """The newest outcome."""
        if not self._wanted:
            return
        self._given = ()
        self._kept.append(outcome)
        newest = outcome.media_time_us
        while newest is not None and _ended_before(self._kept[0], newest - _SPAN_US):
            self._kept.popleft()

    def rows(self) -> tuple[FrameOutcome, ...]:
        """Oldest first; the caller's own untouched as long as nothing came."""
        if self._given or not self._wanted:
            return self._given
        sizes = [
            convert.frame_outcome_to_proto(row, include_labels=True, include_landmarks=True).ByteSize() + 8
            for row in self._kept
        ]
        rows = deque(self._kept)
        total = sum(sizes)
        for size in sizes:
            if total <= self._max_bytes:
                break
            rows.popleft()
            total -= size
        return tuple(rows)


def _ended_before(row: FrameOutcome, time_us: int) -> bool:
    return row.media_time_us is not None and row.media_time_us < time_us
