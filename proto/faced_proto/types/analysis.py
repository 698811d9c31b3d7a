"""The result of one picture, and what a caller can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from faced_proto.types.distribution import AttributeOutcome, Distribution
from faced_proto.types.geometry import Detection, Landmark, Rotation


class Precision(Enum):
    """How numbers are computed: `EXACT` is float32 with dlib's boxes, `FAST` may move boxes by one step of size."""

    EXACT = "exact"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Engine:
    """What ran: device ("cpu", "cuda:0"), backend ("onnxruntime", "openvino", "dlib"), precision, detector's id."""

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
class EffectiveOptions:
    """What was in force for one frame, after defaults and the server's caps; `max_faces` None = no limit."""

    upsample_times: int
    threshold: float
    max_faces: int | None
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class FaceAnalysis:
    """One face. Each requested attribute occurs exactly once in `attributes`, in the order of the request.

    What a detector beside that of faces found has its label in `detection`, and neither landmarks nor attributes.

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
class FrameAnalysis:
    """Everything that is said about one picture; `width` and `height` are those of the upright picture.

    `applied_scale` is what detection ran on (1 as given, above 1 enlarged), `min_detectable_px` the smallest face
    in pixels of the upright picture that this scale can find. `full_scan` is false where only the regions around
    known faces were searched. `thumbnail`, in streams that track, is 8 x 8 cells of mean R, G and B, row by row.
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
    thumbnail: bytes = b""
