"""One replica: the networks, and the RPCs as Ray Serve calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from google.protobuf.message import Message
from ray.serve.grpc_util import RayServegRPCContext

from faced_proto.v1 import service_pb2
from faced_service.access import open_access
from faced_service.analyzer import Analyzer
from faced_service.calls import Calls
from faced_service.endings import Endings
from faced_service.logs import configure_logs
from faced_service.metrics import Metrics
from faced_service.networks import load_networks
from faced_service.on_ray.context import CallEnded, RayContext
from faced_service.requests import reader_of
from faced_service.servicer import FaceAnalysisServicer
from faced_service.serving import settle_interpreter
from faced_service.settings import Settings

_Message = TypeVar("_Message")

_ANALYZE = reader_of(service_pb2.AnalyzeRequest)
_STREAM = reader_of(service_pb2.AnalyzeStreamRequest)
_INFO = reader_of(service_pb2.GetServerInfoRequest)


class FaceAnalysisReplica:
    """Methods are named as the RPCs, by which Ray finds them."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        """Ready when done: every network has run once.

        Raises:
            SettingsError, DeviceError, WeightsError: as `load_networks` and `open_access`.
        """
        configure_logs(settings.log_format, settings.log_level)
        metrics = Metrics()
        access = open_access(settings, metrics.files_reloaded)
        networks = load_networks(settings)
        self._hung = False
        self._analyzer = Analyzer(
            networks.models,
            settings,
            known_attributes=networks.known_attributes,
            metrics=metrics,
            on_hang=self._hang,
        )
        # Ray does not tell a replica that it will end; its streams only grow old.
        endings = Endings(settings.max_connection_age_s)
        calls = Calls(access, metrics)
        self._servicer = FaceAnalysisServicer(self._analyzer, access, calls, metrics, settings, endings)
        await self._analyzer.start()
        settle_interpreter()

    async def Analyze(self, request: bytes, grpc_context: RayServegRPCContext) -> Message:  # noqa: N802 - gRPC's names
        """See `FaceAnalysisServicer`."""
        try:
            return await self._servicer.Analyze(_only(_ANALYZE(request)), RayContext(grpc_context))
        except CallEnded:
            return service_pb2.AnalyzeResponse()

    async def AnalyzeStream(  # noqa: N802
        self, requests: AsyncIterator[bytes], grpc_context: RayServegRPCContext
    ) -> AsyncIterator[Message]:
        """See `FaceAnalysisServicer`; an error comes with a reply of no bytes, which the proxy leaves out."""
        context = RayContext(grpc_context)
        messages = (_STREAM(request) async for request in requests)
        try:
            async for reply in context.replies(self._servicer.AnalyzeStream(messages, context)):
                yield reply
        except CallEnded:
            yield service_pb2.AnalyzeStreamResponse()

    async def GetServerInfo(self, request: bytes, grpc_context: RayServegRPCContext) -> Message:  # noqa: N802
        """See `FaceAnalysisServicer`."""
        try:
            return await self._servicer.GetServerInfo(_only(_INFO(request)), RayContext(grpc_context))
        except CallEnded:
            return service_pb2.GetServerInfoResponse()

    def check_health(self) -> None:
        """Ray asks from time to time, and replaces the replica where this raises."""
        if self._hung:
            raise RuntimeError("a run of a network hangs")

    def _hang(self) -> None:
        self._hung = True


async def _only(message: _Message) -> AsyncIterator[_Message]:
    yield message
