"""Certificates for gRPC's port, new ones for each handshake that comes after they changed."""

from __future__ import annotations

import grpc

from faced_service.certificates import Certificates
from faced_service.watched_files import WatchedFiles


def server_credentials(certificates: WatchedFiles[Certificates]) -> grpc.ServerCredentials:
    """TLS, mutual where there are authorities for callers."""
    first = given = certificates.value

    def newest() -> grpc.ServerCertificateConfiguration | None:
        # Called before each handshake, one at a time; None = what was given before.
        nonlocal given
        now = certificates.value
        if now is given:
            return None
        given = now
        return _configuration(now)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(first), newest, require_client_authentication=first.client_authorities is not None
    )


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(certificates.key, certificates.chain)], certificates.client_authorities
    )
