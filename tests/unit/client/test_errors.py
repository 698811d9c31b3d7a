"""The table from status and reason to exceptions."""

import grpc
import pytest

import faced_client
from faced_client import errors
from faced_client.errors import ERRORS, FacedError, error_from_status
from faced_proto.types import ErrorReason


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_status_has_an_exception(code):
    error = error_from_status(code, "said", {}, "host:1")
    assert type(error) is ERRORS[code, None]
    assert "said" in str(error)
    assert error.reason is None


# The status that errors.proto promises for each reason.
PROMISED = {
    "INVALID_ARGUMENT": "invalid_option image_empty image_unsupported image_truncated image_corrupt image_too_large"
    " raw_layout unknown_attribute stream_order",
    "PERMISSION_DENIED": "forbidden_attribute",
    "RESOURCE_EXHAUSTED": "overloaded message_too_large quota",
    "DEADLINE_EXCEEDED": "deadline",
    "UNAVAILABLE": "not_ready",
    "INTERNAL": "model_failed internal",
    "UNAUTHENTICATED": "unauthenticated",
}
EXPECTED = {
    **dict.fromkeys(["invalid_option", "unknown_attribute", "stream_order"], errors.InvalidRequest),
    **dict.fromkeys(
        ["image_empty", "image_unsupported", "image_truncated", "image_corrupt", "image_too_large", "raw_layout"],
        errors.InvalidImage,
    ),
    "forbidden_attribute": errors.PermissionDenied,
    "overloaded": errors.Overloaded,
    "message_too_large": errors.RequestTooLarge,
    "quota": errors.QuotaExceeded,
    "deadline": errors.DeadlineExceeded,
    "not_ready": errors.Unavailable,
    "model_failed": errors.ModelFailure,
    "internal": errors.ServerFailure,
    "unauthenticated": errors.Unauthenticated,
}


def test_every_reason_is_expected_below():
    assert set(EXPECTED) == {reason.value for reason in ErrorReason}
    assert sorted(" ".join(PROMISED.values()).split()) == sorted(EXPECTED)


@pytest.mark.parametrize(
    ("status", "reason"), [(status, reason) for status, reasons in PROMISED.items() for reason in reasons.split()]
)
def test_reason_under_its_status(status, reason):
    error = error_from_status(grpc.StatusCode[status], "said", {"faced-reason": reason}, "host:1")
    assert type(error) is EXPECTED[reason]
    assert error.reason is ErrorReason(reason)
    assert str(error) == "said"


def test_an_unknown_reason_leaves_it_to_the_status():
    error = error_from_status(grpc.StatusCode.INVALID_ARGUMENT, "x", {"faced-reason": "of_tomorrow"}, "host:1")
    assert type(error) is errors.InvalidRequest
    assert error.reason is None


def test_an_empty_message_is_filled_in():
    assert str(error_from_status(grpc.StatusCode.ABORTED, "", {}, "host:1")) == "the call ended with ABORTED"


@pytest.mark.parametrize(
    ("given", "seconds"), [("250", 0.25), ("0", 0.0), ("soon", None), ("-1", None), (b"5", None), ("²", None)]
)
def test_retry_delay(given, seconds):
    error = error_from_status(grpc.StatusCode.RESOURCE_EXHAUSTED, "x", {"retry-after-ms": given}, "host:1")
    assert error.retry_after == seconds


def test_the_tree_has_one_root_and_is_exported_and_drawn():
    kinds = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert set(ERRORS.values()) <= kinds
    for kind in kinds:
        assert issubclass(kind, FacedError)
        assert getattr(faced_client, kind.__name__) is kind
        assert f"{kind.__name__} " in errors.__doc__.replace("\n", " ")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.DeadlineExceeded, TimeoutError),
        (errors.Unavailable, ConnectionError),
        (errors.InvalidImage, ValueError),
    ],
)
def test_python_names_catch_them_too(kind, builtin):
    assert issubclass(kind, builtin)


def test_a_write_that_came_too_late_is_a_broken_connection():
    class TooLate(grpc.RpcError):
        code = staticmethod(lambda: grpc.StatusCode.INTERNAL)
        details = staticmethod(lambda: "Internal error from Core")
        trailing_metadata = staticmethod(lambda: ())

    error = errors.error_from_rpc(TooLate(), "host:1")
    assert type(error) is errors.Unavailable
    assert "the call ended while a message was sent" in str(error)
