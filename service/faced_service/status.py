"""The one table from reason to gRPC status."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import grpc

from faced_proto.types import ErrorReason

STATUS: Mapping[ErrorReason, grpc.StatusCode] = MappingProxyType(
    {
        ErrorReason.INVALID_OPTION: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.IMAGE_EMPTY: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.IMAGE_UNSUPPORTED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.IMAGE_TRUNCATED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.IMAGE_CORRUPT: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.IMAGE_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.RAW_LAYOUT: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.UNKNOWN_ATTRIBUTE: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.FORBIDDEN_ATTRIBUTE: grpc.StatusCode.PERMISSION_DENIED,
        ErrorReason.STREAM_ORDER: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorReason.OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorReason.MESSAGE_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorReason.QUOTA: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorReason.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
        ErrorReason.NOT_READY: grpc.StatusCode.UNAVAILABLE,
        ErrorReason.MODEL_FAILED: grpc.StatusCode.INTERNAL,
        ErrorReason.INTERNAL: grpc.StatusCode.INTERNAL,
        ErrorReason.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    }
)
