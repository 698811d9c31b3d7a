"""TLS, mutual TLS and tokens over a real channel.

tls/ holds a throw-away authority's certificate, a server's (for localhost) and a client's signed by it, and the
certificate of another authority; made for these tests with OpenSSL, valid for 100 years.
"""

import asyncio
from pathlib import Path

import grpc
import numpy as np
import pytest

import faced_client
from faced_client import AsyncClient, Client

TLS = Path(__file__).parent / "tls"
CA = str(TLS / "ca.pem")
PAIR = {"tls_cert": str(TLS / "client.pem"), "tls_key": str(TLS / "client.key")}


@pytest.fixture
def pair():
    return [((TLS / "server.key").read_bytes(), (TLS / "server.pem").read_bytes())]


@pytest.fixture
def secure(start_secure, pair):
    return start_secure(grpc.ssl_server_credentials(pair))


@pytest.fixture
def mutual(start_secure, pair):
    authority = (TLS / "ca.pem").read_bytes()
    return start_secure(grpc.ssl_server_credentials(pair, authority, require_client_auth=True))


def test_tls_with_the_servers_authority(secure):
    with Client(secure.address, tls_ca=CA, token="t0k") as client:
        assert client.server_info().version == "1.2.3"
    assert secure.service.metadata[0]["authorization"] == "Bearer t0k"

    async def run():
        async with AsyncClient(secure.address, tls_ca=CA, token="t0k") as client:
            return await client.server_info()

    assert asyncio.run(run()).version == "1.2.3"
    assert secure.service.metadata[1]["authorization"] == "Bearer t0k"


def test_another_authority_is_not_trusted(secure):
    address = secure.address.replace("localhost", "127.0.0.1")  # one address, so one error to name
    with (
        Client(address, tls_ca=str(TLS / "other.pem")) as client,
        pytest.raises(faced_client.Unavailable, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.server_info(timeout=10)
    assert secure.service.info_calls == 0


def test_clear_text_to_a_tls_server_is_unavailable(secure):
    with Client(secure.address) as client, pytest.raises(faced_client.Unavailable, match="no server answers at"):
        client.server_info(timeout=10)


def test_mutual_tls(mutual):
    with Client(mutual.address, tls_ca=CA, **PAIR) as client:
        assert client.server_info().version == "1.2.3"
    with Client(mutual.address, tls_ca=CA) as client, pytest.raises(faced_client.Unavailable):
        client.server_info(timeout=10)


def test_a_token_goes_to_this_host_in_clear_text_with_every_call(running, service):
    picture = np.zeros((4, 4), np.uint8)
    with Client(running.address, token="t0k") as client:
        client.analyze(picture)
        assert len(list(client.stream([picture]))) == 1
    assert [metadata["authorization"] for metadata in service.metadata] == ["Bearer t0k"] * 3
