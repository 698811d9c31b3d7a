"""The port: its address, and uvicorn on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from faced_service.certificates import Certificates
from faced_service.watched_files import WatchedFiles
from faced_service.web.connections import Connection, Socket
from faced_service.web.tls import server_context

_CUT_OFF_S = 1.0


def bound_socket(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket that holds the address and does not listen yet; `shared`: so may those of other workers.

    Raises:
        OSError: the address is in use, not this machine's, or a name that cannot be resolved.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    place = socket.socket(family, kind, protocol)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(address)
        if not shared:
            # Only now is it known whether somebody else listens there already.
            place.listen(128)
        return place
    except OSError:
        place.close()
        raise


@asynccontextmanager
async def listening(
    app: ASGIApp, place: socket.socket, certificates: WatchedFiles[Certificates] | None
) -> AsyncIterator[None]:
    """Serves `app` on the socket while the context lasts; what is open at its end is cut off."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws=Socket,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        # JPEG does not shrink.
        ws_per_message_deflate=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        # Calls have lines of their own.
        log_level="warning",
        timeout_graceful_shutdown=round(_CUT_OFF_S),
    )
    config.load()
    if certificates is not None:
        config.ssl = server_context(certificates)
    server = _Server(config)
    serving = asyncio.create_task(server.serve([place]))
    try:
        await server.ready.wait()
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's own business."""
        yield


def why(error: OSError) -> str:
    """The system's words for an address that cannot be had."""
    return str(error.strerror or error)
