"""One analysed frame of a video, as all outputs take it."""

from __future__ import annotations

from dataclasses import dataclass

from faced_proto.types import FrameOutcome


@dataclass(frozen=True, slots=True)
class VideoRow:
    """`source` as it was named; `frame` counts from 0; seconds from the video's start, and until the next row."""

    source: str
    frame: int
    time_s: float
    duration_s: float
    outcome: FrameOutcome
