"""What streams are told when the server stops."""

import asyncio
from dataclasses import replace
from time import monotonic

import grpc
import pytest

import faced_client
from faced_proto.types import FrameAnalysis
from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service.server import running_server
from faced_service.settings import Settings

GRACE_S = 4.0


def config():
    return service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig())


def frame(number, image):
    return service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=number, image=image))


class Stopping:
    """A server, and the moment at which it begins to stop."""

    def __init__(self, networks):
        self._networks = networks
        self.begin = asyncio.Event()
        self.address = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run())

    async def _run(self):
        settings = replace(Settings(), drain_grace_s=GRACE_S)
        async with running_server(self._networks, settings, "127.0.0.1:0") as address:
            self.address.set_result(address)
            await self.begin.wait()


async def opened(server, raw_face):
    """A stream with one answered frame."""
    channel = grpc.aio.insecure_channel(await server.address)
    call = service_pb2_grpc.FaceAnalysisServiceStub(channel).AnalyzeStream()
    await call.write(config())
    assert (await call.read()).HasField("started")
    await call.write(frame(0, raw_face))
    assert (await call.read()).outcome.HasField("analysis")
    return channel, call


def test_streams_are_told_and_frames_that_come_later_are_dropped(networks, raw_face):
    async def play():
        server = Stopping(networks)
        channel, call = await opened(server, raw_face)
        async with channel:
            server.begin.set()
            told = await call.read()
            assert told.draining.grace.seconds == GRACE_S
            for number in (1, 2):
                await call.write(frame(number, raw_face))
                outcome = (await call.read()).outcome
                assert (outcome.frame_id, outcome.dropped.reason) == (number, service_pb2.DROP_REASON_DRAINING)
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF
            assert await call.code() is grpc.StatusCode.OK
        await server.task

    asyncio.run(play())


def test_a_silent_stream_is_ended_by_the_server_before_the_grace_is_over(networks, raw_face):
    async def play():
        server = Stopping(networks)
        channel, call = await opened(server, raw_face)
        async with channel:
            begun = monotonic()
            server.begin.set()
            assert (await call.read()).HasField("draining")
            assert await call.read() is grpc.aio.EOF
            assert await call.code() is grpc.StatusCode.OK
            assert 0.9 < monotonic() - begun < GRACE_S
        await server.task

    asyncio.run(play())


def test_a_stream_that_has_not_begun_is_told_at_once_to_come_again(networks):
    async def play():
        server = Stopping(networks)
        async with grpc.aio.insecure_channel(await server.address) as channel:
            stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
            call = stub.AnalyzeStream()
            await call.wait_for_connection()
            # The call is there when another that came after it is answered.
            await stub.GetServerInfo(service_pb2.GetServerInfoRequest())
            begun = monotonic()
            server.begin.set()
            assert await call.code() is grpc.StatusCode.UNAVAILABLE
            assert dict(await call.trailing_metadata())["faced-reason"] == "not_ready"
            await server.task
            assert monotonic() - begun < GRACE_S / 2

    asyncio.run(play())


def test_the_sdk_gets_all_answers_and_without_reconnecting_says_that_the_server_is_stopping(networks, astronaut):
    face = astronaut[:256, 96:352]

    async def endless():
        while True:
            yield face
            await asyncio.sleep(0.01)

    async def play():
        server = Stopping(networks)
        results = []
        async with faced_client.AsyncClient(await server.address) as client:

            async def follow():
                async for outcome in client.stream(endless(), reconnect=0):
                    results.append(type(outcome.result))
                    if len(results) == 3:
                        server.begin.set()

            with pytest.raises(faced_client.Unavailable, match="the server is stopping"):
                await follow()
        await server.task
        return results

    results = asyncio.run(play())
    # Frames that the server gave back are none that were answered.
    assert results == [FrameAnalysis] * len(results)
    assert len(results) >= 3
