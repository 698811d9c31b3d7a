"""`faced serve --engine ray`: Ray and Ray Serve on this machine alone, from settings to exit code."""

from __future__ import annotations

import logging
import signal
import socket
from dataclasses import replace
from threading import Event

import ray
from ray import serve
from ray.serve.config import HTTPOptions, gRPCOptions
from ray.serve.schema import LoggingConfig

from faced_service.addresses import AddressError
from faced_service.exit_codes import DONE
from faced_service.on_ray.application import application_of
from faced_service.on_ray.exclusions import keeps_to_loopback
from faced_service.on_ray.listening import HOOK
from faced_service.on_ray.ray_here import ray_here
from faced_service.serving import say
from faced_service.settings import Settings, SettingsError
from faced_service.workers import threads_of_each

ADD_TO_PROXY = "faced_service.on_ray.proxy.add_to_proxy"

_APPLICATION = "faced"

_LOOPBACK = "127.0.0.1"

_ENVELOPE_BYTES = 64 << 10
"""What Ray puts around a message between proxy and replica."""

_MOST_BYTES = (1 << 31) - 1
"""gRPC's own bound."""


def serve_on_ray(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code.

    Raises:
        AddressError: the port is in use.
        SettingsError: the replicas cannot start.
    """
    _require_free(settings.port)
    threads = threads_of_each(settings, settings.ray_max_replicas)
    share = replace(settings, cpu_threads=threads)
    environment = {
        # What replicas log comes here, what Ray itself does is in its files.
        "RAY_SERVE_LOG_TO_STDERR": "0",
        "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": str(share.max_message_bytes),
        # Before that, a busy machine's proxy would be killed as it starts, again and again.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "50",
        # A third less of what Ray adds to a frame, see docs/ray.md.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
        "RAY_SERVE_USE_GRPC_BY_DEFAULT": "1",
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(min(share.max_message_bytes + _ENVELOPE_BYTES, _MOST_BYTES)),
    }
    with ray_here(threads * share.ray_max_replicas, environment, HOOK if keeps_to_loopback(share) else None):
        told = Event()
        quiet = LoggingConfig(log_level=logging.WARNING, enable_access_log=False)
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        serve.start(
            proxy_location="HeadOnly",
            # Nothing is served there but Ray's own health.
            http_options=HTTPOptions(host=_LOOPBACK, port=_free_port()),
            grpc_options=gRPCOptions(port=share.port, grpc_servicer_functions=[ADD_TO_PROXY], enable_reflection=False),
        )
        try:
            serve.run(application_of(share, local=True), name=_APPLICATION, logging_config=quiet)
        except RuntimeError as error:
            raise SettingsError(f"the replicas do not start: {error}") from error
        replicas = f"{share.ray_min_replicas} to {share.ray_max_replicas} replicas"
        say(f"serving on {share.host}:{share.port}, ray {ray.__version__}, {replicas}")
        told.wait()
        say("draining")
        serve.delete(_APPLICATION)
    return DONE


def _require_free(port: int) -> None:
    """Ray's proxy would wait for a port in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise AddressError(f"cannot listen on port {port}: it is in use") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
