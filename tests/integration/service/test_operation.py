"""What operators rely on: reflection, the age of connections, the order of stopping, networks that are not loaded."""

import asyncio
import socket
from dataclasses import replace
from time import monotonic

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import faced_client
from faced_client import connection
from faced_proto.types import FrameAnalysis
from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service import server
from faced_service.addresses import AddressError
from faced_service.networks import load_networks
from faced_service.server import running_server
from faced_service.settings import Settings

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
INFO = service_pb2.GetServerInfoRequest()


@pytest.mark.parametrize(
    ("settings", "loaded"),
    [
        ({"allowed_attributes": ("emotion",)}, {"emotion"}),
        ({"allowed_attributes": ("gender",)}, {"gender", "age"}),
        ({"allowed_attributes": ("gender",), "gender_without_age_guard": True}, {"gender"}),
        ({"allowed_attributes": ("age_group",)}, {"age"}),
        ({"allowed_attributes": ()}, set()),
    ],
)
def test_networks_that_nobody_may_ask_for_are_not_loaded(settings, loaded):
    assert set(load_networks(Settings(**settings)).models.classifiers) == loaded


def test_an_operator_may_do_without_the_age_guard(serving, raw_face):
    with (
        serving(gender_without_age_guard=True, gender_guard_threshold=0.0, allowed_attributes=("gender",)) as (
            address,
            _,
        ),
        grpc.insecure_channel(address) as channel,
    ):
        (face,) = (
            service_pb2_grpc.FaceAnalysisServiceStub(channel)
            .Analyze(service_pb2.AnalyzeRequest(image=raw_face))
            .analysis.faces
        )
        (result,) = face.attributes
        assert sum(result.distribution.probabilities) == pytest.approx(1, abs=1e-5)


def test_the_sdk_pings_no_more_often_than_the_server_takes():
    taken = dict(server._options(Settings(), False))
    assert taken["grpc.http2.min_recv_ping_interval_without_data_ms"] * 2 <= connection.KEEPALIVE_MS
    assert taken["grpc.keepalive_permit_without_calls"] == 1


def reflect(channel, metadata=()):
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = stub.ServerReflectionInfo(iter([request]), metadata=metadata, timeout=10)
    return {service.name for service in answer.list_services_response.service}


def test_reflection_is_an_option_and_for_callers_only(serving, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("door:t0k\n")
    with serving(reflection=True, token_file=tokens) as (address, _), grpc.insecure_channel(address) as channel:
        assert {"faced.v1.FaceAnalysisService", "grpc.health.v1.Health"} <= reflect(
            channel, (("authorization", "Bearer t0k"),)
        )
        with pytest.raises(grpc.RpcError) as caught:
            reflect(channel)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    with serving() as (address, _), grpc.insecure_channel(address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            reflect(channel)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_streams_of_old_connections_are_told_and_the_sdk_goes_on_without_a_loss(serving, astronaut):
    face = np.ascontiguousarray(astronaut[:256, 96:352])
    end = monotonic() + 3.2

    async def frames():
        while monotonic() < end:
            yield face
            await asyncio.sleep(0.05)

    async def play(address):
        async with faced_client.AsyncClient(address) as client:
            return [outcome async for outcome in client.stream(frames())]

    with serving(max_connection_age_s=1) as (address, metrics):
        outcomes = asyncio.run(play(address))
    assert all(isinstance(outcome.result, FrameAnalysis) for outcome in outcomes)
    assert [outcome.frame_id for outcome in outcomes] == list(range(len(outcomes)))
    streams = [
        metrics.registry.get_sample_value(
            "faced_requests_total", {"method": "AnalyzeStream", "code": code, "caller": ""}
        )
        for code in ("OK", "CANCELLED")
    ]
    assert sum(filter(None, streams)) >= 3


def test_a_server_that_cannot_start_says_so_at_once(networks):
    async def start(port):
        async with running_server(networks, replace(Settings(), drain_wait_s=60), f"127.0.0.1:{port}"):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken:
        begun = monotonic()
        with pytest.raises(AddressError):
            asyncio.run(start(taken.getsockname()[1]))
    assert monotonic() - begun < 20


def test_health_says_so_before_new_calls_are_refused(networks, raw_face):
    async def play():
        stop, address = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def serve():
            settings = replace(Settings(), drain_wait_s=0.6, drain_grace_s=2)
            async with running_server(networks, settings, "127.0.0.1:0") as bound:
                address.set_result(bound)
                await stop.wait()

        running = asyncio.create_task(serve())
        async with grpc.aio.insecure_channel(await address) as channel:
            health, stub = health_pb2_grpc.HealthStub(channel), service_pb2_grpc.FaceAnalysisServiceStub(channel)
            for service in ("", "faced.v1.FaceAnalysisService"):
                assert (await health.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING
            watched = health.Watch(health_pb2.HealthCheckRequest(service="faced.v1.FaceAnalysisService"))
            assert (await watched.read()).status == SERVING
            stop.set()
            assert (await watched.read()).status == NOT_SERVING
            # Load balancers that have not noticed yet lose nothing.
            assert len((await stub.Analyze(service_pb2.AnalyzeRequest(image=raw_face))).analysis.faces) == 1
            watched.cancel()
            await running
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetServerInfo(INFO, timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    asyncio.run(play())
