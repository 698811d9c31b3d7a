"""The gRPC server: port, health, keepalive, start and drain."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from faced_service.access import open_access
from faced_service.addresses import AddressError
from faced_service.analyzer import Analyzer
from faced_service.backend import Backend
from faced_service.calls import Calls
from faced_service.certificates import Certificates, open_certificates
from faced_service.credentials import server_credentials
from faced_service.endings import Endings
from faced_service.heap import keep_trimmed
from faced_service.metrics import Metrics
from faced_service.networks import Networks
from faced_service.reflection import add_reflection
from faced_service.servicer import SERVICE_NAME, FaceAnalysisServicer
from faced_service.settings import Settings
from faced_service.watched_files import WatchedFiles
from faced_service.web_door import Idle, no_calls, open_gateway, take_web_address

_NAMES = ("", SERVICE_NAME)
"""What health can be asked for: the server as a whole, and the service."""


_CUT_OFF_S = 5.0
"""Streams get so much longer than they were told."""


_USED_GRACE = 0.8
"""The part of the grace in which frames are still begun."""


@asynccontextmanager
async def running_server(
    networks: Networks,
    settings: Settings,
    target: str,
    *,
    metrics: Metrics | None = None,
    on_hang: Callable[[], None] = lambda: None,
    shared_port: bool = False,
    on_page: Callable[[str], None] = lambda _url: None,
) -> AsyncIterator[str]:
    """A server on `target` ("host:port", port 0 = a free one, or "unix:path"); gives the address that it got.

    It is SERVING when the context is entered, all networks having run once. Leaving it drains: NOT_SERVING first, then
    streams are told, and running calls get `drain_grace_s`. After `on_hang` it serves no more and can only be left.
    With `shared_port`, other servers may listen on it, and calls come to this one only once it is ready.
    With `web_port` there is the live page too, and `on_page` is told where.

    Raises:
        AddressError: the address is in use, not this machine's, or a name that cannot be resolved.
        SettingsError: certificates or tokens cannot be used.
    """
    loop = asyncio.get_running_loop()
    hung: asyncio.Future[None] = loop.create_future()
    metrics = metrics or Metrics()
    access = open_access(settings, metrics.files_reloaded)
    certificates = open_certificates(settings, metrics.files_reloaded)
    server = grpc.aio.server(options=_options(settings, shared_port))
    analyzer = Analyzer(
        networks.models,
        settings,
        known_attributes=networks.known_attributes,
        metrics=metrics,
        on_hang=lambda: None if hung.done() else hung.set_result(None),
    )
    calls = Calls(access, metrics)
    endings = Endings(settings.max_connection_age_s)
    servicer = FaceAnalysisServicer(analyzer, access, calls, metrics, settings, endings)
    servicer.add_to(server)
    condition = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(condition, server)
    if settings.reflection:
        add_reflection(server, calls, (SERVICE_NAME, health.SERVICE_NAME))

    async def watch() -> None:
        await hung
        await _report(condition, health_pb2.HealthCheckResponse.NOT_SERVING)
        on_hang()

    beside = (loop.create_task(watch()), loop.create_task(keep_trimmed()))
    web = AsyncExitStack()
    web_idle: Idle = no_calls
    served = False
    try:
        page = take_web_address(settings, web, shared_port=shared_port)
        if shared_port:
            await analyzer.start()
        bound = _listen(server, target, certificates)
        await _report(condition, health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        if not shared_port:
            await analyzer.start()
        backend = Backend(analyzer, access, metrics, settings, endings, certificates)
        web_idle = await open_gateway(page, web, backend, on_page)
        await _report(condition, health_pb2.HealthCheckResponse.SERVING)
        served = True
        yield bound
    finally:
        for task in beside:
            task.cancel()
        await condition.enter_graceful_shutdown()
        # Nobody has been sent here by a server that never served.
        await asyncio.sleep(settings.drain_wait_s if served else 0)
        endings.drain()
        stopping = loop.create_task(server.stop(settings.drain_grace_s))
        # What could not be done in time is told to come again; at the end of the grace it would be cut off untold.
        ending = [stopping, loop.create_task(web_idle(settings.drain_grace_s))]
        await asyncio.wait(ending, timeout=_USED_GRACE * settings.drain_grace_s)
        await analyzer.close()
        await asyncio.gather(*ending)
        await web.aclose()


def _listen(server: grpc.aio.Server, target: str, certificates: WatchedFiles[Certificates] | None) -> str:
    try:
        if certificates is None:
            port = server.add_insecure_port(target)
        else:
            port = server.add_secure_port(target, server_credentials(certificates))
    except RuntimeError as error:
        host = target.rpartition(":")[0].strip("[]")
        try:
            socket.getaddrinfo(host, None)
        except socket.gaierror as unknown:
            raise AddressError(f"cannot listen on {target}: the name {host} cannot be resolved") from unknown
        raise AddressError(f"cannot listen on {target}: the address is in use, or not this machine's") from error
    if target.startswith("unix:"):
        return target
    return f"{target.rpartition(':')[0]}:{port}"


async def _report(condition: health.aio.HealthServicer, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
    for name in _NAMES:
        await condition.set(name, status)


def _options(settings: Settings, shared_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # Two servers on one port would share its calls unnoticed; workers are meant to.
        ("grpc.so_reuseport", int(shared_port)),
        # Clients ping every 10 s, also without calls; half of it, so that jitter is no offence.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        # Callers that vanished are noticed.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        *_connection_age(settings),
    ]


def _connection_age(settings: Settings) -> list[tuple[str, int]]:
    age_s = settings.max_connection_age_s
    if age_s is None:
        return []
    # A stream that began just before the end has its own age and its grace before it: none is cut off.
    grace_s = age_s + settings.drain_grace_s + _CUT_OFF_S
    return [
        ("grpc.max_connection_age_ms", round(age_s * 1000)),
        ("grpc.max_connection_age_grace_ms", round(grace_s * 1000)),
    ]
