"""Before any route: whose page asks, and by which name; and the headers that every answer bears."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faced_service.web.peer import STATE_KEY

_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


_PATIENCE_S = 10.0
"""A caller that reads nothing for so long is cut off."""


class Guard:
    """ASGI middleware: same origin only, known names only, security headers on everything, callers that read alone."""

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str] | None, loopback: bool) -> None:
        """`hosts` are the names that count; None: any, or loopback's where the server is reachable there alone.

        A page elsewhere whose name was pointed at this machine (DNS rebinding) would else be of the same origin.
        """
        self._app, self._loopback = app, loopback
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or let the application."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # Answers are about people; the page itself is asked for anew, and mostly unchanged.
                headers.setdefault("cache-control", "no-store" if scope["path"].startswith("/v1/") else "no-cache")
            # Waiting for room to write ends with the connection.
            timer = asyncio.get_running_loop().call_later(_PATIENCE_S, scope["state"][STATE_KEY].abort)
            try:
                await send(message)
            finally:
                timer.cancel()

        refusal = self._refusal(Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            response = JSONResponse({"error": "foreign_origin", "message": refusal}, 403)
            await response(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers) -> str | None:
        host = headers.get("host", "").lower()
        if not self._known(host):
            return f"this server is not to be reached as {host!r}; see web_hosts"
        # Browsers send it with all that is not plain reading; other callers are no page of anybody's.
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host:
            return f"pages of {origin!r} may not use this server"
        return None

    def _known(self, host: str) -> bool:
        if self._hosts is None:
            return not self._loopback or _LOOPBACK.fullmatch(host) is not None
        return host in self._hosts or re.sub(r":\d+$", "", host) in self._hosts
