"""The one table from reason to HTTP status; sockets close with 4000 and the status."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from faced_proto.types import ErrorReason

HTTP_STATUS: Mapping[ErrorReason, int] = MappingProxyType(
    {
        ErrorReason.INVALID_OPTION: 400,
        ErrorReason.IMAGE_EMPTY: 400,
        ErrorReason.IMAGE_UNSUPPORTED: 415,
        ErrorReason.IMAGE_TRUNCATED: 400,
        ErrorReason.IMAGE_CORRUPT: 400,
        ErrorReason.IMAGE_TOO_LARGE: 413,
        ErrorReason.RAW_LAYOUT: 400,
        ErrorReason.UNKNOWN_ATTRIBUTE: 400,
        ErrorReason.FORBIDDEN_ATTRIBUTE: 403,
        ErrorReason.STREAM_ORDER: 400,
        ErrorReason.OVERLOADED: 503,
        ErrorReason.MESSAGE_TOO_LARGE: 413,
        ErrorReason.QUOTA: 429,
        ErrorReason.DEADLINE: 504,
        ErrorReason.NOT_READY: 503,
        ErrorReason.MODEL_FAILED: 500,
        ErrorReason.INTERNAL: 500,
        ErrorReason.UNAUTHENTICATED: 401,
    }
)


def close_code(reason: ErrorReason) -> int:
    """Of the range that RFC 6455 leaves to applications: 4401 where HTTP says 401."""
    return 4000 + HTTP_STATUS[reason]
