"""Where the server is, and what a channel to it needs: credentials, options, the token."""

import ipaddress
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import grpc

from faced_client.errors import ConfigurationError

DEFAULT_SERVER = "localhost:50051"
KEEPALIVE_MS = 20_000  # the server takes pings from every 10 s on
RETRY_BUFFER_BYTES = 64 * 1024 * 1024  # gRPC's own 256 KiB would leave larger pictures without a retry

_SERVICE = "faced.v1.FaceAnalysisService"


def _retried(method: str, **policy: int | str) -> dict[str, object]:
    retry = {"backoffMultiplier": 3, "retryableStatusCodes": ["UNAVAILABLE"], **policy}
    return {"name": [{"service": _SERVICE, "method": method}], "retryPolicy": retry}


# A stream is not repeated by gRPC: frames that were answered must not be sent again; see `resumption.py`.
_SERVICE_CONFIG = {
    "methodConfig": [
        # The first call of a client: it is soon said that there is no server.
        _retried("GetServerInfo", maxAttempts=4, initialBackoff="0.1s", maxBackoff="2s"),
        # Later ones: what a server that ends or is full of others' calls leaves undone.
        _retried("Analyze", maxAttempts=5, initialBackoff="0.2s", maxBackoff="4s"),
    ]
}


@dataclass(frozen=True, slots=True)
class Connection:
    """What a channel is made of; `credentials` None = clear text. `metadata` goes with every call."""

    server: str
    credentials: grpc.ChannelCredentials | None
    options: tuple[tuple[str, int | str], ...]
    metadata: tuple[tuple[str, str], ...]


def connection_to(
    server: str | None, token: str | None, tls_ca: str | None, tls_cert: str | None, tls_key: str | None
) -> Connection:
    """TLS is used where any of the `tls_` files (PEM) is given.

    Raises:
        ConfigurationError: the address cannot be, a file is unreadable, certificate and key are not both given, or the
            token would travel in clear text over a network.
    """
    server = server or os.environ.get("FACED_SERVER") or DEFAULT_SERVER
    _check_address(server)
    credentials = _credentials(tls_ca, tls_cert, tls_key)
    local = is_local(server)
    return Connection(
        server=server,
        credentials=credentials,
        options=_options(local),
        metadata=_metadata(token, protected=local or credentials is not None, server=server),
    )


def _check_address(server: str) -> None:
    if server.startswith(("unix:", "unix-abstract:")):
        return
    if not re.fullmatch(r"[!-~]+", server):
        raise ConfigurationError(f"server: {server!r} is no address: visible ASCII characters only")
    port = re.search(r":(\d+)$", server)
    # gRPC takes the port modulo 65,536, and would call another one.
    if port is not None and not 0 < int(port[1]) < 65536:
        raise ConfigurationError(f"server: {server} has no port from 1 to 65535")


def is_local(server: str) -> bool:
    """True for loopback addresses, `localhost` and Unix sockets: what is sent does not leave this host."""
    if server.startswith(("unix:", "unix-abstract:")):
        return True
    address = re.sub(r"^(dns|ipv4|ipv6):(//[^/]*/)?", "", server)
    host = re.fullmatch(r"\[(?P<v6>.*)\](:\d+)?|(?P<host>[^:,]*)(:\d+)?", address)
    if host is None:
        return False
    name = host["v6"] or host["host"] or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _options(local: bool) -> tuple[tuple[str, int | str], ...]:
    return (
        ("grpc.max_receive_message_length", -1),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        # Despite its name how long an attempt to connect may take, TLS included; what is refused is refused at once.
        ("grpc.min_reconnect_backoff_ms", 5_000),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.enable_retries", 1),
        ("grpc.per_rpc_retry_buffer_size", RETRY_BUFFER_BYTES),
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        # A proxy from the environment would carry local calls, token included, off this host.
        ("grpc.enable_http_proxy", 0 if local else 1),
    )


def _metadata(token: str | None, *, protected: bool, server: str) -> tuple[tuple[str, str], ...]:
    if token is None:
        return ()
    if not re.fullmatch(r"[!-~]+", token):
        raise ConfigurationError("token: visible ASCII characters only, and at least one")
    if not protected:
        raise ConfigurationError(f"token: not sent to {server} in clear text; give tls_ca")
    return (("authorization", f"Bearer {token}"),)


def _credentials(tls_ca: str | None, tls_cert: str | None, tls_key: str | None) -> grpc.ChannelCredentials | None:
    if (tls_cert is None) != (tls_key is None):
        raise ConfigurationError("tls_cert and tls_key: both or neither")
    if tls_ca is None and tls_cert is None:
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=_pem("tls_ca", tls_ca),
        private_key=_pem("tls_key", tls_key),
        certificate_chain=_pem("tls_cert", tls_cert),
    )


def _pem(argument: str, path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{argument}: cannot read {path}: {error.strerror}") from error
    if b"-----BEGIN " not in content:
        raise ConfigurationError(f"{argument}: {path} holds no PEM")
    return content
