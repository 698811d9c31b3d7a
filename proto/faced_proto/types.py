"""The values that flow: frozen, built complete, standard library and numpy only.

Coordinates are continuous pixels of the upright picture, origin at the top-left corner of the top-left pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
"""uint8 [height, width, 3], red first, upright, C-contiguous."""


class Precision(Enum):
    """How numbers are computed: `EXACT` is float32 with dlib's boxes, `FAST` may move boxes by one step of size."""

    EXACT = "exact"
    FAST = "fast"


class Rotation(Enum):
    """Clockwise turn in degrees."""

    NONE = 0
    QUARTER = 90
    HALF = 180
    THREE_QUARTERS = 270


class LandmarkType(Enum):
    """The five points, in the order of dlib's five-point model; left and right are the person's own."""

    LEFT_EYE_OUTER_CORNER = "left_eye_outer_corner"
    LEFT_EYE_INNER_CORNER = "left_eye_inner_corner"
    RIGHT_EYE_OUTER_CORNER = "right_eye_outer_corner"
    RIGHT_EYE_INNER_CORNER = "right_eye_inner_corner"
    NOSE_BASE = "nose_base"


class WithheldReason(Enum):
    """Why a value that the server has is not told."""

    MAY_BE_MINOR = "may_be_minor"
    GUARD_FAILED = "guard_failed"


class DropReason(Enum):
    """Why a frame of a stream was not analysed although nothing is wrong with it."""

    SUPERSEDED = "superseded"
    TOO_OLD = "too_old"
    DRAINING = "draining"


class StreamMode(Enum):
    """Which frames of a stream are analysed when they come faster than they can be."""

    LIVE = "live"
    EVERY_FRAME = "every_frame"


class ErrorReason(Enum):
    """Machine-readable reason of a failed request, frame or attribute; the values travel as `faced-reason`."""

    INVALID_OPTION = "invalid_option"
    IMAGE_EMPTY = "image_empty"
    IMAGE_UNSUPPORTED = "image_unsupported"
    IMAGE_TRUNCATED = "image_truncated"
    IMAGE_CORRUPT = "image_corrupt"
    IMAGE_TOO_LARGE = "image_too_large"
    RAW_LAYOUT = "raw_layout"
    UNKNOWN_ATTRIBUTE = "unknown_attribute"
    FORBIDDEN_ATTRIBUTE = "forbidden_attribute"
    STREAM_ORDER = "stream_order"
    OVERLOADED = "overloaded"
    MESSAGE_TOO_LARGE = "message_too_large"
    QUOTA = "quota"
    DEADLINE = "deadline"
    NOT_READY = "not_ready"
    MODEL_FAILED = "model_failed"
    INTERNAL = "internal"
    UNAUTHENTICATED = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; it may leave the picture. dlib's inclusive right and bottom are these minus 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Detection:
    """A face: its box and MMOD's margin, unbounded, comparable within one detector model only."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named point of a face (dlib's integer point + 0.5)."""

    type: LandmarkType
    x: float
    y: float


@dataclass(frozen=True)
class Categories:
    """An axis of named classes."""

    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class IntegerBins:
    """An axis of integers: bin i holds first + i * width up to, not including, first + (i + 1) * width."""

    first: int
    width: int
    last_open: bool
    count: int

    def __len__(self) -> int:
        return self.count

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """`"30"`, or `"30-34"` for wider bins; an open last bin is `"80+"`."""
        names = []
        for i in range(self.count):
            low = self.first + i * self.width
            if self.last_open and i == self.count - 1:
                names.append(f"{low}+")
            else:
                names.append(str(low) if self.width == 1 else f"{low}-{low + self.width - 1}")
        return tuple(names)


Axis = Categories | IntegerBins


@dataclass(frozen=True)
class Distribution:
    """Probabilities over an axis, summing to 1 within float32 precision.

    `model` is name@version+sha8, calibration included: the same id gives the same numbers for the same crop.
    """

    attribute: str
    axis: Axis
    probabilities: tuple[float, ...]
    model: str
    calibrated: bool

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(self.axis):
            raise ValueError(
                f"{self.attribute}: {len(self.probabilities)} probabilities on an axis of {len(self.axis)} ({self.model})"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """One name for each probability."""
        return self.axis.labels

    @property
    def top(self) -> tuple[str, float]:
        """The most probable label and its probability; of equals the first."""
        index = max(range(len(self.probabilities)), key=self.probabilities.__getitem__)
        return self.labels[index], self.probabilities[index]

    def as_dict(self) -> dict[str, float]:
        """Label -> probability, in the axis' order."""
        return dict(zip(self.labels, self.probabilities, strict=True))

    def expectation(self) -> float:
        """Mean of integer bins, each counted at its first value (an open last bin too).

        Raises:
            TypeError: the axis has no numbers.
        """
        bins = self._bins()
        return float(sum(p * (bins.first + i * bins.width) for i, p in enumerate(self.probabilities)))

    def interval(self, mass: float = 0.9) -> tuple[int, int]:
        """Central interval that holds at least `mass` (0 to 1): first values of the bins at its two quantiles.

        Raises:
            TypeError: the axis has no numbers.
        """
        bins = self._bins()
        cumulative = np.cumsum(np.asarray(self.probabilities, dtype=np.float64))
        cumulative /= cumulative[-1]
        tail = (1.0 - mass) / 2.0
        low, high = (int(np.searchsorted(cumulative, q)) for q in (tail, 1.0 - tail))
        last = bins.count - 1
        return bins.first + min(low, last) * bins.width, bins.first + min(high, last) * bins.width

    def _bins(self) -> IntegerBins:
        if not isinstance(self.axis, IntegerBins):
            raise TypeError(f"{self.attribute} has named classes and no numbers")
        return self.axis


@dataclass(frozen=True, slots=True)
class Withheld:
    """The server has a value for this attribute and does not tell it."""

    attribute: str
    reason: WithheldReason
    message: str


@dataclass(frozen=True, slots=True)
class AttributeFailure:
    """The network of this attribute failed on this face."""

    attribute: str
    reason: ErrorReason
    message: str


AttributeOutcome = Distribution | Withheld | AttributeFailure


@dataclass(frozen=True)
class FaceAnalysis:
    """One face. Each requested attribute occurs exactly once in `attributes`, in the order of the request.

    `raw` holds this frame's own distributions where `attributes` were smoothed over a track; else it is empty.
    """

    detection: Detection
    landmarks: tuple[Landmark, ...]
    attributes: tuple[AttributeOutcome, ...]
    track_id: int | None = None
    raw: tuple[Distribution, ...] = ()

    def __getitem__(self, attribute: str) -> AttributeOutcome:
        """The outcome of one attribute.

        Raises:
            KeyError: it was not asked for.
        """
        for outcome in self.attributes:
            if outcome.attribute == attribute:
                return outcome
        raise KeyError(attribute)


@dataclass(frozen=True, slots=True)
class EffectiveOptions:
    """What was in force for one frame, after defaults and the server's caps; `max_faces` None = no limit."""

    upsample_times: int
    threshold: float
    max_faces: int | None
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """What ran: device ("cpu", "cuda:0"), backend ("onnxruntime", "dlib"), precision, id of the detector."""

    device: str
    backend: str
    precision: Precision
    detector_model: str


@dataclass(frozen=True, slots=True)
class Timing:
    """The server's time in microseconds; `total_us` counts from arrival to reply, waiting included."""

    decode_us: int = 0
    queue_us: int = 0
    detect_us: int = 0
    align_us: int = 0
    describe_us: int = 0
    total_us: int = 0


@dataclass(frozen=True, slots=True)
class FrameAnalysis:
    """Everything that is said about one picture; `width` and `height` are those of the upright picture.

    `applied_scale` is what detection ran on (1 as given, above 1 enlarged), `min_detectable_px` the smallest face
    in pixels of the upright picture that this scale can find. `full_scan` is false where only the regions around
    known faces were searched.
    """

    width: int
    height: int
    rotation: Rotation
    faces: tuple[FaceAnalysis, ...]
    applied_scale: float
    min_detectable_px: float
    options: EffectiveOptions
    full_scan: bool
    engine: Engine
    timing: Timing


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
class AnalysisOptions:
    """What a caller asks for. None = the server's default; at most one of `upsample_times` and `min_face_px`.

    `attributes`: None = all that are allowed, () = none.
    """

    upsample_times: int | None = None
    min_face_px: int | None = None
    threshold: float | None = None
    max_faces: int | None = None
    attributes: tuple[str, ...] | None = None
    include_labels: bool | None = None
    include_landmarks: bool | None = None


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """How the frames of a stream are treated; None = the server's default. Times in seconds."""

    mode: StreamMode = StreamMode.EVERY_FRAME
    options: AnalysisOptions = AnalysisOptions()
    max_frame_age: float | None = None
    scan_interval: int | None = None
    track: bool | None = None
    smoothing_half_life: float | None = None
    history: Sequence[FrameOutcome] = ()
    frame_deadline: float | None = None


class ModelRole(Enum):
    """What a network is for."""

    DETECTOR = "detector"
    LANDMARKS = "landmarks"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A network, or what is derived from one; `axis` is None for detector and landmarks."""

    model: str
    role: ModelRole
    attribute: str
    axis: Axis | None
    calibrated: bool
    licence: str
    input_size: int


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The server's answer to a `StreamConfig`: credits, the configuration in force, axes, what it does not do."""

    stream_id: str
    max_in_flight: int
    config: StreamConfig
    models: tuple[ModelInfo, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server accepts."""

    max_message_bytes: int
    max_pixels: int
    max_upscaled_pixels: int
    max_detect_pixels: int


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Models, limits and device of a server."""

    version: str
    engine: Engine
    models: tuple[ModelInfo, ...]
    attributes: tuple[str, ...]
    limits: Limits
    notices: tuple[str, ...] = ()
