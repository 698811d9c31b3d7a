"""Ask a server whether it serves; 0 if it does, 4 if not.

For supervisors and containers. The address and the authority default to FACED_SERVER and FACED_TLS_CA, as for clients.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from faced_service.exit_codes import DONE, NOT_SERVING, USAGE
from faced_service.serving import say

_SERVER = "localhost:50051"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, how and for how long."""
    given = os.environ.get
    parser.add_argument("--server", metavar="HOST:PORT", default=given("FACED_SERVER", _SERVER), help="the server")
    parser.add_argument(
        "--tls-ca",
        metavar="FILE",
        default=given("FACED_TLS_CA"),
        help="authority of its certificate; given, TLS is used",
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="this caller's certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="the private key of --tls-cert")
    parser.add_argument("--tls-name", metavar="NAME", help="name in the server's certificate, if not that of --server")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", default=3.0, help="how long to wait (default: 3)")


def run(arguments: argparse.Namespace) -> int:
    """Ask once."""
    options = [("grpc.enable_http_proxy", 0)]
    if arguments.tls_name:
        options.append(("grpc.ssl_target_name_override", arguments.tls_name))
    try:
        credentials = _credentials(arguments)
    except OSError as error:
        say(f"error: {error.filename}: {error.strerror}")
        return USAGE
    if credentials is None:
        channel = grpc.insecure_channel(arguments.server, options)
    else:
        channel = grpc.secure_channel(arguments.server, credentials, options)
    with channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=arguments.timeout)
        except grpc.RpcError as error:
            say(f"error: no health from {arguments.server}: {error.code().name}: {error.details()}")
            return NOT_SERVING
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)
    sys.stdout.write(f"{status}\n")
    return DONE if reply.status == health_pb2.HealthCheckResponse.SERVING else NOT_SERVING


def _credentials(arguments: argparse.Namespace) -> grpc.ChannelCredentials | None:
    authority, key, certificate = (
        None if path is None else Path(path).read_bytes()
        for path in (arguments.tls_ca, arguments.tls_key, arguments.tls_cert)
    )
    if authority is None and certificate is None:
        return None
    return grpc.ssl_channel_credentials(authority, key, certificate)
