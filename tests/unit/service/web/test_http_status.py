from faced_proto.types import ErrorReason
from faced_service.web.http_status import HTTP_STATUS, close_code


def test_every_reason_has_a_status_that_is_no_success():
    assert set(HTTP_STATUS) == set(ErrorReason)
    assert all(400 <= status < 600 for status in HTTP_STATUS.values())


def test_close_codes_lie_in_the_range_of_applications():
    assert {close_code(reason) for reason in ErrorReason} <= set(range(4000, 5000))
    assert close_code(ErrorReason.UNAUTHENTICATED) == 4401
