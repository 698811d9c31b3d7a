"""Who is at the other end of a connection, as far as the connection knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

STATE_KEY = "peer"
"""Where the listener puts a Peer in ASGI's state."""


def _as_it_is(_most_bytes: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Peer:
    """`certificate` is the common name in the one that it showed; `abort` ends the connection at once.

    `expect` sets how many bytes the next messages of a WebSocket may have; longer ones are never held as a whole.
    """

    certificate: str | None
    abort: Callable[[], None]
    expect: Callable[[int], None] = _as_it_is


def peer_of(connection: HTTPConnection) -> Peer:
    """What the listener knows of it."""
    peer = connection.scope["state"][STATE_KEY]
    assert isinstance(peer, Peer)
    return peer


def host_of(connection: HTTPConnection) -> str:
    """The address as gRPC writes it, so that a host is one caller whichever way it comes."""
    host = connection.client.host if connection.client else ""
    return f"ipv6:%5B{host}%5D" if ":" in host else f"ipv4:{host}"


def port_of(connection: HTTPConnection) -> str:
    """What tells the connections of one host apart."""
    return f"web:{connection.client.port}" if connection.client else "web"
