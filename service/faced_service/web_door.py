"""The way to the gateway, for servers that may be installed without the packages of the extra `web`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack

from faced_service.addresses import AddressError
from faced_service.backend import Backend
from faced_service.settings import Settings, SettingsError

Idle = Callable[[float], Coroutine[None, None, None]]
"""Waits until all calls have ended, or so many seconds."""


def take_web_address(settings: Settings, stack: AsyncExitStack, *, shared_port: bool) -> socket.socket | None:
    """Holds the address of `web_port`, if there is one, until the stack ends.

    Raises:
        SettingsError: packages are missing.
        AddressError: the address is in use, or not this machine's.
    """
    if settings.web_port is None:
        return None
    try:
        from faced_service.web.listener import bound_socket, why
    except ImportError as error:
        raise SettingsError(f"web_port: {error.name} is not installed: pip install '.[cpu,web]'") from error
    try:
        return stack.enter_context(bound_socket(settings.host, settings.web_port, shared=shared_port))
    except OSError as error:
        where = f"{settings.host}:{settings.web_port}"
        raise AddressError(f"cannot listen on {where} for the live page: {why(error)}") from error


async def open_gateway(
    place: socket.socket | None, stack: AsyncExitStack, backend: Backend, on_page: Callable[[str], None]
) -> Idle:
    """Serves on the address until the stack ends, and tells `on_page` where."""
    if place is None:
        return no_calls
    from faced_service.web.gateway import running_gateway, url_of

    gateway = await stack.enter_async_context(running_gateway(place, backend))
    on_page(url_of(place, backend.settings))
    return gateway.idle


async def no_calls(_within_s: float) -> None:
    """Where there is no gateway."""
