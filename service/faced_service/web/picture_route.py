"""POST /v1/analyze: one picture, one answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from faced_proto.json_values import JsonObject, analysis_fields
from faced_proto.types import FrameAnalysis
from faced_service.analysis_request import PICTURE_AUTO_UPSAMPLE, AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.errors import FacedError
from faced_service.fair_queue import Flow
from faced_service.images import EncodedImage, Picture
from faced_service.logs import REQUEST_ID_KEY
from faced_service.metrics import Metrics
from faced_service.settings import Settings
from faced_service.web.peer import port_of
from faced_service.web.upload import picture_bytes
from faced_service.web.web_calls import WebCall, WebCalls, error_response
from faced_service.web.wishes import picture_options

_METHOD = "POST /v1/analyze"
_GONE = 499
"""Nobody reads it; the code that proxies log for callers that left."""


class PictureRoute:
    """A thin adapter around the analyzer."""

    def __init__(self, analyzer: Analyzer, calls: WebCalls, metrics: Metrics, settings: Settings) -> None:
        self._analyzer, self._calls, self._metrics, self._settings = analyzer, calls, metrics, settings

    async def answer(self, request: Request) -> Response:
        """The JSON of `faced-cli image --json` without `source`, or why there is none."""
        try:
            with self._calls.begin(_METHOD, request) as call:
                try:
                    answer = await self._answer(request, call)
                except ClientDisconnect:
                    return Response(status_code=_GONE)
                call.succeed()
                return JSONResponse(answer, headers={REQUEST_ID_KEY: call.request_id})
        except FacedError as error:
            return error_response(error)

    async def _answer(self, request: Request, call: WebCall) -> JsonObject:
        caller = call.authenticate(request.headers.get("authorization"))
        flow = Flow(caller.name, port_of(request))
        options, limit = picture_options(request.query_params)
        with self._analyzer.admission.upload(flow):
            data = await picture_bytes(
                request, max_bytes=self._settings.max_message_bytes, limit_s=self._settings.upload_timeout_s
            )
        arrived = monotonic()
        self._metrics.picture_came(caller.label)
        analysis = self._analyzer.analyze(
            AnalysisRequest(
                Picture(EncodedImage(data)), options, caller.name, PICTURE_AUTO_UPSAMPLE, flow.part, arrived=arrived
            ),
            None if limit is None else arrived + limit,
        )
        del data
        answer = await _while_there(request, asyncio.create_task(analysis))
        return analysis_fields(answer, landmarks=options.include_landmarks is not False)


async def _while_there(request: Request, analysis: asyncio.Task[FrameAnalysis]) -> FrameAnalysis:
    """The analysis, ended where its caller has left."""
    # After the body this is how a connection tells its end.
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait([analysis, gone], return_when=asyncio.FIRST_COMPLETED)
        if not analysis.done():
            raise ClientDisconnect
        return analysis.result()
    finally:
        for task in (analysis, gone):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
