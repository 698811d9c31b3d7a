"""The newest outcomes of a stream: what primes tracks and smoothing when it is taken up again."""

from collections import deque

from faced_proto import convert
from faced_proto.types import FrameAnalysis, FrameOutcome, StreamConfig

_MOST_ROWS = 4096
_SPAN_S = 30.0
"""Until the server says how far back it looks."""


class History:
    """The rows that the caller gave and those that came, as far back as they matter and fit a message.

    The newest that holds the highest track id stays ahead of them, so that no id is given again.

    Empty where the configuration asks neither for tracks nor brings rows of its own.
    """

    def __init__(self, config: StreamConfig, max_message_bytes: int) -> None:
        self._kept: deque[FrameOutcome] = deque(config.history, _MOST_ROWS)
        self._given = tuple(config.history)
        self._wanted = bool(config.track)
        self._max_bytes = max_message_bytes // 2
        self._span_us = 1e6 * _SPAN_S
        self._highest: FrameOutcome | None = None

    def keep(self, span: float | None) -> None:
        """How many seconds back the server looks (`StreamStarted.history_span`); None = it does not say."""
        if span is not None:
            self._span_us = 1e6 * span

    def add(self, outcome: FrameOutcome) -> None:
        """The newest outcome."""
        if not self._wanted:
            return
        self._given = ()
        self._kept.append(outcome)
        if _highest_id(outcome) > 0 and (self._highest is None or _highest_id(outcome) >= _highest_id(self._highest)):
            self._highest = outcome
        newest = outcome.media_time_us
        while newest is not None and _ended_before(self._kept[0], newest - self._span_us):
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
        if self._highest is not None and all(row is not self._highest for row in rows):
            rows.appendleft(self._highest)
        return tuple(rows)


def _highest_id(row: FrameOutcome) -> int:
    faces = row.result.faces if isinstance(row.result, FrameAnalysis) else ()
    return max((face.track_id or 0 for face in faces), default=0)


def _ended_before(row: FrameOutcome, time_us: float) -> bool:
    return row.media_time_us is not None and row.media_time_us < time_us
