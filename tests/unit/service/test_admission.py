import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from time import monotonic

import pytest

from faced_service.admission import Admission
from faced_service.errors import Overloaded
from faced_service.fair_queue import Expired, Flow

ONE = Flow("one", "a")


def play(scenario, *, queue_limit=32, max_bytes=10**9):
    async def run():
        return await asyncio.wait_for(scenario(Admission(queue_limit=queue_limit, max_bytes=max_bytes)), 20)

    return asyncio.run(run())


def place(admission, flow=ONE, *, size=0, cost=1.0, patient=False, deadline=None):
    return admission.place(flow, size=size, cost=cost, patient=patient, deadline=deadline)


async def fill(stack, admission, flow=ONE, **options):
    """Places until one is refused: how many, and why not one more."""
    count = 0
    while True:
        try:
            await stack.enter_async_context(place(admission, flow, **options))
        except Overloaded as error:
            return count, error
        count += 1


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("limit", [1, 2, 4, 8])
def test_calls_beyond_the_limit_are_refused_at_once(limit):
    async def scenario(admission):
        async with AsyncExitStack() as stack:
            count, error = await fill(stack, admission)
            assert (count, str(error)) == (limit, f"{limit} frames are in hand, and queue_limit is {limit}")
            assert error.retry_after > 0
        async with place(admission):
            pass

    play(scenario, queue_limit=limit)


def test_one_that_floods_leaves_places_for_others():
    async def scenario(admission):
        async with AsyncExitStack() as stack:
            count, error = await fill(stack, admission)
            assert count == 29
            assert str(error) == "29 frames of this connection are in hand, and the last 3 places are for others"
            assert (await fill(stack, admission, Flow("other")))[0] == 2
            # The last one is for a stream.
            async with place(admission, Flow("third"), patient=True):
                pass

    play(scenario)


def test_a_caller_of_many_connections_leaves_places_for_other_callers():
    async def scenario(admission):
        async with AsyncExitStack() as stack:
            count = 0
            for number in range(40):
                count += (await fill(stack, admission, Flow("many", str(number))))[0]
            assert count == 30
            assert (await fill(stack, admission, Flow("other")))[0] == 1

    play(scenario)


def test_streams_leave_places_for_calls_and_calls_for_streams():
    async def scenario(admission):
        async def hold(number):
            async with place(admission, Flow("one", f"stream {number}"), patient=True):
                await asyncio.sleep(60)

        streams = [asyncio.create_task(hold(number)) for number in range(64)]
        await settle()
        assert admission.waiting == 64 - 30
        async with AsyncExitStack() as stack:
            assert (await fill(stack, admission, Flow("two")))[0] == 2
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        assert admission.waiting == 0
        async with AsyncExitStack() as stack:
            assert (await fill(stack, admission))[0] == 29

    play(scenario)


def test_a_callers_calls_find_a_place_beside_its_own_streams():
    async def scenario(admission):
        async def hold(number):
            async with place(admission, Flow("one", f"stream {number}"), patient=True):
                await asyncio.sleep(60)

        streams = [asyncio.create_task(hold(number)) for number in range(64)]
        await settle()
        async with AsyncExitStack() as stack:
            count, error = await fill(stack, admission, Flow("one", "calls"))
            assert count == 1
            assert str(error) == "31 frames of this caller are in hand, and the last 1 places are for others"
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)

    play(scenario)


def test_streams_wait_and_get_places_in_turns_of_their_callers():
    async def scenario(admission):
        order = []

        async def once(flow):
            async with place(admission, flow, patient=True):
                order.append(flow.caller)
                await asyncio.sleep(0)

        async with place(admission, Flow("holder")):
            tasks = [asyncio.create_task(once(Flow("flood", str(n % 8)))) for n in range(24)]
            tasks += [asyncio.create_task(once(Flow("calm"))) for _ in range(6)]
            await settle()
            assert order == []
        await asyncio.gather(*tasks)
        assert Counter(order[:12]) == {"flood": 6, "calm": 6}

    play(scenario, queue_limit=1)


def test_bytes_bound_what_is_in_hand_and_one_picture_is_always_taken():
    async def scenario(admission):
        let_go = admission.hold(600)
        async with place(admission, size=900):
            with pytest.raises(Overloaded, match="1500 bytes are in hand, and max_in_flight_bytes is 1000"):
                async with place(admission, size=1):
                    pass
        async with place(admission, size=300):
            async with place(admission, size=100):
                assert admission.bytes == 1000
            let_go()
            let_go()
            assert admission.bytes == 300
        assert admission.bytes == 0

    play(scenario, max_bytes=1000)


def test_a_large_frame_of_a_stream_is_not_overtaken_for_ever():
    async def scenario(admission):
        order = []

        async def once(name, size):
            async with place(admission, Flow(name), size=size, patient=True):
                order.append(name)
                await asyncio.sleep(0)

        async with place(admission, size=600):
            large = asyncio.create_task(once("large", 900))
            await settle()
            small = [asyncio.create_task(once("small", 100)) for _ in range(5)]
            await settle()
            assert order == []
        await asyncio.gather(large, *small)
        assert order[0] == "large"

    play(scenario, max_bytes=1000)


def test_streams_are_read_only_while_there_is_room():
    async def scenario(admission):
        await admission.room()
        let_go = admission.hold(1000)
        waiting = asyncio.create_task(admission.room())
        await settle()
        assert not waiting.done()
        let_go()
        await waiting

    play(scenario, max_bytes=1000)


def test_pictures_that_arrive_are_bounded_too():
    async def scenario(admission):
        full = "2 pictures are arriving, and queue_limit is 2"
        with (
            admission.upload(ONE),
            admission.upload(ONE),
            pytest.raises(Overloaded, match=full),
            admission.upload(ONE),
        ):
            pass
        async with AsyncExitStack() as stack:
            await fill(stack, admission)
            with pytest.raises(Overloaded, match="2 frames are in hand"), admission.upload(ONE):
                pass

    play(scenario, queue_limit=2)


def test_what_would_come_too_late_is_refused_at_once():
    async def scenario(admission):
        for _ in range(20):
            async with place(admission):
                await asyncio.sleep(0.02)
        async with AsyncExitStack() as stack:
            for _ in range(10):
                await stack.enter_async_context(place(admission))
            with pytest.raises(Overloaded, match="10 frames would be analysed before this one") as caught:
                async with place(admission, deadline=monotonic() + 0.1):
                    pass
            assert 0.15 < caught.value.retry_after < 0.5
            # Another flow gets a turn long before, and who has time is taken.
            async with place(admission, Flow("other"), deadline=monotonic() + 0.1):
                pass
            async with place(admission, deadline=monotonic() + 2):
                pass

    play(scenario)


def test_a_frame_that_waited_too_long_for_a_place_is_expired():
    async def scenario(admission):
        async def late():
            async with place(admission, patient=True, deadline=monotonic() + 0.02):
                pass

        async with place(admission, Flow("holder")):
            task = asyncio.create_task(late())
            await asyncio.sleep(0.04)
        with pytest.raises(Expired):
            await task
        async with place(admission):
            pass

    play(scenario, queue_limit=1)


def test_a_wait_that_is_cancelled_as_its_place_comes_gives_it_back():
    async def scenario(admission):
        async def once():
            async with place(admission, patient=True):
                await asyncio.sleep(60)

        async with place(admission, Flow("holder")):
            task = asyncio.create_task(once())
            await settle()
        # The place is handed over, and the task has not run yet.
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with place(admission):
            pass

    play(scenario, queue_limit=1)
