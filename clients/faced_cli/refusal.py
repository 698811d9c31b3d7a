"""The SDK's errors as ends of a command."""

from __future__ import annotations

import faced_client
from faced_cli.errors import CommandError, InputError, ServerError, UsageError
from faced_proto.types import ErrorReason, FrameFailure

_OF_THE_PICTURE = frozenset(
    {
        ErrorReason.IMAGE_EMPTY,
        ErrorReason.IMAGE_UNSUPPORTED,
        ErrorReason.IMAGE_TRUNCATED,
        ErrorReason.IMAGE_CORRUPT,
        ErrorReason.IMAGE_TOO_LARGE,
        ErrorReason.RAW_LAYOUT,
        ErrorReason.MESSAGE_TOO_LARGE,
    }
)


def command_error(error: faced_client.FacedError, source: str) -> CommandError:
    """What an error of a call means for the command; `source` is the picture or video that was sent."""
    if isinstance(error, faced_client.InvalidImage | faced_client.RequestTooLarge):
        return InputError(f"{source}: {error}", error.reason.value if error.reason else "unreadable")
    if isinstance(error, faced_client.InvalidRequest | faced_client.ConfigurationError):
        return UsageError(str(error))
    return ServerError(f"{source}: {error}" if concerns_one_picture(error) else str(error))


def concerns_one_picture(error: faced_client.FacedError) -> bool:
    """Whether the next picture may well succeed."""
    return isinstance(
        error,
        faced_client.InvalidImage
        | faced_client.RequestTooLarge
        | faced_client.ServerFailure
        | faced_client.DeadlineExceeded
        | faced_client.Overloaded,
    )


def frame_error(failure: FrameFailure, message: str) -> CommandError:
    """What a failed frame means for the command that ends with `message`."""
    if failure.reason in _OF_THE_PICTURE:
        return InputError(message, failure.reason.value)
    return ServerError(message)
