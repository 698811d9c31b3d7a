"""Why something failed."""

from __future__ import annotations

from enum import Enum


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
