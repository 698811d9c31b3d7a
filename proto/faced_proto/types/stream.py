"""The frames of a camera or a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from faced_proto.types.analysis import AnalysisOptions, FrameAnalysis
from faced_proto.types.errors import ErrorReason
from faced_proto.types.server import ModelInfo


class StreamMode(Enum):
    """Which frames of a stream are analysed when they come faster than they can be."""

    LIVE = "live"
    EVERY_FRAME = "every_frame"


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """How the frames of a stream are treated; None = the server's default. Times in seconds."""

    mode: StreamMode = StreamMode.EVERY_FRAME
    options: AnalysisOptions = field(default_factory=AnalysisOptions)
    max_frame_age: float | None = None
    scan_interval: int | None = None
    track: bool | None = None
    smoothing_half_life: float | None = None
    history: Sequence[FrameOutcome] = ()
    frame_deadline: float | None = None


class DropReason(Enum):
    """Why a frame of a stream was not analysed although nothing is wrong with it."""

    SUPERSEDED = "superseded"
    TOO_OLD = "too_old"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class FrameFailure:
    """A frame of a stream that failed; the stream goes on."""

    reason: ErrorReason
    message: str


@dataclass(frozen=True, slots=True)
class FrameDropped:
    """A frame of a stream that was not analysed, and nothing is wrong with it."""

    reason: DropReason


@dataclass(frozen=True, slots=True)
class FrameOutcome:
    """Exactly one for each frame of a stream, in order; `media_time_us` is the client's, echoed."""

    frame_id: int
    media_time_us: int | None
    result: FrameAnalysis | FrameFailure | FrameDropped


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The server's answer to a `StreamConfig`: credits, the configuration in force, axes, what it does not do.

    `history_span` is how many seconds of `StreamConfig.history` matter to tracks and smoothing; None = no tracks.
    """

    stream_id: str
    max_in_flight: int
    config: StreamConfig
    models: tuple[ModelInfo, ...]
    ignored: tuple[str, ...]
    history_span: float | None = None
