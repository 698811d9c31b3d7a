"""The asynchronous client over a real channel."""

import asyncio
import itertools
import threading
import time

import grpc
import numpy as np
import pytest

import faced_client
from faced_client import AsyncClient, StreamFrame
from faced_proto.types import ErrorReason, FrameFailure, StreamMode

RGB = np.random.default_rng(8).integers(0, 256, (30, 50, 3), np.uint8)


def frames(count):
    for i in range(count):
        yield np.full((8, 8, 3), i, np.uint8)


async def later(source):
    for frame in source:
        await asyncio.sleep(0)
        yield frame


def test_analyze_gives_what_the_synchronous_client_gives(running, client):
    async def run():
        async with AsyncClient(running.address) as aclient:
            return await aclient.analyze(RGB, channels="bgr", attributes=["age"], rotation=270)

    assert asyncio.run(run()) == client.analyze(RGB, channels="bgr", attributes=["age"], rotation=270)


def test_calls_run_side_by_side(running, service):
    service.before_analyze = lambda request, context: time.sleep(0.3)

    async def run():
        async with AsyncClient(running.address) as client:
            await client.server_info()
            begun = time.monotonic()
            await asyncio.gather(*(client.analyze(RGB) for _ in range(4)))
            return time.monotonic() - begun

    assert asyncio.run(run()) < 0.9


def test_a_picture_that_cannot_be_sent_fails_alone_and_in_turn(running):
    async def run():
        async with AsyncClient(running.address) as client:
            return [outcome.result async for outcome in client.stream([b"", RGB, b"", b"", b"", RGB])]

    results = asyncio.run(run())
    assert [isinstance(result, FrameFailure) for result in results] == [True, False, True, True, True, False]
    assert results[0].message == "image: is empty"


@pytest.mark.parametrize("wrap", [list, iter, later], ids=["list", "iterator", "async"])
def test_stream_gives_one_outcome_for_each_frame_in_order(running, service, wrap):
    async def run():
        async with AsyncClient(running.address) as client:
            stream = client.stream(wrap(frames(12)), mode=StreamMode.LIVE)
            return [(o.frame_id, o.result.faces[0].detection.score) async for o in stream]

    assert asyncio.run(run()) == [(i, float(i)) for i in range(12)]
    assert service.configs[0].mode is StreamMode.LIVE


def test_no_more_frames_are_unanswered_than_the_server_allows(running, service):
    service.answer_after = 0.02

    async def run():
        async with AsyncClient(running.address) as client:
            return [outcome.frame_id async for outcome in client.stream(frames(15))]

    assert asyncio.run(run()) == list(range(15))
    assert service.most_unanswered == service.max_in_flight


def test_stopping_early_ends_the_call(running, service):
    async def run():
        async with AsyncClient(running.address) as client:
            stream = client.stream(np.zeros((4, 4, 3), np.uint8) for _ in itertools.count())
            async for outcome in stream:
                if outcome.frame_id == 3:
                    break
            await stream.aclose()
            assert await asyncio.to_thread(service.stream_ended.wait, 2)
            return [outcome.frame_id async for outcome in client.stream(frames(2))]

    assert asyncio.run(run()) == [0, 1]


@pytest.mark.parametrize("error", [RuntimeError("unplugged"), TimeoutError("no picture")])
@pytest.mark.parametrize("wrap", [iter, later], ids=["iterator", "async"])
def test_an_exception_of_the_frames_reaches_the_caller_after_the_frames_before_it(running, wrap, error):
    def broken():
        yield from frames(4)
        raise error

    seen = []

    async def run():
        async with AsyncClient(running.address) as client:
            async for outcome in client.stream(wrap(broken())):
                seen.append(outcome.frame_id)  # noqa: PERF401  (a comprehension would lose them when it raises)

    with pytest.raises(type(error), match=str(error)) as caught:
        asyncio.run(run())
    assert caught.value.args == error.args  # asyncio hands on a copy of a TimeoutError
    assert seen == [0, 1, 2, 3]


def test_failures_become_exceptions(running, service):
    def truncated(request, context):
        context.set_trailing_metadata([("faced-reason", "image_truncated")])
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "ends early")

    service.before_analyze = truncated

    async def run():
        async with AsyncClient(running.address) as client:
            with pytest.raises(faced_client.InvalidImage, match="ends early") as caught:
                await client.analyze(b"x")
            assert caught.value.reason is ErrorReason.IMAGE_TRUNCATED
            with pytest.raises(faced_client.InvalidImage, match="is empty"):
                await client.analyze(b"")
            service.before_analyze = lambda request, context: time.sleep(0.5)
            with pytest.raises(faced_client.DeadlineExceeded):
                await client.analyze(b"x", timeout=0.1)

    asyncio.run(run())


def test_unavailable_is_tried_again(running, service):
    def refuse_twice(request, context):
        if len(service.requests) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")

    service.before_analyze = refuse_twice

    async def run():
        async with AsyncClient(running.address) as client:
            return await client.analyze(RGB)

    assert asyncio.run(run()).width == 50
    assert len(service.requests) == 3


def test_streams_that_fail(running, service):
    async def drain(source, **options):
        async with AsyncClient(running.address) as client:
            return [outcome async for outcome in client.stream(source, **options)]

    with pytest.raises(faced_client.InvalidRequest, match="frame_id: 0"):
        asyncio.run(drain([RGB, StreamFrame(RGB, frame_id=0)]))
    service.drain_after = 2
    with pytest.raises(faced_client.Unavailable, match="server is stopping"):
        asyncio.run(drain(frames(30), reconnect=0))
    assert len(asyncio.run(drain(frames(2)))) == 2
    service.before_stream = lambda context: time.sleep(0.6)
    with pytest.raises(faced_client.DeadlineExceeded, match="no stream from localhost"):
        asyncio.run(drain(frames(3), timeout=0.2))


def test_a_server_that_is_not_there_is_named():
    async def run():
        async with AsyncClient("localhost:1") as client:
            with pytest.raises(faced_client.Unavailable, match="no server answers at localhost:1"):
                await client.analyze(b"x", timeout=10)

    asyncio.run(run())


def test_closing_ends_calls_in_flight_and_later_ones(running, service):
    release = threading.Event()
    service.before_analyze = lambda request, context: release.wait(5)
    service.before_answer = lambda frame_id, context: release.wait(5)

    async def run():
        client = AsyncClient(running.address)
        await client.server_info()
        call = asyncio.create_task(client.analyze(RGB))
        stream = asyncio.create_task(anext(client.stream(frames(3))))
        await asyncio.sleep(0.2)
        await client.close()
        for task in (call, stream):
            with pytest.raises(faced_client.Cancelled, match="closed"):
                await task
        with pytest.raises(faced_client.Cancelled, match="closed"):
            await client.analyze(RGB)

    asyncio.run(run())
    release.set()


def test_a_cancelled_task_stays_cancelled(running, service):
    service.before_analyze = lambda request, context: time.sleep(0.3)

    async def run():
        async with AsyncClient(running.address) as client:
            call = asyncio.create_task(client.analyze(b"x"))
            await asyncio.sleep(0.1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(run())


def test_a_blocking_source_does_not_block_the_loop(running):
    def slow():
        for frame in frames(3):
            time.sleep(0.2)
            yield frame

    async def run():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with AsyncClient(running.address) as client:
            outcomes = [outcome async for outcome in client.stream(slow())]
        ticking.cancel()
        return len(outcomes), ticks

    count, ticks = asyncio.run(run())
    assert count == 3
    assert ticks > 25
