"""Paths to what answers them."""

from __future__ import annotations

from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from faced_service.analyzer import Analyzer
from faced_service.errors import FacedError
from faced_service.settings import Settings
from faced_service.web.camera_socket import CameraSockets
from faced_service.web.documents import document, document_names
from faced_service.web.guard import Guard
from faced_service.web.openapi import openapi_document
from faced_service.web.picture_route import PictureRoute
from faced_service.web.server_facts import server_facts
from faced_service.web.web_calls import WebCalls, error_response

_NOT_SERVED = {
    404: ("not_found", "there is nothing at {path}; /docs tells what there is"),
    405: ("method_not_allowed", "{path} does not take {method}"),
}
"""What no route answers, as JSON like every other refusal."""

_STATIC = str(files("faced_service.web").joinpath("static"))


def application(
    analyzer: Analyzer, calls: WebCalls, pictures: PictureRoute, sockets: CameraSockets, settings: Settings
) -> Starlette:
    """The whole of it."""

    async def info(request: Request) -> Response:
        try:
            with calls.begin("GET /v1/info", request) as call:
                call.authenticate(request.headers.get("authorization"))
                facts = server_facts(analyzer.info(), settings)
                call.succeed()
                return JSONResponse(facts)
        except FacedError as error:
            return error_response(error)

    async def health(_request: Request) -> Response:
        try:
            analyzer.require_ready()
        except FacedError as error:
            return error_response(error)
        return JSONResponse({"status": "serving"})

    async def openapi(_request: Request) -> Response:
        return JSONResponse(openapi_document(settings))

    async def page(request: Request) -> Response:
        name = {"/": "index.html", "/docs": "docs.html"}[request.url.path]
        return FileResponse(f"{_STATIC}/{name}")

    async def about(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in document_names():
            raise HTTPException(404)
        return HTMLResponse(document(name))

    async def not_served(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        reason, words = _NOT_SERVED[error.status_code]
        message = words.format(path=request.url.path, method=request.method)
        return JSONResponse({"error": reason, "message": message}, error.status_code, error.headers)

    return Starlette(
        routes=[
            Mount(
                "/v1",
                routes=[
                    Route("/analyze", pictures.answer, methods=["POST"]),
                    WebSocketRoute("/stream", sockets.answer),
                    Route("/info", info),
                    Route("/health", health),
                ],
            ),
            Route("/openapi.json", openapi),
            Route("/", page),
            Route("/docs", page),
            Route("/about/{name:path}", about),
            Mount("/", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers=dict.fromkeys(_NOT_SERVED, not_served),
        middleware=[Middleware(Guard, hosts=settings.web_hosts, loopback=settings.loopback)],
    )
