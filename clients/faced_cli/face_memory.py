"""Faces that were there a moment ago: a detector that misses one for a frame must not uncover it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faced_proto.types import Box, FaceAnalysis

_HELD_S = 0.5


@dataclass(frozen=True, slots=True)
class _Seen:
    time_s: float
    track_id: int | None
    box: Box


class FaceMemory:
    """Remembers faces for half a second of the source's time."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def missing(self, time_s: float, faces: Sequence[FaceAnalysis]) -> list[Box]:
        """Where faces were lately that are not among `faces`, which are those of the frame at `time_s`."""
        tracks = {face.track_id for face in faces} - {None}
        held = [
            seen
            for seen in self._seen
            if time_s - seen.time_s <= _HELD_S
            and seen.track_id not in tracks
            and not any(_meet(seen.box, face.detection.box) for face in faces)
        ]
        self._seen = held + [_Seen(time_s, face.track_id, face.detection.box) for face in faces]
        return [seen.box for seen in held]


def _meet(one: Box, other: Box) -> bool:
    """Whether a box covers the middle of the other."""
    x, y = (one.left + one.right) / 2, (one.top + one.bottom) / 2
    return other.left <= x <= other.right and other.top <= y <= other.bottom
