"""Where Ray's gRPC proxies listen: Ray has no setting for it, and takes all addresses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

_ALL, _LOOPBACK = "[::]", "127.0.0.1"

HOOK = "faced_service.on_ray.listening.listen_on_loopback"
"""For Ray's `worker_process_setup_hook`."""


def listen_on_loopback() -> None:
    """In a worker of Ray, before it serves: if it is a proxy, it is for this machine alone.

    Raises:
        AttributeError: this Ray has no such function; the worker does not start then.
    """
    from ray.serve._private import default_impl

    default_impl.add_grpc_address = partial(_on_loopback, default_impl.add_grpc_address)


def _on_loopback(add: Callable[[object, str], object], server: object, address: str) -> object:
    return add(server, address.replace(_ALL, _LOOPBACK))
