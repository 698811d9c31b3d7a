"""What runs in Ray's proxies: the service's methods, and what Ray makes of a call's end put right.

Ray's proxy calls `add_to_proxy` as it would a generated `add_..._to_server`. A reply of no bytes, by which a replica
tells an error at the end of a stream, is left out; and what Ray says itself, of a replica that died or is full, gets
the status and the reason by which callers of this service know to come again.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol

import grpc

from faced_proto.types import ErrorReason
from faced_proto.v1 import service_pb2
from faced_service.status import STATUS

_SERVICE = str(service_pb2.DESCRIPTOR.services_by_name["FaceAnalysisService"].full_name)

_RETRY_MS = "1000"

_BY_RAY = {
    # Everything that goes wrong in a replica has a reason; what has none is that the replica has gone.
    grpc.StatusCode.INTERNAL: (ErrorReason.NOT_READY, "the replica that had the call has gone"),
    grpc.StatusCode.NOT_FOUND: (ErrorReason.NOT_READY, "there is no replica yet, or any more"),
    grpc.StatusCode.UNAVAILABLE: (ErrorReason.NOT_READY, "there is no replica yet, or any more"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (ErrorReason.OVERLOADED, "all replicas have as much in hand as they may"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (ErrorReason.DEADLINE, "the call took longer than Ray's request_timeout_s"),
}
"""By the status that Ray gives, where the service said no reason."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}

Handler = Callable[..., object]


class ProxyServer(Protocol):
    """The part of Ray's gRPC server that is used."""

    service_handler_factory: Callable[..., Handler]
    """Gives for a method what answers its calls."""

    def add_generic_rpc_handlers(self, handlers: tuple[grpc.GenericRpcHandler, ...]) -> None:
        """Serve these methods, each by what the factory gives for it."""


def add_to_proxy(_servicer: object, server: ProxyServer) -> None:
    """Serve `FaceAnalysisService`. Messages go on as bytes, to be read by the replica."""
    handlers = {
        "Analyze": grpc.unary_unary_rpc_method_handler(None),
        "AnalyzeStream": grpc.stream_stream_rpc_method_handler(None),
        "GetServerInfo": grpc.unary_unary_rpc_method_handler(None),
    }
    factory = server.service_handler_factory
    server.service_handler_factory = lambda **method: put_right(factory(**method))
    try:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    finally:
        server.service_handler_factory = factory


def put_right(handler: Handler) -> Handler:
    """Ray's handler of a method, with ends as the service's callers know them."""

    async def unary(request: object, context: grpc.aio.ServicerContext) -> bytes:
        reply: bytes = await handler(request, context)  # type: ignore[misc]
        _put_end_right(context)
        code = _CODES.get(context.code(), context.code())
        if code is not grpc.StatusCode.OK:
            # Without a reply, or callers would take the call for answered and not repeat it.
            await context.abort(code, context.details(), tuple(context.trailing_metadata() or ()))
        return reply

    async def stream(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        async with aclosing(handler(request, context)) as replies:  # type: ignore[type-var]
            async for reply in replies:  # type: ignore[attr-defined]
                if reply:
                    yield reply
        _put_end_right(context)

    return stream if inspect.isasyncgenfunction(handler) else unary


def _put_end_right(context: grpc.aio.ServicerContext) -> None:
    trailer = tuple(context.trailing_metadata() or ())
    told = _BY_RAY.get(_CODES.get(context.code(), context.code()))
    if told is None or any(key == "faced-reason" for key, _ in trailer):
        return
    reason, sentence = told
    context.set_code(STATUS[reason])
    context.set_details(sentence)
    retry = (("retry-after-ms", _RETRY_MS),) if reason is ErrorReason.OVERLOADED else ()
    context.set_trailing_metadata((*trailer, ("faced-reason", reason.value), *retry))
