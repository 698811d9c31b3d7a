"""Connections as the listener makes them: how many, for how long without a word, and how much at a time."""

from __future__ import annotations

import asyncio
import json
import resource

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from faced_service.web.peer import STATE_KEY, Peer

_MOST = 1000
_SHARE_OF_FILES = 0.5
"""Of the files that the process may have open: gRPC's connections are files as well."""
_SHARE_OF_HOST = 0.5
"""One host leaves places for others."""

_MOST_TO_REFUSE = 200
"""So many more are told why; the rest is cut off."""

_HEADERS_WITHIN_S = 10.0
_REFUSAL_WITHIN_S = 5.0
_START_BYTES = 1 << 16
"""Before it is known who calls, a message is the start of a stream, and that is short."""
_MOST_FRAGMENTS = 1024


def most_connections() -> int:
    """How many connections there may be at a time."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else min(_MOST, int(files * _SHARE_OF_FILES))


class Connection(H11Protocol):
    """HTTP: tells the application who is there, and waits for requests no longer than it should."""

    _headers_timer: asyncio.TimerHandle | None = None
    _refusal: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One more; refused by name where there are enough."""
        self.app_state = {**self.app_state, STATE_KEY: Peer(_name_in_certificate(transport), transport.abort)}
        super().connection_made(transport)
        most = most_connections()
        peers = [other.client for other in self.connections if isinstance(other, Connection | Socket)]
        from_host = sum(peer is not None and self.client is not None and peer[0] == self.client[0] for peer in peers)
        if len(self.connections) > most + _MOST_TO_REFUSE:
            transport.abort()
        elif len(self.connections) > most:
            self._refusal = f"{most} connections are open"
        elif from_host > _SHARE_OF_HOST * most:
            self._refusal = f"{from_host - 1} connections of this host are open"
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Part of a request."""
        if self._refusal is not None:
            # Not before: what is closed with its request unread is reset, and the answer lost.
            self._refuse(self._refusal)
            return
        super().data_received(data)
        theirs = self.conn.their_state
        # Refused before its body had come: what still comes has ended uvicorn's timer, and nothing sets it again.
        refused = self.cycle is not None and self.cycle.response_complete and theirs is h11.SEND_BODY
        # A request whose headers trickle in holds a connection as well.
        if self.transport.get_protocol() is not self or not (refused or theirs is h11.IDLE):
            self._have_headers()
        elif self.timeout_keep_alive_task is None:
            self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._have_headers()
        super().connection_lost(exc)

    def _refuse(self, why: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"error": "overloaded", "message": why, "retry_after_s": 1}).encode()
        head = (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nfaced-reason: overloaded\r\n"
            f"retry-after: 1\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _wait_for_headers(self) -> None:
        if self._headers_timer is None:
            seconds = _HEADERS_WITHIN_S if self._refusal is None else _REFUSAL_WITHIN_S
            self._headers_timer = self.loop.call_later(seconds, self.transport.abort)

    def _have_headers(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that holds no more for its caller than a message of the size that is allowed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection asked for a WebSocket."""
        super().connection_made(transport)
        before = self.app_state[STATE_KEY]
        self.conn.max_message_size = _START_BYTES
        self.app_state = {**self.app_state, STATE_KEY: Peer(before.certificate, before.abort, self._expect)}

    def _expect(self, most_bytes: int) -> None:
        self.conn.max_message_size = most_bytes

    def handle_cont(self, event: Frame) -> None:
        """Fragments without content count as well."""
        if len(self.frames) < _MOST_FRAGMENTS:
            super().handle_cont(event)
        else:
            self.conn.fail(1009, f"more than {_MOST_FRAGMENTS} fragments")
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        """Who reads no answers gets none: they would pile up here."""
        answer = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(answer)


def _name_in_certificate(transport: asyncio.Transport) -> str | None:
    certificate = transport.get_extra_info("peercert")
    for part in certificate["subject"] if certificate else ():
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None
