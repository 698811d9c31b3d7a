"""What every call on HTTP goes through: who calls, errors to statuses, a count, a line in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from faced_proto.json_values import JsonObject
from faced_service.access import Access, Caller
from faced_service.errors import FacedError, InternalError, TryLater
from faced_service.logs import REQUEST_ID_KEY, fields, request_id_from, request_ids
from faced_service.metrics import Metrics
from faced_service.status import STATUS
from faced_service.web.http_status import HTTP_STATUS
from faced_service.web.peer import host_of, peer_of

_logger = logging.getLogger(__name__)


@dataclass
class WebCall:
    """A call under way; `authenticate` makes its caller known. In metrics and logs it has gRPC's statuses."""

    access: Access
    connection: HTTPConnection
    request_id: str
    code: str = "CANCELLED"
    caller: Caller = field(default_factory=lambda: Caller(""))

    def authenticate(self, authorization: str | None) -> Caller:
        """Who calls, by the value of the header `authorization`.

        Raises:
            Unauthenticated, QuotaExceeded: it may not, or not now.
        """
        peer = peer_of(self.connection)
        self.caller = self.access.caller(authorization, certificate=peer.certificate, host=host_of(self.connection))
        self.access.count_request(self.caller)
        return self.caller

    def succeed(self) -> None:
        """It did what it was meant to."""
        self.code = "OK"

    def fail(self, error: FacedError) -> None:
        """It could not."""
        self.code = STATUS[error.reason].name


class WebCalls:
    """Adapts access, metrics and logs to HTTP's way of telling them."""

    def __init__(self, access: Access, metrics: Metrics) -> None:
        self._access, self._metrics = access, metrics
        self._under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()

    @contextmanager
    def begin(self, method: str, connection: HTTPConnection) -> Iterator[WebCall]:
        """A call while the context lasts; what is raised inside is its status, and passed on as a FacedError."""
        arrived = monotonic()
        self._under_way += 1
        self.idle.clear()
        with request_ids(request_id_from(connection.headers.get(REQUEST_ID_KEY))) as request_id:
            call = WebCall(self._access, connection, request_id)
            try:
                yield call
            except FacedError as error:
                call.fail(error)
                raise
            except Exception as error:
                _logger.exception("a request failed in an unforeseen way")
                unforeseen = InternalError()
                call.fail(unforeseen)
                raise unforeseen from error
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self.idle.set()
                seconds = monotonic() - arrived
                self._metrics.request_ended(method, call.code, call.caller.label, seconds)
                told = fields(method=method, code=call.code, caller=call.caller.label, ms=round(seconds * 1000, 1))
                _logger.info("%s %s in %.1f ms", method, call.code, seconds * 1000, extra=told)


def error_object(error: FacedError) -> JsonObject:
    """What callers are told."""
    told: JsonObject = {"error": error.reason.value, "message": str(error)}
    if isinstance(error, TryLater):
        told["retry_after_s"] = round(error.retry_after, 3)
    return told


def error_response(error: FacedError) -> JSONResponse:
    """The same as an HTTP response."""
    headers = {"faced-reason": error.reason.value}
    if isinstance(error, TryLater):
        # Whole seconds, the header knows no others.
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    status = HTTP_STATUS[error.reason]
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error_object(error), status, headers)
