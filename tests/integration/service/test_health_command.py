"""`faced health`, as a container runs it."""

import asyncio
import socket

import grpc
import pytest
import trustme
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from faced_service.main import main


@pytest.fixture(autouse=True)
def _no_defaults(monkeypatch):
    for name in ("FACED_SERVER", "FACED_TLS_CA"):
        monkeypatch.delenv(name, raising=False)


def test_a_server_that_serves(target, capsys):
    assert main(["health", "--server", target]) == 0
    assert capsys.readouterr().out == "SERVING\n"


def test_over_tls_by_the_servers_authority(serving, tmp_path, monkeypatch, capsys):
    authority, other = trustme.CA(), trustme.CA()
    issued = authority.issue_cert("faces.example")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    with serving(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem") as (address, _):
        asked = ["health", "--server", address, "--timeout", "2"]
        assert main(asked) == 4
        monkeypatch.setenv("FACED_TLS_CA", str(tmp_path / "ca.pem"))
        assert main(asked) == 4
        assert main([*asked, "--tls-name", "faces.example"]) == 0
        assert main([*asked, "--tls-name", "faces.example", "--tls-ca", str(tmp_path / "other.pem")]) == 4
    assert capsys.readouterr().out == "SERVING\n"


def test_a_server_that_does_not_serve(capsys):
    async def ask():
        server = grpc.aio.server()
        condition = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(condition, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await condition.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        code = await asyncio.to_thread(main, ["health", "--server", f"127.0.0.1:{port}"])
        await server.stop(None)
        return code

    assert asyncio.run(ask()) == 4
    assert capsys.readouterr().out == "NOT_SERVING\n"


def test_no_server_and_no_file(capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    assert main(["health", "--server", address, "--timeout", "2"]) == 4
    assert f"no health from {address}: UNAVAILABLE" in capsys.readouterr().err
    assert main(["health", "--tls-ca", "/none.pem"]) == 2
    assert "/none.pem: No such file" in capsys.readouterr().err
