"""Turns of a batcher: in its shares' order, one at a time, as late as an item can still be ready."""

import asyncio
import threading
import time

import pytest

from faced_service.batcher import Batcher, Closed
from faced_service.fair_queue import Flow

RUN_S = 0.1


class Work:
    """Takes its time; notes what it was given, when, and how old."""

    def __init__(self, seconds=RUN_S):
        self.seconds = seconds
        self.ages = []
        self.seen = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, _key, items):
        self.ages += [time.monotonic() - made for made, _ in items]
        self.seen += [name for _, name in items]
        self.gate.wait(10)
        time.sleep(self.seconds)
        return items


def batcher(work, max_batch=1):
    return Batcher("test", work, max_batch=max_batch, max_wait=0.0, queue_limit=100)


async def one(subject, flow, prepare_s=0.0, cost=1.0):
    """An item made when its turn comes."""
    turn = await subject.turn(flow)
    try:
        made = time.monotonic()
        await asyncio.sleep(prepare_s)
        return await subject.submit((made, flow.part), key="k", flow=flow, cost=cost, turn=turn)
    finally:
        turn.end()


def test_items_are_made_shortly_before_their_work_begins_and_the_thread_is_kept_busy():
    async def scenario():
        work = Work()
        subject = batcher(work)
        begun = time.monotonic()

        async def stream(name):
            for _ in range(4):
                await one(subject, Flow("caller", name), prepare_s=0.01)

        await asyncio.gather(*(stream(str(number)) for number in range(5)))
        took = time.monotonic() - begun
        await subject.close(drain=True)
        return work, took

    work, took = asyncio.run(scenario())
    assert len(work.ages) == 20
    # The first ones come before it is known how long runs take.
    assert sorted(work.ages[5:])[12] < 0.6 * RUN_S
    assert took < 20 * RUN_S * 1.25
    # In turns.
    for begin in range(0, 20, 5):
        assert sorted(work.seen[begin : begin + 5]) == ["0", "1", "2", "3", "4"]


def test_turns_follow_the_shares_of_what_was_done():
    async def scenario():
        work = Work(0.01)
        subject = batcher(work)

        async def stream(name, cost, number):
            while len(work.seen) < 60:
                turn = await subject.turn(Flow(name, str(number)))
                await subject.submit((time.monotonic(), name), key="k", flow=turn.flow, cost=cost, turn=turn)

        await asyncio.gather(
            *(stream(*kind, number) for kind in (("dear", 3.0), ("cheap", 1.0)) for number in range(4))
        )
        await subject.close(drain=True)
        return work.seen

    seen = asyncio.run(scenario())
    assert seen.count("cheap") / seen.count("dear") == pytest.approx(3, rel=0.25)


def test_those_without_turns_keep_their_share():
    async def scenario():
        work = Work(0.01)
        subject = batcher(work)

        async def stream(name):
            while len(work.seen) < 60:
                await one(subject, Flow("live", name))

        async def calls():
            while len(work.seen) < 60:
                await subject.submit((time.monotonic(), "call"), key="k", flow=Flow("other", "call"))

        await asyncio.gather(*(stream(str(number)) for number in range(4)), *(calls() for _ in range(4)))
        await subject.close(drain=True)
        return work.seen

    assert asyncio.run(scenario()).count("call") == pytest.approx(32, abs=8)


def test_no_more_turns_are_out_than_a_batch_holds_and_ended_ones_make_room():
    async def scenario():
        subject = batcher(Work(), max_batch=2)
        first, second = [await subject.turn(Flow("caller", name)) for name in "ab"]
        third = asyncio.create_task(subject.turn(Flow("caller", "c")))
        await asyncio.sleep(0.02)
        assert not third.done()
        assert len(subject) == 1
        first.end()
        first.end()
        await asyncio.sleep(0)
        turn = await third
        fourth = asyncio.create_task(subject.turn(Flow("caller", "d")))
        await asyncio.sleep(0.02)
        assert not fourth.done()
        for ended in (second, turn):
            ended.end()
        (await fourth).end()
        await subject.close(drain=True)

    asyncio.run(scenario())


def test_waits_that_are_cancelled_leave_nothing_behind():
    async def scenario():
        subject = batcher(Work())
        held = await subject.turn(Flow("a"))
        waiting = asyncio.create_task(subject.turn(Flow("b")))
        await asyncio.sleep(0)
        waiting.cancel()
        held.end()
        await asyncio.gather(waiting, return_exceptions=True)
        # One that was handed over in the same moment.
        held = await subject.turn(Flow("a"))
        waiting = asyncio.create_task(subject.turn(Flow("b")))
        await asyncio.sleep(0)
        held.end()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        (await asyncio.wait_for(subject.turn(Flow("c")), 1)).end()
        assert len(subject) == 0
        assert subject._queue._reserved == set()
        await subject.close(drain=True)

    asyncio.run(scenario())


def test_a_batcher_that_closes_leaves_nobody_waiting():
    async def scenario():
        subject = batcher(Work())
        await subject.turn(Flow("held"))
        tasks = [asyncio.create_task(one(subject, Flow("caller", str(number)))) for number in range(3)]
        await asyncio.sleep(0.01)
        await subject.close(drain=False)
        assert [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)] == [Closed] * 3

    asyncio.run(scenario())
