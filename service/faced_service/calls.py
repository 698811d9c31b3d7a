"""What every call goes through: who calls, errors to statuses, a count, a line in the log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import grpc

from faced_service.access import Access, Caller
from faced_service.call_context import CallContext
from faced_service.errors import FacedError, InternalError, TryLater
from faced_service.logs import REQUEST_ID_KEY, fields, request_id_from, request_ids
from faced_service.metrics import Metrics
from faced_service.status import STATUS

_logger = logging.getLogger(__name__)


class Calls:
    """Adapts access, metrics and logs to gRPC's way of telling them, whatever engine carries it."""

    def __init__(self, access: Access, metrics: Metrics) -> None:
        self._access = access
        self._metrics = metrics

    @asynccontextmanager
    async def begin(self, method: str, context: CallContext) -> AsyncIterator[Caller]:
        """A call while the context lasts; gives who calls. No message is read before the caller is known.

        A FacedError inside becomes the call's status, `faced-reason` and, where there is one, `retry-after-ms`; every
        other error is INTERNAL, and logged.
        """
        arrived = monotonic()
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with request_ids(request_id_from(metadata.get(REQUEST_ID_KEY))) as request_id:
            trailer = ((REQUEST_ID_KEY, request_id),)
            context.set_trailing_metadata(trailer)
            # A call that its caller cancels ends here without an error.
            code, caller = grpc.StatusCode.CANCELLED, Caller("")
            try:
                caller = self._access.caller(
                    metadata.get("authorization"), certificate=_certificate_of(context), host=_host_of(context.peer())
                )
                self._access.count_request(caller)
                yield caller
                code = grpc.StatusCode.OK
            except FacedError as error:
                code = STATUS[error.reason]
                await _abort(context, error, trailer)
            except Exception:
                code = grpc.StatusCode.INTERNAL
                _logger.exception("a request failed in an unforeseen way")
                await _abort(context, InternalError(), trailer)
            finally:
                seconds = monotonic() - arrived
                self._metrics.request_ended(method, code.name, caller.label, seconds)
                told = fields(method=method, code=code.name, caller=caller.label, ms=round(seconds * 1000, 1))
                _logger.info("%s %s in %.1f ms", method, code.name, seconds * 1000, extra=told)


async def _abort(context: CallContext, error: FacedError, trailer: tuple[tuple[str, str], ...]) -> None:
    metadata = [*trailer, ("faced-reason", error.reason.value)]
    if isinstance(error, TryLater):
        metadata.append(("retry-after-ms", str(round(error.retry_after * 1000))))
    await context.abort(STATUS[error.reason], str(error), tuple(metadata))


def _certificate_of(context: CallContext) -> str | None:
    """The common name in the certificate that the caller showed, if it had to show one."""
    names = context.auth_context().get("x509_common_name")
    return bytes(names[0]).decode(errors="replace") if names else None


def _host_of(peer: str) -> str:
    """The `ipv4:192.0.2.1:54321` of gRPC without its port, which is another one for each connection."""
    return peer if peer.startswith("unix:") else peer.rpartition(":")[0]
