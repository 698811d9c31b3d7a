import asyncio

from faced_service.endings import Endings


async def drained(endings):
    with endings.stream() as first:
        assert not first.is_set()
        endings.drain()
        assert first.is_set()
    with endings.stream() as late:
        assert late.is_set()


async def aged():
    with Endings(0.01).stream() as ending:
        await asyncio.wait_for(ending.wait(), 5)


def test_all_streams_are_told_also_those_that_come_later():
    asyncio.run(drained(Endings(None)))


def test_streams_that_are_too_old_are_told():
    asyncio.run(aged())
