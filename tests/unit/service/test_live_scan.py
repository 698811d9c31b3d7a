"""The order of a stream's scans, whatever order its frames are ready in."""

import asyncio

import numpy as np
import pytest

from faced_models.errors import ModelError
from faced_models.scale import ScanPlan
from faced_proto.types import Box, Detection
from faced_service.batcher import Served
from faced_service.frame_order import FrameOrder
from faced_service.live_scan import LiveScan

PLAN = ScanPlan(0, 1.0, 0, 1.0, 80.0)
FACE = Detection(Box(100.0, 100.0, 180.0, 180.0), 1.0)


def frame(number):
    return np.full((480, 640, 3), number, np.uint8)


class Searches:
    """Notes of which frame how much was searched; a face is where it was, until `gone`."""

    def __init__(self):
        self.made = []
        self.gone = set()
        self.failing = set()

    async def __call__(self, image, plan):
        number, full = int(image[0, 0, 0]), image.shape == (480, 640, 3)
        self.made.append((number, full))
        await asyncio.sleep(0)
        if number in self.failing:
            raise ModelError("failed")
        if number in self.gone:
            return Served((), 0.0, 0.001)
        # Regions are centred on the face.
        face = FACE if full else Detection(Box(36.0, 36.0, 116.0, 116.0), 1.0)
        return Served((face,), 0.0, 0.001)


async def scanned(live, searches, count):
    order = FrameOrder()
    return [(await live.turn(order.place()).scan(frame(i), PLAN, searches)).full for i in range(count)]


def test_full_scans_fall_on_multiples_of_the_interval():
    searches = Searches()
    full = asyncio.run(scanned(LiveScan(4), searches, 11))
    assert [i for i, whole in enumerate(full) if whole] == [0, 4, 8]
    assert searches.made == [(i, i % 4 == 0) for i in range(11)]


def test_a_full_scan_for_a_lost_face_does_not_move_the_others():
    searches = Searches()
    searches.gone = {3}
    full = asyncio.run(scanned(LiveScan(5), searches, 11))
    assert [i for i, whole in enumerate(full) if whole] == [0, 3, 5, 10]
    # Nothing is known after frame 3, so that frame 4 has nothing to search.
    assert searches.made[:6] == [(0, True), (1, False), (2, False), (3, False), (3, True), (5, True)]


def test_frames_that_are_ready_early_wait_for_those_before_them():
    async def run():
        live, order, searches = LiveScan(10), FrameOrder(), Searches()
        places = [order.place() for _ in range(6)]
        turns = [live.turn(place) for place in places]
        tasks = []
        for number in (4, 5, 2, 0, 1):
            tasks.append(asyncio.create_task(turns[number].scan(frame(number), PLAN, searches)))
            await asyncio.sleep(0.001)
        before = list(searches.made)
        places[3].passed()
        await asyncio.gather(*tasks)
        return before, searches.made

    before, made = asyncio.run(run())
    assert [number for number, _ in before] == [0, 1, 2][: len(before)]
    assert made == [(0, True), (1, False), (2, False), (4, False), (5, False)]


def test_a_cancelled_and_a_failed_frame_let_the_next_ones_begin():
    async def run():
        live, order, searches = LiveScan(3), FrameOrder(), Searches()
        searches.failing = {3}
        places = [order.place() for _ in range(6)]
        turns = [live.turn(place) for place in places]
        waiting = asyncio.create_task(turns[1].scan(frame(1), PLAN, searches))
        await asyncio.sleep(0)
        waiting.cancel()
        last = asyncio.create_task(turns[2].scan(frame(2), PLAN, searches))
        await asyncio.sleep(0)
        assert searches.made == []
        assert (await turns[0].scan(frame(0), PLAN, searches)).full
        assert not (await last).full
        with pytest.raises(ModelError):
            await turns[3].scan(frame(3), PLAN, searches)
        # The full scan that was due is made up for.
        assert (await turns[4].scan(frame(4), PLAN, searches)).full
        assert not (await turns[5].scan(frame(5), PLAN, searches)).full

    asyncio.run(asyncio.wait_for(run(), 5))


def test_the_times_of_all_searches_of_a_frame_are_added():
    async def run():
        live, order, searches = LiveScan(10), FrameOrder(), Searches()
        searches.gone = {1}
        await live.turn(order.place()).scan(frame(0), PLAN, searches)
        return await live.turn(order.place()).scan(frame(1), PLAN, searches)

    scan = asyncio.run(run())
    assert scan.worked == pytest.approx(0.002)
    assert (scan.full, scan.faces) == (True, ())


def test_another_plan_means_a_full_scan():
    async def run():
        live, order, searches = LiveScan(10), FrameOrder(), Searches()
        await live.turn(order.place()).scan(frame(0), PLAN, searches)
        return await live.turn(order.place()).scan(frame(1), ScanPlan(0, 1.0, 1, 1.0, 96.0), searches)

    assert asyncio.run(run()).full
