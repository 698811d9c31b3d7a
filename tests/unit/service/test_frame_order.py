"""Frames that are ready in any order, and go on in that of their places."""

import asyncio

from faced_service.frame_order import FrameOrder


def test_frames_go_on_in_the_order_of_their_places():
    async def run():
        order, reached = FrameOrder(), []
        places = [order.place() for _ in range(5)]

        async def go(place):
            await place.reached()
            reached.append(place.number)
            place.passed()

        tasks = []
        for number in (3, 4, 1, 0):
            tasks.append(asyncio.create_task(go(places[number])))
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        before = list(reached)
        # One that fails or is left out never comes; it passes, and may say so twice.
        places[2].passed()
        places[2].passed()
        await asyncio.gather(*tasks)
        return before, reached

    before, reached = asyncio.run(run())
    assert before == [0, 1]
    assert reached == [0, 1, 3, 4]


def test_a_frame_that_is_cancelled_while_it_waits_holds_up_nobody_once_it_has_passed():
    async def run():
        order = FrameOrder()
        first, second, third = (order.place() for _ in range(3))
        waiting = asyncio.create_task(second.reached())
        last = asyncio.create_task(third.reached())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        second.passed()
        assert not last.done()
        first.passed()
        await asyncio.wait_for(last, 1)

    asyncio.run(run())
