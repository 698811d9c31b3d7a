import re

import grpc

from faced_proto.types import ErrorReason
from faced_proto.v1 import errors_pb2
from faced_service import errors
from faced_service.errors import FacedError
from faced_service.status import STATUS


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_reason_has_a_status():
    assert set(STATUS) == set(ErrorReason)


def test_no_reason_is_a_success():
    assert grpc.StatusCode.OK not in STATUS.values()


def test_the_table_agrees_with_the_reference(request):
    proto = (request.config.rootpath / "proto/faced/v1/errors.proto").read_text()
    documented = dict(re.findall(r"\[([A-Z_]+)\]\s+ERROR_REASON_(\w+) = ", proto)[i][::-1] for i in range(18))
    assert len(documented) == len(errors_pb2.ErrorReason.keys()) - 1
    assert {reason.name: status.name for reason, status in STATUS.items()} == documented


def test_every_error_that_can_be_raised_has_a_reason_and_stands_in_the_tree():
    for kind in subclasses(FacedError):
        assert re.search(rf"─ {kind.__name__}\b", errors.__doc__)
        if not kind.__subclasses__():
            assert isinstance(kind.reason, ErrorReason)


def test_the_servers_own_mistakes_tell_nothing():
    assert str(errors.InternalError()) == "the server made a mistake; its log says which"
