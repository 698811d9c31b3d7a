"""What the RPCs need of a transport: grpc.aio's context of a call, or what another engine makes of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

import grpc
from google.protobuf.message import Message

Metadata = Sequence[tuple[str, str]]


class CallContext(Protocol):
    """The part of `grpc.aio.ServicerContext` that is used."""

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        """What the caller sent along."""

    def auth_context(self) -> Mapping[str, Sequence[bytes]]:
        """What TLS knows of the caller; empty where it ends before this process."""

    def peer(self) -> str:
        """`ipv4:192.0.2.1:54321`, `ipv6:...` or `unix:`."""

    def time_remaining(self) -> float | None:
        """Seconds until the transport's own deadline; None if there is none, or it is not known here."""

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """To be sent with the status."""

    async def write(self, message: Message) -> None:
        """Send a reply of a stream; waits while the caller does not read."""

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Metadata) -> NoReturn:
        """End the call with this status, by an exception that is nobody's to catch."""
