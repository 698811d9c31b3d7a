"""More is asked than can be done: who gets what, and how soon the others are told.

The detector takes a fixed time without using the processor, so that the figures are those of queues alone.
"""

import asyncio
import time
from collections import Counter
from dataclasses import replace

import grpc
import pytest

from faced_proto.v1 import image_pb2, service_pb2, service_pb2_grpc

DETECT_S = 0.02
CAPACITY = 1 / DETECT_S


class Steady:
    """The real detector's name, and nobody is ever found."""

    def __init__(self, network, seconds):
        self._network, self._seconds = network, seconds

    def __getattr__(self, name):
        return getattr(self._network, name)

    def detect(self, images, plan, thresholds):
        time.sleep(self._seconds * len(images))
        return [()] * len(images)


def slowed(networks, seconds):
    return replace(networks, models=replace(networks.models, detector=Steady(networks.models.detector, seconds)))


@pytest.fixture(scope="module")
def steady(networks):
    return slowed(networks, DETECT_S)


@pytest.fixture(scope="module")
def picture():
    plane = image_pb2.Plane(data=bytes(64 * 64 * 3))
    raw = image_pb2.RawImage(pixel_format=image_pb2.PIXEL_FORMAT_RGB24, width=64, height=64, planes=[plane])
    return image_pb2.Image(raw=raw)


def open_stub(address):
    channel = grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
    return channel, service_pb2_grpc.FaceAnalysisServiceStub(channel)


async def stream(address, picture, got, name, seconds, metadata=()):
    """As many frames as there are credits, all the time."""
    channel, stub = open_stub(address)
    async with channel:
        call = stub.AnalyzeStream(metadata=metadata)
        await call.write(service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig()))
        credits = (await call.read()).started.max_in_flight
        end, number = time.monotonic() + seconds, 0

        async def send():
            nonlocal number
            number += 1
            frame = service_pb2.Frame(frame_id=number, image=picture)
            await call.write(service_pb2.AnalyzeStreamRequest(frame=frame))

        for _ in range(credits):
            await send()
        while time.monotonic() < end:
            assert (await call.read()).outcome.HasField("analysis")
            got[name] += 1
            await send()
        call.cancel()


async def calls(address, picture, codes, seconds, rate, metadata=()):
    """So many calls a second whether they are answered or not; code and seconds of each."""
    channel, stub = open_stub(address)

    async def one():
        begin = time.monotonic()
        code = grpc.StatusCode.OK
        try:
            await stub.Analyze(service_pb2.AnalyzeRequest(image=picture), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            code = error.code()
        codes.append((code, time.monotonic() - begin, time.monotonic()))

    async with channel:
        begin, tasks = time.monotonic(), []
        while (now := time.monotonic()) < begin + seconds:
            while begin + len(tasks) / rate <= now:
                tasks.append(asyncio.create_task(one()))
            await asyncio.sleep(0.002)
        await asyncio.gather(*tasks)


def test_two_equal_streams_beside_one_that_floods_have_their_shares(serving, steady, picture):
    async def play(address):
        got, codes = Counter(), []
        await asyncio.gather(
            *(stream(address, picture, got, name, 3) for name in ("calm", "quiet", *("flood",) * 6)),
            calls(address, picture, codes, 3, CAPACITY),
        )
        return got, sum(code is grpc.StatusCode.OK for code, _, _ in codes)

    with serving(networks=steady) as (address, _):
        got, answered = asyncio.run(play(address))
    # Nine flows of one caller: eight streams and the connection of the calls.
    fair = (got.total() + answered) / 9
    assert min(got["calm"], got["quiet"]) >= 0.8 * fair
    assert answered >= 0.5 * fair


def test_callers_have_their_shares_however_many_streams_another_opens(serving, steady, picture, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("calm:t0k-calm\nquiet:t0k-quiet\nflood:t0k-flood\n")

    def bearer(name):
        return (("authorization", f"Bearer t0k-{name}"),)

    async def play(address):
        got, codes = Counter(), []
        await asyncio.gather(
            *(stream(address, picture, got, name, 4, bearer(name)) for name in ("calm", "quiet", *("flood",) * 16)),
            calls(address, picture, codes, 4, 3 * CAPACITY, bearer("flood")),
        )
        got["flood"] += sum(code is grpc.StatusCode.OK for code, _, _ in codes)
        return got

    with serving(networks=steady, token_file=tokens) as (address, _):
        got = asyncio.run(play(address))
    assert min(got["calm"], got["quiet"]) >= 0.8 * got.total() / 3


@pytest.mark.slow
def test_at_four_times_the_capacity_no_work_is_lost_and_refusals_come_at_once(serving, networks, picture):
    limit, detect_s = 8, 0.05

    async def capacity(address):
        """Calls a second of eight callers that each wait for their answer, and the slowest of one alone."""
        channel, stub = open_stub(address)

        async def one(count):
            begin = time.monotonic()
            for _ in range(count):
                await stub.Analyze(service_pb2.AnalyzeRequest(image=picture))
            return (time.monotonic() - begin) / count

        async with channel:
            alone = [await one(1) for _ in range(5)]
            return 8 / max(await asyncio.gather(*(one(4) for _ in range(8)))), max(alone)

    async def play(address):
        codes = []
        before, alone = await capacity(address)
        begin = time.monotonic()
        await calls(address, picture, codes, 4, 4 / detect_s)
        after, _ = await capacity(address)
        return (before + after) / 2, alone, begin, codes

    with serving(networks=slowed(networks, detect_s), queue_limit=limit) as (address, _):
        per_second, alone, begin, codes = asyncio.run(play(address))
    good = sorted(took for code, took, _ in codes if code is grpc.StatusCode.OK)
    refused = sorted(took for code, took, _ in codes if code is grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert len(good) + len(refused) == len(codes)
    assert len(refused) > 2 * len(good)
    ended = max(end for code, _, end in codes if code is grpc.StatusCode.OK) - begin
    assert len(good) / ended >= 0.8 * per_second
    assert good[int(0.99 * len(good))] <= 1.5 * (limit / per_second + alone)
    assert refused[len(refused) // 2] < 0.02


def test_calls_whose_turn_would_come_too_late_do_not_cost_those_in_time(serving, steady, picture):
    async def play(address):
        channel, stub = open_stub(address)

        async def one(limit):
            try:
                await stub.Analyze(service_pb2.AnalyzeRequest(image=picture), timeout=limit)
            except grpc.aio.AioRpcError as error:
                return error.code()
            return grpc.StatusCode.OK

        async with channel:
            # The server learns how fast it is.
            assert await asyncio.gather(*(one(5) for _ in range(20))) == [grpc.StatusCode.OK] * 20
            patient = [asyncio.create_task(one(5)) for _ in range(20)]
            await asyncio.sleep(0.05)
            hasty = await asyncio.gather(*(one(0.15) for _ in range(20)))
            return await asyncio.gather(*patient), hasty

    with serving(networks=steady) as (address, metrics):
        patient, hasty = asyncio.run(play(address))
    assert patient == [grpc.StatusCode.OK] * 20
    assert Counter(hasty)[grpc.StatusCode.RESOURCE_EXHAUSTED] >= 15
    # Of those, the detector has seen none.
    assert metrics.registry.get_sample_value("faced_batch_size_sum", {"queue": "detect"}) <= 45
