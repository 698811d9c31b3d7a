"""The Python SDK: `Client` and `AsyncClient`, light, for any faced server.

from faced_client import Client

with Client("localhost:50051") as client:
for face in client.analyze("photo.jpg").faces:
print(face.detection.box, face["emotion"].top, face["age"].expectation())
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
from faced_client.wire import StreamFrame
from faced_proto.types import (
    AnalysisOptions,
    FrameAnalysis,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    Rotation,
    ServerInfo,
    StreamConfig,
    StreamMode,
)

__all__ = [
    "AnalysisOptions",
    "AsyncClient",
    "Cancelled",
    "Channels",
    "Client",
    "ConfigurationError",
    "DeadlineExceeded",
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
]
