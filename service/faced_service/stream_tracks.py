"""The rows of one stream in their order: faces get the numbers of their tracks, distributions are smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from faced_proto.types import FrameAnalysis, FrameOutcome
from faced_service.errors import InvalidOption
from faced_service.policy import AgeGuard
from faced_service.smoothing import HALF_LIVES, Smoothed, learn, smooth
from faced_service.tracks import MEMORY_S, SETTLED_S, Tracks, advance, number_faces

MAX_HALF_LIFE_S = 3600.0

_MICROSECONDS = 1e6


def history_span(half_life: float | None) -> float:
    """How many seconds of past rows have an effect on the next one."""
    return max(SETTLED_S, HALF_LIVES * (half_life or 0.0)) + MEMORY_S


class StreamTracks:
    """What a row becomes depends on the rows before it alone: those of this stream, and its history.

    `half_life` in seconds; None = distributions stay as they are.
    """

    def __init__(self, half_life: float | None, guard: AgeGuard, history: Sequence[FrameOutcome] = ()) -> None:
        """Start after the rows of `history`, oldest first.

        Raises:
            InvalidOption: their times run backwards.
        """
        self._half_life = half_life
        self._guard = guard
        self._tracks = Tracks()
        self._smoothed: dict[int, Smoothed] = {}
        times = [row.media_time_us for row in history if row.media_time_us is not None]
        if any(b < a for a, b in pairwise(times)):
            raise InvalidOption("history: media_time_us of its rows must not decrease")
        newest = times[-1] / _MICROSECONDS if times else 0.0
        for row in history:
            if isinstance(row.result, FrameAnalysis):
                time_s = None if row.media_time_us is None else row.media_time_us / _MICROSECONDS
                if time_s is not None and newest - time_s <= history_span(half_life):
                    self._learn(time_s, row.result)
                self._tracks = replace(self._tracks, highest=max(self._tracks.highest, _highest(row.result)))

    def follow(self, outcome: FrameOutcome, arrived: float) -> FrameOutcome:
        """The next row with tracks; `arrived` in seconds stands in for its media time."""
        if not isinstance(outcome.result, FrameAnalysis):
            return outcome
        time_s = arrived if outcome.media_time_us is None else outcome.media_time_us / _MICROSECONDS
        row = outcome.result
        numbers = number_faces(self._tracks, time_s, row)
        faces = tuple(replace(face, track_id=number) for face, number in zip(row.faces, numbers, strict=True))
        half_life = self._half_life
        if half_life is not None:
            known, self._smoothed = self._smoothed, dict(self._smoothed)
            smoothed = []
            for face, number in zip(faces, numbers, strict=True):
                means = known.get(number, Smoothed())
                face, self._smoothed[number] = smooth(means, time_s, face, half_life, self._guard)
                smoothed.append(face)
            faces = tuple(smoothed)
        row = replace(row, faces=faces)
        self._advance(time_s, row)
        return replace(outcome, result=row)

    def _learn(self, time_s: float, row: FrameAnalysis) -> None:
        if self._half_life is not None:
            for face in row.faces:
                if face.track_id is not None:
                    means = self._smoothed.get(face.track_id, Smoothed())
                    self._smoothed[face.track_id] = learn(means, time_s, face, self._half_life)
        self._advance(time_s, row)

    def _advance(self, time_s: float, row: FrameAnalysis) -> None:
        self._tracks = advance(self._tracks, time_s, row)
        alive = {track.number for track in self._tracks.alive}
        self._smoothed = {number: means for number, means in self._smoothed.items() if number in alive}


def _highest(row: FrameAnalysis) -> int:
    return max((face.track_id for face in row.faces if face.track_id is not None), default=0)
