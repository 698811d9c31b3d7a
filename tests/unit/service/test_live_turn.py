"""Frames of a live stream that wait for what their caller may have, under the real limits."""

import asyncio
import math
from functools import partial
from time import monotonic

import pytest

from faced_service.access import Access, Caller
from faced_service.errors import DeadlineExceeded, QuotaExceeded
from faced_service.live_turn import LiveTurn
from faced_service.stream_frame import StreamFrame, WaitingFrame

CALLER = Caller("a")
RATE = 10


class Turn:
    """The detector's, of which there is always one."""

    def end(self):
        pass


async def free_detector():
    return Turn()


def used_up(rate=RATE):
    """The limits of a caller that has had all it may have at once."""
    access = Access(None, requests_per_second=rate, streams_per_caller=2, max_streams=2)
    while not retry_after(access):
        pass
    return access


def live_turn(access, turn=free_detector):
    return LiveTurn(partial(access.wait_for_turn, CALLER), turn)


def frame(number):
    return WaitingFrame(StreamFrame(number, None), lambda: None)


def retry_after(access):
    """Of a call; 0: it is none too many."""
    try:
        access.count_request(CALLER)
    except QuotaExceeded as error:
        return error.retry_after
    return 0.0


async def taken(live, seconds, interval, age):
    """How many frames had their turn, one coming every `interval` seconds and waiting for `age`."""
    had, end = 0, monotonic() + seconds
    while (begin := monotonic()) < end:
        try:
            await live.come(frame(0), begin + age)
            had += 1
        except DeadlineExceeded:
            pass
        await asyncio.sleep(begin + interval - monotonic())
    return had


def test_frames_that_wait_for_less_than_their_time_takes_still_come_at_the_rate():
    async def scenario():
        access = used_up()
        live = live_turn(access)
        had = await taken(live, seconds=1.05, interval=0.01, age=0.008)
        wait = retry_after(access)
        await live.close()
        return had, wait

    had, wait = asyncio.run(scenario())
    assert 5 <= had <= 12
    # One frame at most has booked what comes next.
    assert wait <= 2 / RATE


def test_a_caller_whose_other_stream_always_books_ahead_keeps_its_live_one():
    async def scenario():
        access = used_up()

        async def other():
            while True:
                await access.wait_for_turn(CALLER)

        others = [asyncio.create_task(other()) for _ in range(3)]
        await asyncio.sleep(0)
        live = live_turn(access)
        had = await taken(live, seconds=1.05, interval=0.01, age=0.008)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await live.close()
        return had

    assert 1 <= asyncio.run(scenario()) <= 4


def test_what_came_while_the_detector_was_busy_is_the_next_frames():
    async def scenario():
        access, busy = used_up(rate=2), True

        async def turn():
            if busy:
                await asyncio.sleep(math.inf)
            return Turn()

        live = live_turn(access, turn)
        with pytest.raises(DeadlineExceeded):
            await live.come(frame(1), monotonic() + 0.75)
        busy = False
        begin = monotonic()
        assert await live.come(frame(2), begin + 5) is not None
        return monotonic() - begin

    assert asyncio.run(scenario()) < 0.5


def test_a_stream_that_ends_gives_back_what_it_waited_for():
    async def scenario():
        access = used_up(rate=1)
        for number in range(20):
            live = live_turn(access)
            with pytest.raises(DeadlineExceeded):
                await live.come(frame(number), monotonic() + 0.002)
            await live.close()
        return retry_after(access)

    assert asyncio.run(scenario()) <= 1
