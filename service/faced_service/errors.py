"""What can go wrong with a request: one tree of exceptions, each carrying the reason that callers see.

FacedError
├── InvalidRequest            the caller's mistake
│   ├── InvalidOption           an option is missing, out of range or contradicts another
│   ├── UnknownAttribute        no network gives this attribute
│   ├── StreamOrder             messages of a stream in an order that is not allowed
│   ├── ImageError
│   │   ├── ImageEmpty            no picture, or one of no bytes
│   │   ├── ImageUnsupported      no JPEG, PNG, WebP or BMP
│   │   ├── ImageTruncated        the file ends before its picture does
│   │   ├── ImageCorrupt          a known format with broken content
│   │   ├── ImageTooLarge         more pixels than the limit
│   │   └── RawLayoutError        planes, strides and sizes that do not fit each other
│   └── MessageTooLarge         more bytes than the limit
├── Unauthenticated           no token, or one that is not known
├── ForbiddenAttribute        the operator does not allow this attribute
├── TryLater
│   ├── Overloaded              the server has as much in hand as it may
│   └── QuotaExceeded           the caller's own allowance is used up
├── DeadlineExceeded          the answer would come too late
├── NotReady                  the server is starting or draining
├── ModelFailed               a network failed on this input
└── InternalError             a mistake in the server, told in neutral words
"""

# ruff: noqa: N818 - named by what happened

from __future__ import annotations

from typing import ClassVar

from faced_proto.types import ErrorReason


class FacedError(Exception):
    """A request or a frame that gets no analysis; `str()` is one sentence for the caller."""

    reason: ClassVar[ErrorReason]


class InvalidRequest(FacedError):
    """The caller's mistake."""


class InvalidOption(InvalidRequest):
    """An option is missing, out of range, not finite or contradicts another."""

    reason = ErrorReason.INVALID_OPTION


class UnknownAttribute(InvalidRequest):
    """No network gives this attribute."""

    reason = ErrorReason.UNKNOWN_ATTRIBUTE


class StreamOrder(InvalidRequest):
    """Messages of a stream came in an order that is not allowed."""

    reason = ErrorReason.STREAM_ORDER


class ImageError(InvalidRequest):
    """The picture cannot be read."""


class ImageEmpty(ImageError):
    """No picture, or one of no bytes."""

    reason = ErrorReason.IMAGE_EMPTY


class ImageUnsupported(ImageError):
    """The bytes are none of JPEG, PNG, WebP and BMP, or a kind of these that is not read."""

    reason = ErrorReason.IMAGE_UNSUPPORTED


class ImageTruncated(ImageError):
    """The file ends before its picture does."""

    reason = ErrorReason.IMAGE_TRUNCATED


class ImageCorrupt(ImageError):
    """The file names a known format, and its content is broken."""

    reason = ErrorReason.IMAGE_CORRUPT


class ImageTooLarge(ImageError):
    """More pixels than the limit."""

    reason = ErrorReason.IMAGE_TOO_LARGE


class RawLayoutError(ImageError):
    """Planes, strides and sizes of a raw picture do not fit each other."""

    reason = ErrorReason.RAW_LAYOUT


class MessageTooLarge(InvalidRequest):
    """More bytes than the limit, where the transport leaves it to the server to say so."""

    reason = ErrorReason.MESSAGE_TOO_LARGE


class Unauthenticated(FacedError):
    """No token, or one that the server does not know."""

    reason = ErrorReason.UNAUTHENTICATED


class ForbiddenAttribute(FacedError):
    """The operator does not allow this attribute."""

    reason = ErrorReason.FORBIDDEN_ATTRIBUTE


class TryLater(FacedError):
    """Refused for now; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(TryLater):
    """The server has as much in hand as it may."""

    reason = ErrorReason.OVERLOADED


class QuotaExceeded(TryLater):
    """The caller's own allowance of requests or streams is used up."""

    reason = ErrorReason.QUOTA


class DeadlineExceeded(FacedError):
    """The deadline passed before the analysis was done."""

    reason = ErrorReason.DEADLINE


class NotReady(FacedError):
    """The server is starting or draining."""

    reason = ErrorReason.NOT_READY


class ModelFailed(FacedError):
    """A network failed or ran out of memory on this input."""

    reason = ErrorReason.MODEL_FAILED


class InternalError(FacedError):
    """A mistake in the server; the text tells nothing of its inside, the log has the traceback."""

    reason = ErrorReason.INTERNAL

    def __init__(self) -> None:
        super().__init__("the server made a mistake; its log says which")
