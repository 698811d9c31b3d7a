"""A client: of the server that was named, or of one that runs in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import faced_client
from faced_cli.arguments import Connection
from faced_cli.errors import ModelsError, UsageError

_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reached:
    """An open client, and where its server is (`address` is for people)."""

    client: faced_client.Client
    address: str
    embedded: bool


@contextmanager
def reach(connection: Connection, defaults: Mapping[str, str] = _NO_DEFAULTS) -> Iterator[Reached]:
    """Opens a client, and starts the server first where none was named; `defaults` are FACED_* variables for that one,
    where the environment has none.

    Raises:
        ModelsError: the networks are missing or altered, or the packages that run them.
        UsageError: token, certificates or settings cannot be.
    """
    if connection.server is None:
        with _embedded_server(defaults) as target, faced_client.Client(target) as client:
            yield Reached(client, "in this process", embedded=True)
        return
    try:
        client = faced_client.Client(
            connection.server,
            token=connection.token,
            tls_ca=str(connection.tls_ca) if connection.tls_ca else None,
            tls_cert=str(connection.tls_cert) if connection.tls_cert else None,
            tls_key=str(connection.tls_key) if connection.tls_key else None,
        )
    except faced_client.ConfigurationError as error:
        raise UsageError(str(error)) from error
    with client:
        yield Reached(client, connection.server, embedded=False)


@contextmanager
def _embedded_server(defaults: Mapping[str, str]) -> Iterator[str]:
    """The address of a server in this process, set by FACED_* like any other."""
    try:
        from faced_models.errors import DeviceError, WeightsError
        from faced_service.embedded import EmbeddedServer
        from faced_service.setting_sources import load_settings
        from faced_service.settings import SettingsError
    except ImportError as error:
        raise ModelsError(
            f"without --server the networks run in this process, and {error.name or 'a package'} cannot be loaded"
            f" ({error}): pip install 'faced-service[cpu,cli]'"
        ) from error
    with ExitStack() as stack:
        try:
            target = stack.enter_context(EmbeddedServer(load_settings(None, {**defaults, **os.environ}, {})))
        except WeightsError as error:
            raise ModelsError(str(error)) from error
        except (DeviceError, SettingsError) as error:
            raise UsageError(str(error)) from error
        yield target
