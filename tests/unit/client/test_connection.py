"""What a connection is made of, and when a token may travel."""

import json

import pytest

from faced_client import ConfigurationError
from faced_client.connection import connection_to, is_local


def connect(server=None, **given):
    return connection_to(server, **{"token": None, "tls_ca": None, "tls_cert": None, "tls_key": None, **given})


@pytest.fixture
def pem(tmp_path):
    path = tmp_path / "some.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\n")
    return str(path)


@pytest.mark.parametrize(
    "server",
    [
        "localhost:50051",
        "localhost",
        "127.0.0.1:1",
        "127.8.9.1:1",
        "[::1]:50051",
        "dns:///localhost:1",
        "ipv4:127.0.0.1:1",
        "ipv6:[::1]:1",
        "unix:/run/faced.sock",
        "unix-abstract:faced",
    ],
)
def test_this_host(server):
    assert is_local(server)
    assert dict(connect(server).options)["grpc.enable_http_proxy"] == 0


@pytest.mark.parametrize(
    "server",
    [
        "example.org:50051",
        "localhost.example.org:1",
        "10.0.0.1:1",
        "0.0.0.0:1",
        "[2001:db8::1]:1",
        "dns:///example.org:1",
        "dns://127.0.0.1/example.org:1",
        "ipv4:127.0.0.1:1,10.0.0.1:1",
        "",
        ":1",
    ],
)
def test_elsewhere(server):
    assert not is_local(server)


def test_the_address_is_the_argument_else_the_environment_else_the_default(monkeypatch):
    monkeypatch.delenv("FACED_SERVER", raising=False)
    assert connect().server == "localhost:50051"
    monkeypatch.setenv("FACED_SERVER", "there:1")
    assert connect().server == "there:1"
    assert connect("here:2").server == "here:2"


def test_the_token_stays_off_clear_networks(pem):
    assert connect("localhost:1", token="t0k").metadata == (("authorization", "Bearer t0k"),)
    with pytest.raises(ConfigurationError, match=r"not sent to example\.org:1 in clear text") as caught:
        connect("example.org:1", token="s3cret")
    assert "s3cret" not in str(caught.value)
    assert connect("example.org:1", token="t0k", tls_ca=pem).metadata == (("authorization", "Bearer t0k"),)


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ä"])
def test_a_token_that_no_header_can_carry_is_refused(token):
    with pytest.raises(ConfigurationError, match="token: visible ASCII"):
        connect("localhost:1", token=token)


def test_files_are_checked_by_argument(pem, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.touch()
    for given, said in [
        ({"tls_ca": str(tmp_path / "none.pem")}, r"tls_ca: cannot read .*none\.pem: No such file"),
        ({"tls_ca": str(empty)}, r"tls_ca: .*empty\.pem holds no PEM"),
        ({"tls_cert": pem}, "both or neither"),
        ({"tls_key": pem}, "both or neither"),
        ({"tls_cert": pem, "tls_key": str(tmp_path)}, "tls_key: cannot read"),
    ]:
        with pytest.raises(ConfigurationError, match=said):
            connect("localhost:1", **given)


def test_only_unary_calls_are_repeated_and_only_when_unavailable():
    options = dict(connect().options)
    methods = {
        name["method"]: entry["retryPolicy"]
        for entry in json.loads(options["grpc.service_config"])["methodConfig"]
        for name in entry["name"]
    }
    assert sorted(methods) == ["Analyze", "GetServerInfo"]
    assert all(policy["retryableStatusCodes"] == ["UNAVAILABLE"] for policy in methods.values())
    assert methods["Analyze"]["maxAttempts"] == 5
    assert methods["GetServerInfo"]["maxAttempts"] == 4
    assert options["grpc.keepalive_time_ms"] == 20_000
    assert options["grpc.max_receive_message_length"] == -1


@pytest.mark.parametrize("server", ["host:0", "127.0.0.1:99999", "[::1]:65536", "a host:1", "host\x1b:1"])
def test_an_address_that_cannot_be_is_refused(server):
    with pytest.raises(ConfigurationError, match="server: "):
        connection_to(server, None, None, None, None)


@pytest.mark.parametrize("server", ["host", "host:65535", "[::1]:1", "::1", "unix:/tmp/a b/socket:99999"])
def test_other_addresses_are_taken(server):
    assert connection_to(server, None, None, None, None).server == server
