"""Builds the gateway around an analyzer, and runs it beside gRPC on the same event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from faced_service.backend import Backend
from faced_service.settings import Settings
from faced_service.web.application import application
from faced_service.web.camera_socket import CameraSockets
from faced_service.web.listener import listening
from faced_service.web.picture_route import PictureRoute
from faced_service.web.web_calls import WebCalls


class Gateway:
    """What has come in by HTTP and is not answered yet."""

    def __init__(self, calls: WebCalls) -> None:
        self._calls = calls

    async def idle(self, within_s: float) -> None:
        """Waits until every call has ended, for no longer than `within_s`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._calls.idle.wait(), within_s)


@asynccontextmanager
async def running_gateway(place: socket.socket, backend: Backend) -> AsyncIterator[Gateway]:
    """Serves on the socket while the context lasts; what is open when it is left is cut off."""
    analyzer, settings = backend.analyzer, backend.settings
    calls = WebCalls(backend.access, backend.metrics)
    pictures = PictureRoute(analyzer, calls, backend.metrics, settings)
    sockets = CameraSockets(analyzer, backend.access, calls, backend.metrics, settings, backend.endings)
    app = application(analyzer, calls, pictures, sockets, settings)
    async with listening(app, place, backend.certificates):
        yield Gateway(calls)


def url_of(place: socket.socket, settings: Settings) -> str:
    """What to open in a browser."""
    scheme = "http" if settings.tls_cert is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host and "[" not in settings.host else settings.host
    return f"{scheme}://{host}:{place.getsockname()[1]}/"
