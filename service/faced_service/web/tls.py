"""TLS of the gateway: the certificates of the gRPC server, exchanged while it serves."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from faced_service.certificates import Certificates
from faced_service.watched_files import WatchedFiles


def server_context(certificates: WatchedFiles[Certificates]) -> ssl.SSLContext:
    """What a handshake begins with; each goes on with the newest certificates."""
    given = certificates.value
    newest = first = _context(given)

    def refresh(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _first: ssl.SSLContext) -> None:
        nonlocal given, newest
        now = certificates.value
        if now is not given:
            given, newest = now, _context(now)
        connection.context = newest

    first.sni_callback = refresh
    return first


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # The library reads files alone, and those on disk may have changed since they were checked.
    with tempfile.TemporaryDirectory(prefix="faced-tls-") as folder:
        chain, key = Path(folder) / "chain", Path(folder) / "key"
        chain.write_bytes(certificates.chain)
        key.touch(mode=0o600)
        key.write_bytes(certificates.key)
        context.load_cert_chain(chain, key)
    if certificates.client_authorities is not None:
        context.load_verify_locations(cadata=certificates.client_authorities.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context
