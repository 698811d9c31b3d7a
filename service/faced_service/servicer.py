"""The three RPCs; a thin adapter around analyzer and stream, for any engine that has a `CallContext`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from time import monotonic

import grpc

from faced_proto.convert import (
    duration_to_proto,
    frame_analysis_to_proto,
    frame_outcome_to_proto,
    server_info_to_proto,
    stream_started_to_proto,
)
from faced_proto.v1 import service_pb2
from faced_service.access import Access, Caller
from faced_service.analysis_request import PICTURE_AUTO_UPSAMPLE, AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.call_context import CallContext
from faced_service.calls import Calls
from faced_service.endings import Endings
from faced_service.fair_queue import Flow
from faced_service.metrics import Metrics
from faced_service.requests import (
    Malformed,
    deadline_from_proto,
    first_config,
    frames,
    only,
    options_from_proto,
    picture_from_proto,
    reader_of,
)
from faced_service.settings import Settings
from faced_service.stream import Draining, Stream
from faced_service.stream_frame import StreamFrame
from faced_service.stream_start import beside_loop, start_stream

SERVICE_NAME = str(service_pb2.DESCRIPTOR.services_by_name["FaceAnalysisService"].full_name)


class FaceAnalysisServicer:
    """See `FaceAnalysisService` in service.proto."""

    def __init__(
        self,
        analyzer: Analyzer,
        access: Access,
        calls: Calls,
        metrics: Metrics,
        settings: Settings,
        endings: Endings,
    ) -> None:
        self._analyzer = analyzer
        self._metrics = metrics
        self._access = access
        self._calls = calls
        self._settings = settings
        self._endings = endings

    def add_to(self, server: grpc.aio.Server) -> None:
        """In place of the generated function, whose way of reading messages cannot be chosen."""
        pb = service_pb2
        handlers = {
            # As a stream of one message, which is the same on the wire: so a call can be refused before it is read.
            "Analyze": grpc.stream_unary_rpc_method_handler(
                self.Analyze, reader_of(pb.AnalyzeRequest), pb.AnalyzeResponse.SerializeToString
            ),
            "AnalyzeStream": grpc.stream_stream_rpc_method_handler(
                self.AnalyzeStream, reader_of(pb.AnalyzeStreamRequest), pb.AnalyzeStreamResponse.SerializeToString
            ),
            "GetServerInfo": grpc.stream_unary_rpc_method_handler(
                self.GetServerInfo, reader_of(pb.GetServerInfoRequest), pb.GetServerInfoResponse.SerializeToString
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE_NAME, handlers),))
        server.add_registered_method_handlers(SERVICE_NAME, handlers)

    async def Analyze(  # noqa: N802 - gRPC's names
        self, requests: AsyncIterator[service_pb2.AnalyzeRequest | Malformed], context: CallContext
    ) -> service_pb2.AnalyzeResponse:
        """One picture, one reply."""
        async with self._calls.begin("Analyze", context) as caller:
            connection = context.peer()
            with self._analyzer.admission.upload(Flow(caller.name, connection)):
                message: service_pb2.AnalyzeRequest = await only(requests, self._settings.upload_timeout_s)
            arrived = monotonic()
            self._metrics.picture_came(caller.label)
            options = options_from_proto(message.options)
            own_deadline = message.deadline if message.HasField("deadline") else None
            deadline = deadline_from_proto(own_deadline, context.time_remaining(), arrived)
            picture = picture_from_proto(message.image)
            # The picture is a copy.
            del message
            request = AnalysisRequest(picture, options, caller.name, PICTURE_AUTO_UPSAMPLE, connection, arrived=arrived)
            analysis = await self._analyzer.analyze(request, deadline)
            return service_pb2.AnalyzeResponse(
                analysis=frame_analysis_to_proto(
                    analysis,
                    include_labels=options.include_labels is not False,
                    include_landmarks=options.include_landmarks is not False,
                )
            )

    async def AnalyzeStream(  # noqa: N802
        self, requests: AsyncIterator[service_pb2.AnalyzeStreamRequest | Malformed], context: CallContext
    ) -> None:
        """A configuration and frames in, its answer and one outcome for each frame out."""
        # Writes instead of yields: a call that is cancelled ends here at once, and with it what is under way.
        async with self._calls.begin("AnalyzeStream", context) as caller:
            with self._access.stream(caller), self._metrics.stream_open(), self._endings.stream() as ending:
                await self._follow(aiter(requests), caller, ending, context)

    async def _follow(
        self,
        messages: AsyncIterator[service_pb2.AnalyzeStreamRequest | Malformed],
        caller: Caller,
        ending: asyncio.Event,
        context: CallContext,
    ) -> None:
        config = await first_config(
            messages, self._analyzer.info().models, limit_s=self._settings.upload_timeout_s, ending=ending
        )
        started = start_stream(config, self._analyzer, credits=self._settings.stream_credits)
        include_labels = bool(started.config.options.include_labels)
        include_landmarks = bool(started.config.options.include_landmarks)
        begin = partial(
            Stream,
            started,
            self._analyzer,
            caller=caller.name,
            allowance=partial(self._access.wait_for_turn, caller),
            history=config.history,
            draining=ending,
            drain_grace=self._settings.drain_grace_s,
        )
        stream = await beside_loop(config.history, begin)
        # The history would stay as long as the stream.
        del config, begin
        await context.write(service_pb2.AnalyzeStreamResponse(started=stream_started_to_proto(started)))
        async with aclosing(stream.outcomes(self._checked(frames(messages), caller))) as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, Draining):
                    draining = service_pb2.Draining(grace=duration_to_proto(outcome.grace))
                    await context.write(service_pb2.AnalyzeStreamResponse(draining=draining))
                    continue
                message = frame_outcome_to_proto(
                    outcome, include_labels=include_labels, include_landmarks=include_landmarks
                )
                await context.write(service_pb2.AnalyzeStreamResponse(outcome=message))

    async def _checked(self, frames: AsyncIterator[StreamFrame], caller: Caller) -> AsyncIterator[StreamFrame]:
        """The frames, as long as the caller may send some."""
        async for frame in frames:
            self._access.recheck(caller)
            self._metrics.picture_came(caller.label)
            yield frame

    async def GetServerInfo(  # noqa: N802
        self,
        requests: AsyncIterator[service_pb2.GetServerInfoRequest | Malformed],
        context: CallContext,
    ) -> service_pb2.GetServerInfoResponse:
        """Models, limits and device."""
        async with self._calls.begin("GetServerInfo", context):
            await only(requests, self._settings.upload_timeout_s)
            return server_info_to_proto(self._analyzer.info())
