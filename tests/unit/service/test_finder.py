"""The searches of one frame, on a detector that sees coloured squares: what may be too late, and what is not."""

import asyncio
import threading
import time
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest

from faced_proto.types import Box, Detection
from faced_service import fair_queue
from faced_service.fair_queue import Expired, Flow
from faced_service.finder import Finder, Wish
from faced_service.frame_order import FrameOrder
from faced_service.live_scan import LiveScan
from faced_service.metrics import Metrics
from faced_service.options import CheckedOptions
from faced_service.settings import Settings

OPTIONS = CheckedOptions(0, None, 0.0, None, (), False)
FLOW = Flow("caller", "stream")
WHOLE = (480, 1280)
LEFTS = (100, 600, 1100)


def picture(*lefts):
    """Squares so far apart that each has a region of its own."""
    image = np.zeros((*WHOLE, 3), np.uint8)
    for number, left in enumerate(lefts, 1):
        image[200:280, left : left + 80] = number
    return image


class Detector:
    """Finds the squares; notes the sizes (height, width) of what it searches, and takes until `until` at least."""

    info = SimpleNamespace(input_size=None)
    engine = SimpleNamespace(device="cpu")

    def __init__(self):
        self.searched = []
        self.until = 0.0

    def detect(self, images, _plan, _thresholds):
        self.searched += [image.shape[:2] for image in images]
        time.sleep(max(0.0, self.until - monotonic()))
        return [tuple(self._squares(image[..., 0])) for image in images]

    def _squares(self, image):
        for number in range(1, len(LEFTS) + 1):
            down, across = np.nonzero(image == number)
            if down.size:
                yield Detection(Box(across.min(), down.min(), across.max() + 1.0, down.max() + 1.0), 1.0)


class Turn:
    """Counts what it is told."""

    since = 0.0

    def __init__(self):
        self.in_queue = self.ended = 0

    def queued(self):
        self.in_queue += 1

    def end(self):
        self.ended += 1


class Streaming:
    """A live stream with scan interval 30, whose first frame held all squares."""

    def __init__(self, finder, detector):
        self._finder = finder
        self._live, self._order = LiveScan(30), FrameOrder()
        self.detector = detector

    async def find(self, image, begin_by=None, turn=None):
        scan_turn = self._live.turn(self._order.place())
        return (await self._finder.find(image, Wish(OPTIONS, 0, FLOW, begin_by, scan_turn, turn))).scan


def streaming(scenario):
    async def run():
        detector = Detector()
        models = SimpleNamespace(detector=detector, searching=detector, spare=None)
        finder = Finder(models, Settings(detect_wait_ms=0), Metrics(), on_hang=lambda _queue: None)
        stream = Streaming(finder, detector)
        assert len((await stream.find(picture(*LEFTS))).faces) == len(LEFTS)
        detector.searched.clear()
        try:
            return await scenario(stream)
        finally:
            await finder.close(drain=False)

    return asyncio.run(asyncio.wait_for(run(), 20))


def test_a_frame_whose_detection_began_in_time_is_searched_in_all_its_regions():
    async def scenario(stream):
        begin_by = stream.detector.until = monotonic() + 0.3
        scan = await stream.find(picture(*LEFTS), begin_by)
        assert monotonic() > begin_by
        return scan, stream.detector.searched

    scan, searched = streaming(scenario)
    assert (len(scan.faces), scan.full) == (3, False)
    assert len(searched) == 3
    assert WHOLE not in searched


def test_the_full_search_for_a_lost_face_is_never_too_late():
    async def scenario(stream):
        begin_by = stream.detector.until = monotonic() + 0.3
        return await stream.find(picture(*LEFTS[:2]), begin_by), stream.detector.searched

    scan, searched = streaming(scenario)
    assert (len(scan.faces), scan.full) == (2, True)
    assert (len(searched), searched[-1]) == (4, WHOLE)


def test_a_frame_whose_detection_would_begin_too_late_is_not_searched():
    async def scenario(stream):
        with pytest.raises(Expired):
            await stream.find(picture(*LEFTS), monotonic())
        assert stream.detector.searched == []
        # Also where its time passes in the queue.
        stream.detector.until = monotonic() + 0.3
        others = asyncio.create_task(stream._finder.find(picture(), Wish(OPTIONS, 0, FLOW, None, None, None)))
        await asyncio.sleep(0.05)
        with pytest.raises(Expired):
            await stream.find(picture(*LEFTS), monotonic() + 0.1)
        await others
        assert stream.detector.searched == [WHOLE]
        return await stream.find(picture(*LEFTS), monotonic() + 5)

    assert len(streaming(scenario).faces) == 3


def test_a_frame_that_is_cancelled_between_its_regions_is_searched_no_further():
    async def scenario(stream):
        stream.detector.until = monotonic() + 0.3
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await stream.find(picture(*LEFTS))
        await asyncio.sleep(0.3)
        return stream.detector.searched

    assert len(streaming(scenario)) == 1


@pytest.mark.parametrize("lefts", [LEFTS, LEFTS[:2]])
def test_the_turn_is_that_of_the_first_search(lefts):
    async def scenario(stream):
        turn = Turn()
        await stream.find(picture(*lefts), monotonic() + 5, turn)
        return turn

    turn = streaming(scenario)
    assert (turn.in_queue, turn.ended) == (1, 1)


@pytest.mark.parametrize(
    ("device", "settings", "frames", "at_once"),
    [
        ("cpu", Settings(cpu_threads=2), 5, 1),
        ("cpu", Settings(cpu_threads=3, detect_runs=2), 5, 2),
        ("cpu", Settings(cpu_threads=1, detect_runs=2), 5, 1),
        ("cuda:0", Settings(cpu_threads=2, detect_runs=2), 5, 1),
        ("cpu", Settings(cpu_threads=2), 25, 2),
        ("cpu", Settings(cpu_threads=2, detect_runs_crowded=1), 25, 1),
        ("cpu", Settings(cpu_threads=1), 25, 1),
        ("cuda:0", Settings(cpu_threads=2), 25, 1),
    ],
)
def test_so_many_pictures_are_searched_at_once(monkeypatch, device, settings, frames, at_once):
    monkeypatch.setattr(fair_queue, "_ALONE_S", 0.0)

    async def scenario():
        detector, gate, begun = Detector(), threading.Event(), threading.Semaphore(0)
        detector.engine = SimpleNamespace(device=device)
        plain = detector.detect

        def detect(*arguments):
            begun.release()
            gate.wait(10)
            return plain(*arguments)

        detector.detect = detect
        models = SimpleNamespace(detector=detector, searching=detector, spare=None)
        finder = Finder(models, settings, Metrics(), on_hang=lambda _queue: None)
        wish = Wish(OPTIONS, 0, FLOW, None, None, None)
        tasks = [asyncio.create_task(finder.find(picture(*LEFTS), wish)) for _ in range(frames)]
        for _ in range(at_once):
            assert await asyncio.to_thread(begun.acquire, timeout=10)
        assert not await asyncio.to_thread(begun.acquire, timeout=0.05)
        gate.set()
        assert [len(found.scan.faces) for found in await asyncio.gather(*tasks)] == [len(LEFTS)] * frames
        await finder.close(drain=False)

    asyncio.run(scenario())
