"""The values that flow: frozen, built complete, standard library and numpy only."""

from faced_proto.types.analysis import (
    AnalysisOptions,
    EffectiveOptions,
    Engine,
    FaceAnalysis,
    FrameAnalysis,
    Precision,
    Timing,
)
from faced_proto.types.distribution import (
    AttributeFailure,
    AttributeOutcome,
    Axis,
    Categories,
    Distribution,
    IntegerBins,
    Withheld,
    WithheldReason,
)
from faced_proto.types.errors import ErrorReason
from faced_proto.types.geometry import Box, Detection, Landmark, LandmarkType, RgbImage, Rotation
from faced_proto.types.server import Limits, ModelInfo, ModelRole, ServerInfo
from faced_proto.types.stream import (
    DropReason,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    StreamConfig,
    StreamMode,
    StreamStarted,
)

__all__ = [
    "AnalysisOptions",
    "AttributeFailure",
    "AttributeOutcome",
    "Axis",
    "Box",
    "Categories",
    "Detection",
    "Distribution",
    "DropReason",
    "EffectiveOptions",
    "Engine",
    "ErrorReason",
    "FaceAnalysis",
    "FrameAnalysis",
    "FrameDropped",
    "FrameFailure",
    "FrameOutcome",
    "IntegerBins",
    "Landmark",
    "LandmarkType",
    "Limits",
    "ModelInfo",
    "ModelRole",
    "Precision",
    "RgbImage",
    "Rotation",
    "ServerInfo",
    "StreamConfig",
    "StreamMode",
    "StreamStarted",
    "Timing",
    "Withheld",
    "WithheldReason",
]
