"""The Python SDK: `Client` and `AsyncClient`, light, for any faced server.

An attribute of a face is a `Distribution`, or tells why there is none: `Withheld`, `AttributeFailure`.
"""

from faced_client.aio import AsyncClient
from faced_client.client import Client
from faced_client.errors import (
    Cancelled,
    ConfigurationError,
    DeadlineExceeded,
    FacedError,
    InvalidImage,
    InvalidRequest,
    ModelFailure,
    Overloaded,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RequestTooLarge,
    ServerFailure,
    Unauthenticated,
    Unavailable,
)
from faced_client.images import Channels, ImageInput
from faced_client.progress import StreamFrame
from faced_proto.types import (
    AnalysisOptions,
    AttributeFailure,
    Box,
    Detection,
    Distribution,
    FaceAnalysis,
    FrameAnalysis,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    Rotation,
    ServerInfo,
    StreamConfig,
    StreamMode,
    Withheld,
)

__all__ = [
    "AnalysisOptions",
    "AsyncClient",
    "AttributeFailure",
    "Box",
    "Cancelled",
    "Channels",
    "Client",
    "ConfigurationError",
    "DeadlineExceeded",
    "Detection",
    "Distribution",
    "FaceAnalysis",
    "FacedError",
    "FrameAnalysis",
    "FrameDropped",
    "FrameFailure",
    "FrameOutcome",
    "ImageInput",
    "InvalidImage",
    "InvalidRequest",
    "ModelFailure",
    "Overloaded",
    "PermissionDenied",
    "ProtocolError",
    "QuotaExceeded",
    "RequestTooLarge",
    "Rotation",
    "ServerFailure",
    "ServerInfo",
    "StreamConfig",
    "StreamFrame",
    "StreamMode",
    "Unauthenticated",
    "Unavailable",
    "Withheld",
]
