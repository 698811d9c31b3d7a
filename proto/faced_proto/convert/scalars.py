"""Numbers that one side can hold and the other cannot, and durations."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.duration_pb2 import Duration

from faced_proto.convert.errors import ConvertError

_NANOSECONDS = 1_000_000_000
_MOST_SECONDS = 315_576_000_000


@contextmanager
def fitting(path: str) -> Iterator[None]:
    """Turn protobuf's refusal of a value (a negative unsigned number, a wrong type) into ConvertError at `path`."""
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        raise error if isinstance(error, ConvertError) else ConvertError(path, str(error)) from error


def duration_to_proto(seconds: float, path: str = "duration") -> Duration:
    """Seconds as a protobuf Duration, rounded to nanoseconds.

    Raises:
        ConvertError: not finite, or beyond 10,000 years.
    """
    message = Duration()
    with fitting(path):
        message.FromNanoseconds(round(seconds * _NANOSECONDS))
    return message


def duration_from_proto(message: Duration, path: str = "duration") -> float:
    """Seconds; the sign and the size are the receiver's to judge.

    Raises:
        ConvertError: nanos out of range or of the other sign, or seconds beyond 10,000 years: no valid Duration.
    """
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > _MOST_SECONDS or abs(nanos) >= _NANOSECONDS or seconds * nanos < 0:
        raise ConvertError(path, f"{seconds} s and {nanos} ns are no valid duration")
    return int(message.ToNanoseconds()) / _NANOSECONDS
