"""The newest outcomes of a stream: what primes tracks and smoothing when it is taken up again."""

from collections import deque
from dataclasses import dataclass

from faced_proto import convert
from faced_proto.types import FrameAnalysis, FrameOutcome, StreamConfig
from faced_proto.v1 import service_pb2

_MOST_ROWS = 4096
_SPAN_S = 30.0
"""Until the server says how far back it looks."""

_BYTES_AROUND = 8
"""At most, of a row in a message."""


@dataclass(frozen=True, slots=True)
class _Row:
    """An outcome as the API's message: as values, a minute of two faces would take 50 MB."""

    message: bytes
    media_time_us: int | None
    highest_id: int

    @classmethod
    def of(cls, outcome: FrameOutcome) -> "_Row":
        message = convert.frame_outcome_to_proto(outcome, include_labels=True, include_landmarks=True)
        return cls(message.SerializeToString(), outcome.media_time_us, _highest_id(outcome))

    @property
    def size(self) -> int:
        return len(self.message) + _BYTES_AROUND

    def outcome(self) -> FrameOutcome:
        return convert.frame_outcome_from_proto(service_pb2.FrameOutcome.FromString(self.message), {})

    def ended_before(self, time_us: float) -> bool:
        return self.media_time_us is not None and self.media_time_us < time_us


class History:
    """The rows that the caller gave and those that came, as far back as they matter and fit a message.

    The newest that holds the highest track id stays ahead of them, so that no id is given again.

    Empty where the configuration asks neither for tracks nor brings rows of its own.
    """

    def __init__(self, config: StreamConfig, max_message_bytes: int) -> None:
        self._given = tuple(config.history)
        self._wanted = bool(config.track)
        self._kept = deque(map(_Row.of, self._given if self._wanted else ()), _MOST_ROWS)
        self._max_bytes = max_message_bytes // 2
        self._span_us = 1e6 * _SPAN_S
        self._highest: _Row | None = None

    def keep(self, span: float | None) -> None:
        """How many seconds back the server looks (`StreamStarted.history_span`); None = it does not say."""
        if span is not None:
            self._span_us = 1e6 * span

    def add(self, outcome: FrameOutcome) -> None:
        """The newest outcome."""
        if not self._wanted:
            return
        self._given = ()
        row = _Row.of(outcome)
        self._kept.append(row)
        if row.highest_id > 0 and (self._highest is None or row.highest_id >= self._highest.highest_id):
            self._highest = row
        while row.media_time_us is not None and self._kept[0].ended_before(row.media_time_us - self._span_us):
            self._kept.popleft()

    def rows(self) -> tuple[FrameOutcome, ...]:
        """Oldest first; the caller's own untouched as long as nothing came."""
        if self._given or not self._wanted:
            return self._given
        rows = deque(self._kept)
        total = sum(row.size for row in rows)
        while rows and total > self._max_bytes:
            total -= rows.popleft().size
        if self._highest is not None and all(row is not self._highest for row in rows):
            rows.appendleft(self._highest)
        return tuple(row.outcome() for row in rows)


def _highest_id(row: FrameOutcome) -> int:
    faces = row.result.faces if isinstance(row.result, FrameAnalysis) else ()
    return max((face.track_id or 0 for face in faces), default=0)
