"""The same server inside the caller's own process, on a socket that only this user can reach."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from faced_service.heap import limit_arenas
from faced_service.networks import load_networks
from faced_service.server import running_server
from faced_service.settings import Settings

MAX_MESSAGE_BYTES = 128 << 20
"""Frames go raw to an embedded server: 40 megapixels are 120 MB."""

_DRAIN_GRACE_S = 1.0
"""The caller who ends the server is the one whose calls would be waited for."""

_MAX_SOCKET_PATH = 100
"""The system's limit is 104 to 108 bytes."""

_logger = logging.getLogger(__name__)


class EmbeddedServer:
    """A context manager that gives the target address of a server that is ready.

    `settings` count but for address, message limit, grace, TLS, tokens and the live page. What prevents the start
    (WeightsError, DeviceError, SettingsError, AddressError) is raised on entering.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = replace(
            settings or Settings(),
            max_message_bytes=MAX_MESSAGE_BYTES,
            drain_grace_s=_DRAIN_GRACE_S,
            # Nobody but this process comes in.
            tls_cert=None,
            tls_key=None,
            tls_client_ca=None,
            token_file=None,
            requests_per_second=None,
            web_port=None,
        )
        self._target: Future[str] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="faced-server", daemon=True)

    def __enter__(self) -> str:
        limit_arenas()
        self._thread.start()
        try:
            return self._target.result()
        except BaseException:
            self._end()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            # Readable by this user only.
            with tempfile.TemporaryDirectory(prefix="faced-", ignore_cleanup_errors=True) as folder:
                asyncio.run(self._serve(Path(folder)))
        except BaseException as error:
            if self._target.done():
                _logger.exception("the embedded server ended early")
            else:
                self._target.set_exception(error)

    async def _serve(self, folder: Path) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        networks = await asyncio.to_thread(load_networks, self._settings)
        async with running_server(networks, self._settings, _target_in(folder)) as target:
            self._target.set_result(target)
            await self._stop.wait()


def _target_in(folder: Path) -> str:
    path = str(folder / "socket")
    if hasattr(socket, "AF_UNIX") and len(path.encode()) <= _MAX_SOCKET_PATH:
        return f"unix:{path}"
    return "127.0.0.1:0"
