"""Reflection of the service's messages, for tools such as grpcurl; for callers who may call, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from faced_service.calls import Calls


def add_reflection(server: grpc.aio.Server, calls: Calls, services: Sequence[str]) -> None:
    """Tell of these services and of itself."""
    servicer = _GuardedReflection(calls, (*services, reflection.SERVICE_NAME))
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)


class _GuardedReflection(reflection.aio.ReflectionServicer):  # type: ignore[misc]  # has no types
    def __init__(self, calls: Calls, services: Sequence[str]) -> None:
        super().__init__(services)
        self._calls = calls

    async def ServerReflectionInfo(  # noqa: N802 - gRPC's name
        self,
        request_iterator: AsyncIterator[reflection_pb2.ServerReflectionRequest],
        context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[reflection_pb2.ServerReflectionResponse]:
        async with self._calls.begin("ServerReflectionInfo", context):
            async for answer in super().ServerReflectionInfo(request_iterator, context):
                yield answer
