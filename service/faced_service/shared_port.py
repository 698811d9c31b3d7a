"""A port that several processes of this user may listen on, and nobody else; it is held without listening on it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from faced_service.addresses import AddressError


@contextmanager
def shared_port(host: str, port: int) -> Iterator[int]:
    """Holds `port` (0 = a free one) of all addresses of `host`; gives its number.

    Raises:
        AddressError: somebody listens on it or holds it, the address is not this machine's, or the system cannot.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise AddressError("several workers cannot share a port on this system")
    try:
        places = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise AddressError(f"cannot listen on {host}: {error.strerror}") from error
    with ExitStack() as stack:
        failures: list[OSError] = []
        held = 0
        for family, kind, protocol, _, address in places:
            holder = stack.enter_context(socket.socket(family, kind, protocol))
            try:
                _hold(holder, (address[0], held or port, *address[2:]))
            except OSError as error:
                failures.append(error)
                continue
            held = int(holder.getsockname()[1])
        # One of several addresses may be missing, such as ::1 where there is no IPv6; none of them may be another's.
        taken = [error for error in failures if error.errno == errno.EADDRINUSE]
        if taken or not held:
            first = (taken or failures)[0]
            raise AddressError(f"cannot listen on {host}:{port}: {first.strerror}") from first
        yield held


def _hold(holder: socket.socket, address: tuple[object, ...]) -> None:
    # Binding alone proves that nobody else is there; only then others may share the port. Without SO_REUSEADDR
    # remains of old connections would count as somebody; with it, a second supervisor could bind as well.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(address)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
