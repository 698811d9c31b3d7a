"""The server's certificate and key, and the authorities of its callers', checked before they are used."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from faced_service.settings import Settings, SettingsError
from faced_service.watched_files import FileFault, OnReload, WatchedFiles, no_matter, read_file


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM. With `client_authorities`, callers must show a certificate that one of these signed."""

    chain: bytes
    key: bytes
    client_authorities: bytes | None


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where they lie."""

    chain: Path
    key: Path
    client_authorities: Path | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that there are."""
        return tuple(path for path in (self.chain, self.key, self.client_authorities) if path is not None)

    def read(self) -> Certificates:
        """What they hold.

        Raises:
            FileFault: a file cannot be read, holds no PEM, or certificate and key do not belong together.
        """
        chain, key = read_file(self.chain), read_file(self.key)
        authorities = None if self.client_authorities is None else read_file(self.client_authorities)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # An encrypted key would ask for its password on the terminal.
            context.load_cert_chain(self.chain, self.key, password="")
        except (ssl.SSLError, OSError, ValueError) as error:
            raise FileFault(
                f"{self.chain} and {self.key} are no PEM certificate with its unencrypted key: {_why(error)}"
            ) from error
        if authorities is not None:
            try:
                context.load_verify_locations(cadata=authorities.decode("ascii"))
            except (ssl.SSLError, ValueError) as error:
                raise FileFault(f"{self.client_authorities} holds no PEM certificates: {_why(error)}") from error
        return Certificates(chain, key, authorities)


def open_certificates(settings: Settings, on_reload: OnReload = no_matter) -> WatchedFiles[Certificates] | None:
    """What the settings name, read; None without TLS.

    Raises:
        SettingsError: the files cannot be used.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    files = CertificateFiles(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    try:
        return WatchedFiles("certificates", files.paths, files.read, on_reload=on_reload)
    except FileFault as error:
        raise SettingsError(f"tls_cert, tls_key, tls_client_ca: {error}") from error


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error).lower().replace("_", " ")
