"""One server process, from settings to exit code: alone, or one of several workers."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from faced_models.errors import DeviceError, WeightsError
from faced_service.addresses import AddressError
from faced_service.exit_codes import ADDRESS_IN_USE, DONE, HUNG, MODELS_MISSING, USAGE
from faced_service.heap import limit_arenas
from faced_service.metrics import Metrics, SharedMetrics, metrics_page
from faced_service.networks import Networks, load_networks
from faced_service.server import running_server
from faced_service.settings import Settings, SettingsError

Announce = Callable[[str, Networks], None]
"""Is told the address, once the server is ready."""


_SWITCH_INTERVAL_S = 0.0005
"""So long the event loop waits at most for a thread that runs Python; the default of 5 ms is its p99."""


def settle_interpreter() -> None:
    """Keep the event loop of this process prompt; to be called once everything is loaded."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # What is loaded stays: looking through it for garbage again and again would stop all threads for 60 ms.
    gc.collect()
    gc.freeze()


def exit_code_of(serve: Callable[[], int]) -> int:
    """What `serve` gives; what prevents a start is said in one line and has its own code."""
    try:
        return serve()
    except (SettingsError, DeviceError) as error:
        return _fail(str(error), USAGE)
    except WeightsError as error:
        return _fail(str(error), MODELS_MISSING)
    except AddressError as error:
        return _fail(str(error), ADDRESS_IN_USE)


def serve(
    settings: Settings, metrics: Metrics, announce: Announce, *, shared_port: bool = False, lifeline: int | None = None
) -> int:
    """Load, serve until SIGTERM or SIGINT or until the file descriptor `lifeline` ends, drain; gives the exit code.

    Raises:
        SettingsError, DeviceError, WeightsError: as `load_networks`.
        AddressError: as `running_server`.
    """
    limit_arenas()
    networks = load_networks(settings)
    code = asyncio.run(_serve(networks, settings, metrics, announce, shared_port, lifeline))
    if code == HUNG:
        # The interpreter would wait for what the stuck thread holds.
        logging.shutdown()
        os._exit(code)
    return code


@contextmanager
def announced_page(metrics: Metrics | SharedMetrics, settings: Settings) -> Iterator[None]:
    """The page of `metrics` while the context lasts, if there is to be one.

    Raises:
        AddressError: its address is in use, or not this machine's.
    """
    host = settings.metrics_host or settings.host
    with ExitStack() as stack:
        if settings.metrics_port is not None:
            try:
                page = stack.enter_context(metrics_page(metrics.registry, host, settings.metrics_port))
            except OSError as error:
                where = f"{host}:{settings.metrics_port}"
                raise AddressError(f"cannot listen on {where} for metrics: {error.strerror}") from error
            say(f"metrics on {page}")
        yield


async def _serve(
    networks: Networks,
    settings: Settings,
    metrics: Metrics,
    announce: Announce,
    shared_port: bool,
    lifeline: int | None,
) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, DONE)
    if lifeline is not None:
        loop.add_reader(lifeline, end, DONE)
    async with running_server(
        networks,
        settings,
        address_of(settings),
        metrics=metrics,
        on_hang=lambda: end(HUNG),
        shared_port=shared_port,
        # Of several workers, the supervisor says it.
        on_page=_no_page if shared_port else lambda url: say(f"live page on {url}"),
    ) as address:
        settle_interpreter()
        announce(address, networks)
        code = await ended
        if lifeline is not None:
            loop.remove_reader(lifeline)
        return code


def _no_page(_url: str) -> None:
    pass


def address_of(settings: Settings) -> str:
    """`host:port`, an IPv6 address in brackets."""
    host = settings.host
    return f"[{host}]:{settings.port}" if ":" in host and not host.startswith("[") else f"{host}:{settings.port}"


def say(sentence: str) -> None:
    """A line for the operator on standard error."""
    print(f"faced: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - a command speaks


def _fail(sentence: str, code: int) -> int:
    say(f"error: {sentence}")
    return code
