"""Streams with a scan interval, on the real detector: what is searched, what is found, and that it repeats."""

import asyncio
import time
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import pytest

from faced_models.errors import ModelError
from faced_proto.types import AnalysisOptions, ErrorReason, FrameAnalysis, FrameFailure, StreamConfig, StreamMode
from faced_service import analyzer as analyzer_module
from faced_service.analyzer import Analyzer
from faced_service.bench.clip import video_frames
from faced_service.bench.detector import intersection_over_union
from faced_service.bench.live import measure_live
from faced_service.errors import InvalidOption
from faced_service.images import EncodedImage, Picture, decode
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.settings import Settings
from faced_service.stream import Stream
from faced_service.stream_frame import StreamFrame
from faced_service.stream_start import start_stream

WIDTH, HEIGHT = 480, 240


class Noting:
    """The real detector; notes the size (width, height) of all that it searches, and fails where told to."""

    def __init__(self, detector):
        self._detector = detector
        self.searched = []
        self.fail_at = None

    def __getattr__(self, name):
        return getattr(self._detector, name)

    def detect(self, images, plan, thresholds):
        self.searched += [image.shape[1::-1] for image in images]
        if len(self.searched) == self.fail_at:
            raise ModelError("out of memory")
        return self._detector.detect(images, plan, thresholds)


@pytest.fixture(scope="module")
def head(astronaut):
    return astronaut[20:220, 120:320]  # a face of 96 px, its centre at 96, 97


@pytest.fixture
def detector(networks):
    return Noting(networks.models.detector)


def scene(head, *lefts, width=WIDTH, height=HEIGHT):
    """A grey picture with the head at these places; it may be partly or wholly outside."""
    wide = np.full((height, width + 800, 3), 120, np.uint8)
    for left in lefts:
        wide[20:220, 400 + left : 600 + left] = head
    return wide[:, 400 : 400 + width]


def picture(rgb):
    height, width, _ = rgb.shape
    return Picture(RawLayout(PixelFormat.RGB24, width, height, (Plane(rgb.tobytes()),)))


def stream(networks, detector, pictures, *, mode=StreamMode.EVERY_FRAME, interval=10, **options):
    """What the stream answers to each picture."""
    models = replace(networks.models, detector=detector)
    config = StreamConfig(mode, AnalysisOptions(**{"attributes": (), "upsample_times": 0} | options))

    async def run():
        analyzer = Analyzer(models, Settings(), known_attributes=networks.known_attributes)
        await analyzer.start()
        detector.searched.clear()

        async def frames():
            for number, given in enumerate(pictures):
                yield StreamFrame(number, given)

        try:
            started = start_stream(replace(config, scan_interval=interval), analyzer, credits=4)
            outcomes = Stream(started, analyzer, caller="caller").outcomes(frames())
            return [outcome.result async for outcome in outcomes]
        finally:
            await analyzer.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


def full_scans(results):
    return [i for i, result in enumerate(results) if isinstance(result, FrameAnalysis) and result.full_scan]


def boxes(results):
    return [[face.detection.box for face in result.faces] for result in results]


def test_a_moving_face_is_found_in_every_frame_by_few_full_scans(networks, detector, head):
    places = [10 + 2 * i for i in range(31)]
    pictures = [picture(scene(head, x)) for x in places]
    results = stream(networks, detector, pictures)
    assert full_scans(results) == [0, 10, 20, 30]
    assert [len(result.faces) for result in results] == [1] * 31
    for x, (box,) in zip(places, boxes(results), strict=True):
        assert (box.left + box.right) / 2 == pytest.approx(x + 96, abs=12)
        assert box.width == pytest.approx(96, abs=20)
    assert {size for i, size in enumerate(detector.searched) if i % 10 == 0} == {(WIDTH, HEIGHT)}
    assert max(w * h for i, (w, h) in enumerate(detector.searched) if i % 10) <= 0.5 * WIDTH * HEIGHT
    assert {result.applied_scale for result in results} == {1.0}

    every = stream(networks, detector, pictures, interval=1)
    assert full_scans(every) == list(range(31))
    shared = [intersection_over_union(a, b) for (a,), (b,) in zip(boxes(every), boxes(results), strict=True)]
    assert min(shared) >= 0.6


def test_runs_repeat(networks, detector, head):
    pictures = [picture(scene(head, 250 - 3 * i, 5 * i - 250)) for i in range(40)]
    first = stream(networks, detector, pictures, interval=7)
    searched = list(detector.searched)
    second = stream(networks, detector, pictures, interval=7)
    assert detector.searched == searched
    assert [(r.full_scan, r.faces) for r in first] == [(r.full_scan, r.faces) for r in second]
    assert set(full_scans(first)) >= {0, 7, 14, 21, 28, 35}


def test_an_interval_of_one_is_the_plain_run(networks, detector, head):
    pictures = [picture(scene(head, 10 + 4 * i)) for i in range(5)]
    plain = stream(networks, detector, pictures, interval=None)
    one = stream(networks, detector, pictures, interval=1)
    assert [(r.full_scan, r.faces) for r in plain] == [(r.full_scan, r.faces) for r in one]
    assert set(detector.searched) == {(WIDTH, HEIGHT)}


def test_frames_that_are_decoded_side_by_side_are_searched_in_their_order(networks, detector, head, monkeypatch):
    """Also without an interval: a frame that ends its server must not have overtaken one that is sent again."""
    widths = [WIDTH + 8 * i for i in range(8)]

    def slow_for_every_other(picture, *, max_pixels):
        image = decode(picture, max_pixels=max_pixels)
        time.sleep(0 if widths.index(image.shape[1]) % 2 else 0.1)
        return image

    monkeypatch.setattr(analyzer_module, "decode", slow_for_every_other)
    results = stream(networks, detector, [picture(scene(head, 100, width=width)) for width in widths], interval=1)
    assert [result.width for result in results] == widths
    assert [width for width, _ in detector.searched] == widths


def test_a_lost_face_means_a_full_scan_in_the_same_frame(networks, detector, head):
    here, gone, elsewhere = (picture(scene(head, *at)) for at in ((10,), (), (250,)))
    results = stream(networks, detector, [here, here, elsewhere, elsewhere, gone, gone, here, here], interval=100)
    assert full_scans(results) == [0, 2, 4]
    assert [len(result.faces) for result in results] == [1, 1, 1, 1, 0, 0, 0, 0]
    # Frame 2 looked where the face had been, then everywhere, and frame 3 where it was found.
    assert [size == (WIDTH, HEIGHT) for size in detector.searched] == [True, False, False, True, False, False, True]
    assert boxes(results)[2][0].left > boxes(results)[1][0].left + 200


def test_a_face_that_leaves_and_comes_back_is_found_by_the_next_full_scan(networks, detector, head):
    there, gone = picture(scene(head, 100)), picture(scene(head))
    results = stream(networks, detector, [there] * 3 + [gone] * 3 + [there] * 8, interval=10)
    assert [len(result.faces) for result in results] == [1] * 3 + [0] * 3 + [0] * 4 + [1] * 4
    assert full_scans(results) == [0, 3, 10]


def test_a_second_face_is_found_by_the_next_full_scan(networks, detector, head):
    one, two = picture(scene(head, 0)), picture(scene(head, 0, 270))
    results = stream(networks, detector, [one] * 4 + [two] * 9, interval=10)
    assert [len(result.faces) for result in results] == [1] * 10 + [2] * 3
    assert full_scans(results) == [0, 10]
    left, right = sorted(box.left for box in boxes(results)[12])
    assert right - left == pytest.approx(270, abs=12)


def test_most_faces_limits_the_answer_and_not_what_is_followed(networks, detector, head):
    two = picture(scene(head, 0, 270))
    results = stream(networks, detector, [two] * 3, interval=10, max_faces=1)
    assert [len(result.faces) for result in results] == [1] * 3
    assert len(detector.searched) == 1 + 2 * 2


def test_frames_that_fail_leave_the_others_in_order(networks, detector, head):
    frames = [picture(scene(head, 10 + 2 * i)) for i in range(14)]
    frames[3] = Picture(EncodedImage(b"\x89PNG\r\n\x1a\n"))
    frames[10] = Picture(EncodedImage(b"nothing"))
    results = stream(networks, detector, frames)
    assert [i for i, result in enumerate(results) if isinstance(result, FrameFailure)] == [3, 10]
    # The full scan that was due in frame 10 is made up for in the next.
    assert full_scans(results) == [0, 11]
    assert all(len(result.faces) == 1 for i, result in enumerate(results) if i not in (3, 10))


def test_a_detector_that_fails_fails_its_frame_only(networks, detector, head):
    detector.fail_at = 5
    frames = [picture(scene(head, 10 + 2 * i)) for i in range(8)]
    results = stream(networks, detector, frames)
    assert [isinstance(result, FrameFailure) for result in results] == [i == 4 for i in range(8)]
    assert results[4].reason is ErrorReason.MODEL_FAILED
    assert full_scans(results) == [0]


def test_a_picture_of_another_size_is_scanned_in_full(networks, detector, head):
    small, large = picture(scene(head, 50)), picture(scene(head, 50, width=600))
    results = stream(networks, detector, [small, small, large, large, small], interval=100)
    assert full_scans(results) == [0, 2, 4]
    assert {len(result.faces) for result in results} == {1}


def test_doubled_pictures_are_followed_at_the_same_scale(networks, detector, head):
    small = cv2.resize(head, (100, 100), interpolation=cv2.INTER_AREA)  # a face of 48 px
    pictures = []
    for i in range(12):
        rgb = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        rgb[60:160, 100 + 2 * i : 200 + 2 * i] = small
        pictures.append(picture(rgb))
    results = stream(networks, detector, pictures, upsample_times=1)
    assert full_scans(results) == [0, 10]
    assert [len(result.faces) for result in results] == [1] * 12
    assert all(40 <= box.width <= 58 for box in chain.from_iterable(boxes(results)))
    assert {result.applied_scale for result in results} == {2.0}
    assert max(w for i, (w, _) in enumerate(detector.searched) if i not in (0, 10)) <= 128


def test_live_streams_scan_in_full_at_the_first_frame_of_each_interval(networks, detector, head):
    pictures = [picture(scene(head, 100))] * 30
    results = stream(networks, detector, pictures, mode=StreamMode.LIVE, interval=5)
    analysed = [i for i, result in enumerate(results) if isinstance(result, FrameAnalysis)]
    firsts = [i for k, i in enumerate(analysed) if k == 0 or i // 5 > analysed[k - 1] // 5]
    assert full_scans(results) == firsts
    assert all(len(results[i].faces) == 1 for i in analysed)


@pytest.mark.parametrize("interval", [0, 1001, -1])
def test_intervals_out_of_range_are_refused_with_their_limits(networks, detector, head, interval):
    with pytest.raises(InvalidOption, match=f"scan_interval is {interval}, must be 1 to 1000"):
        stream(networks, detector, [], interval=interval)


@pytest.mark.parametrize("interval", [1, 1000])
def test_intervals_in_range_are_in_force(networks, interval):
    async def run():
        analyzer = Analyzer(networks.models, Settings(), known_attributes=networks.known_attributes)
        await analyzer.start()
        started = start_stream(StreamConfig(scan_interval=interval), analyzer, credits=4)
        await analyzer.close()
        return started

    started = asyncio.run(run())
    assert (started.config.scan_interval, started.ignored) == (interval, ())


@pytest.mark.data
@pytest.mark.parametrize("frames", [21, pytest.param(None, marks=pytest.mark.slow)])
def test_two_people_on_a_clip_are_where_full_scans_find_them(networks, data_dir, frames):
    clip = video_frames(data_dir / "video" / "two-people.mp4", frames)
    row = asyncio.run(measure_live("clip", clip, networks.models.detector, interval=10, upsample=0))
    assert row.boxes == 2 * row.frames
    assert row.found_60 >= 0.95
    assert row.extra == 0
    assert row.full_scans == -(-row.frames // 10)
    assert row.ratio > 2
