"""What can go wrong with a call, and the one table from gRPC's status and `faced-reason` to it.

FacedError
├── ConfigurationError      the client's own arguments: a token in clear text, an unreadable certificate
├── InvalidRequest          the caller's mistake: an option, an unknown attribute, the order of frames
│   ├── InvalidImage        empty, truncated, corrupt, unsupported, too many pixels, wrong array
│   └── RequestTooLarge     more bytes than the server takes in one message
├── Unauthenticated         no token, or one that the server does not know
├── PermissionDenied        the operator does not allow this, for example this attribute
├── Overloaded              the server's queue is full; `retry_after` says when to come again
│   └── QuotaExceeded       this caller's allowance is used up
├── DeadlineExceeded        no answer in time
├── Unavailable             no server there, or one that is starting or going away
├── Cancelled               the call was cancelled, or the client closed
├── ServerFailure           a mistake in the server
│   └── ModelFailure        a network failed on this picture
└── ProtocolError           the other end does not speak faced.v1 as this client does
"""

# ruff: noqa: N818  (exceptions are named for what happened)
import re

import grpc

from faced_proto.types import ErrorReason


class FacedError(Exception):
    """Root of all errors of the SDK.

    `reason` is the server's, where it gave one; `retry_after` is in seconds, None = not said.
    """

    def __init__(self, message: str, reason: ErrorReason | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after


class ConfigurationError(FacedError, ValueError):
    """The client cannot be built from these arguments."""


class InvalidRequest(FacedError, ValueError):
    """The request is not one that the server can answer."""


class InvalidImage(InvalidRequest):
    """The picture is none, or none that can be read."""


class RequestTooLarge(InvalidRequest):
    """More bytes than the server takes in one message."""


class Unauthenticated(FacedError):
    """No token, or one that the server does not know."""


class PermissionDenied(FacedError):
    """The operator does not allow this."""


class Overloaded(FacedError):
    """The server's queue is full."""


class QuotaExceeded(Overloaded):
    """The caller's allowance is used up."""


class DeadlineExceeded(FacedError, TimeoutError):
    """No answer in time."""


class Unavailable(FacedError, ConnectionError):
    """No server there, or one that is starting or going away."""


class Cancelled(FacedError):
    """The call was cancelled, or the client closed."""


class ServerFailure(FacedError):
    """A mistake in the server."""


class ModelFailure(ServerFailure):
    """A network failed on this picture."""


class ProtocolError(FacedError):
    """The other end does not speak faced.v1 as this client does."""


_Code, _Why = grpc.StatusCode, ErrorReason

# A pair that is not here counts as (status, None).
ERRORS: dict[tuple[grpc.StatusCode, ErrorReason | None], type[FacedError]] = {
    (_Code.CANCELLED, None): Cancelled,
    (_Code.UNKNOWN, None): ServerFailure,
    (_Code.INVALID_ARGUMENT, None): InvalidRequest,
    (_Code.INVALID_ARGUMENT, _Why.IMAGE_EMPTY): InvalidImage,
    (_Code.INVALID_ARGUMENT, _Why.IMAGE_UNSUPPORTED): InvalidImage,
    (_Code.INVALID_ARGUMENT, _Why.IMAGE_TRUNCATED): InvalidImage,
    (_Code.INVALID_ARGUMENT, _Why.IMAGE_CORRUPT): InvalidImage,
    (_Code.INVALID_ARGUMENT, _Why.IMAGE_TOO_LARGE): InvalidImage,
    (_Code.INVALID_ARGUMENT, _Why.RAW_LAYOUT): InvalidImage,
    (_Code.DEADLINE_EXCEEDED, None): DeadlineExceeded,
    (_Code.NOT_FOUND, None): ProtocolError,
    (_Code.ALREADY_EXISTS, None): ServerFailure,
    (_Code.PERMISSION_DENIED, None): PermissionDenied,
    (_Code.RESOURCE_EXHAUSTED, None): Overloaded,
    (_Code.RESOURCE_EXHAUSTED, _Why.MESSAGE_TOO_LARGE): RequestTooLarge,
    (_Code.RESOURCE_EXHAUSTED, _Why.QUOTA): QuotaExceeded,
    (_Code.FAILED_PRECONDITION, None): InvalidRequest,
    (_Code.ABORTED, None): ServerFailure,
    (_Code.OUT_OF_RANGE, None): InvalidRequest,
    (_Code.UNIMPLEMENTED, None): ProtocolError,
    (_Code.INTERNAL, None): ServerFailure,
    (_Code.INTERNAL, _Why.MODEL_FAILED): ModelFailure,
    (_Code.UNAVAILABLE, None): Unavailable,
    (_Code.DATA_LOSS, None): ServerFailure,
    (_Code.UNAUTHENTICATED, None): Unauthenticated,
}


_WRITTEN_TOO_LATE = (grpc.StatusCode.INTERNAL, "Internal error from Core")
"""What grpc.aio makes of writing to a call that has just broken; the call's own status is lost."""


def error_from_status(code: grpc.StatusCode, details: str, metadata: dict[str, str | bytes], server: str) -> FacedError:
    """The exception for a failed call; `metadata` is the trailing one, `server` the address that was called."""
    reason = _reason(code, details, metadata.get("faced-reason"))
    message = details or f"the call ended with {code.name}"
    if reason is ErrorReason.MESSAGE_TOO_LARGE:
        message = _too_large(message)
    if code is grpc.StatusCode.UNAVAILABLE and reason is None:
        message = f"no server answers at {server}: {message}"  # gRPC's own words, which name no server
    kind = ERRORS.get((code, reason)) or ERRORS[code, None]
    return kind(message, reason, _retry_after(metadata.get("retry-after-ms")))


def error_from_rpc(error: grpc.RpcError, server: str) -> FacedError:
    """The exception for gRPC's own, of a synchronous or an asynchronous call."""
    metadata = {str(key): value for key, value in error.trailing_metadata() or ()}
    code, details = error.code(), error.details() or ""
    if (code, details) == _WRITTEN_TOO_LATE:
        code, details = grpc.StatusCode.UNAVAILABLE, "the call ended while a message was sent"
    return error_from_status(code, details, metadata, server)


def _reason(code: grpc.StatusCode, details: str, given: str | bytes | None) -> ErrorReason | None:
    if given is None:
        # gRPC itself refuses large messages, before the server's code runs.
        by_size = code is grpc.StatusCode.RESOURCE_EXHAUSTED and re.search("message larger than max", details)
        return ErrorReason.MESSAGE_TOO_LARGE if by_size else None
    values = {reason.value: reason for reason in ErrorReason}
    return values.get(str(given))  # a newer server may know more reasons; the status alone then decides


def _too_large(details: str) -> str:
    """In place of gRPC's own words, which do not say what to do."""
    sizes = re.search(r"\((\d+) vs\. (\d+)\)", details)
    if sizes is None:
        return details
    what = f"it has {sizes[1]} bytes, the limit max_message_bytes is {sizes[2]}"
    return f"the message is larger than the maximum: {what}; send a smaller or an encoded picture"


def _retry_after(given: str | bytes | None) -> float | None:
    return int(given) / 1000 if isinstance(given, str) and given.isascii() and given.isdigit() else None
