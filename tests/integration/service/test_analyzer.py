"""The core without a transport, with networks that fail."""

import asyncio
import logging
import threading
import time
from dataclasses import replace

import pytest

from faced_models.errors import ModelError
from faced_proto.types import (
    AnalysisOptions,
    AttributeFailure,
    Distribution,
    DropReason,
    ErrorReason,
    FrameDropped,
    FrameFailure,
    StreamConfig,
    StreamMode,
    WithheldReason,
)
from faced_service.analysis_request import AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.errors import DeadlineExceeded, ModelFailed, NotReady, Overloaded, RawLayoutError
from faced_service.images import Picture, decode
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.settings import Settings
from faced_service.stream import Stream
from faced_service.stream_frame import StreamFrame
from faced_service.stream_start import start_stream


class Watched:
    """A real network that notes its calls, waits for `gate`, and raises `error` where one is set."""

    def __init__(self, network, error=None):
        self._network = network
        self.error = error
        self.calls = []
        self.gate = threading.Event()
        self.gate.set()

    def __getattr__(self, name):
        return getattr(self._network, name)

    def detect(self, images, plan, thresholds):
        return self._call(len(images), lambda: self._network.detect(images, plan, thresholds))

    def classify(self, crops):
        return self._call(len(crops), lambda: self._network.classify(crops))

    def _call(self, count, real):
        self.calls.append(count)
        self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return real()


@pytest.fixture
def picture(astronaut):
    rgb = astronaut[:256, 96:352]
    return Picture(RawLayout(PixelFormat.RGB24, 256, 256, (Plane(rgb.tobytes()),)))


def analyse(analyzer, picture, deadline=None, **options):
    request = AnalysisRequest(picture, AnalysisOptions(**options), "caller", 0)
    return analyzer.analyze(request, deadline)


def with_analyzer(networks, scenario, *, detector=None, classifiers=None, **settings):
    models = replace(
        networks.models,
        detector=detector or networks.models.detector,
        classifiers={**networks.models.classifiers, **(classifiers or {})},
    )

    async def run():
        analyzer = Analyzer(models, Settings(**settings), known_attributes=networks.known_attributes)
        await analyzer.start()
        try:
            return await scenario(analyzer)
        finally:
            await analyzer.close()
            # What ended, in whatever way, holds nothing.
            assert (analyzer.admission.bytes, analyzer.admission.waiting) == (0, 0)

    return asyncio.run(run())


async def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.002)


def test_a_failed_network_fails_its_attribute_only(networks, picture):
    broken = Watched(networks.models.classifiers["emotion"])

    async def scenario(analyzer):
        broken.error = ModelError("emotion ran out of memory")
        failed = await analyse(analyzer, picture)
        broken.error = None
        return failed, await analyse(analyzer, picture)

    failed, fine = with_analyzer(networks, scenario, classifiers={"emotion": broken})
    (face,) = failed.faces
    expected = AttributeFailure("emotion", ErrorReason.MODEL_FAILED, "emotion ran out of memory")
    assert face["emotion"] == expected
    assert all(isinstance(face[name], Distribution) for name in ("age", "age_group", "gender"))
    assert isinstance(fine.faces[0]["emotion"], Distribution)
    assert face.detection == fine.faces[0].detection


def test_a_failed_age_network_withholds_gender(networks, picture):
    broken = Watched(networks.models.classifiers["age"])

    async def scenario(analyzer):
        broken.error = ModelError("no memory")
        return await analyse(analyzer, picture, attributes=("gender", "age_group"))

    (face,) = with_analyzer(networks, scenario, classifiers={"age": broken}).faces
    assert face["gender"].reason is WithheldReason.GUARD_FAILED
    assert face["age_group"].reason is ErrorReason.MODEL_FAILED


def test_a_mistake_in_a_network_is_logged_and_told_in_neutral_words(networks, picture, caplog):
    broken = Watched(networks.models.classifiers["emotion"])

    async def scenario(analyzer):
        broken.error = ZeroDivisionError("secret detail")
        return await analyse(analyzer, picture)

    with caplog.at_level(logging.ERROR):
        (face,) = with_analyzer(networks, scenario, classifiers={"emotion": broken}).faces
    assert face["emotion"].reason is ErrorReason.INTERNAL
    assert "secret" not in face["emotion"].message
    assert "secret detail" in caplog.text


def test_a_failed_detector_fails_its_frame_and_the_next_one_works(networks, picture):
    broken = Watched(networks.models.detector)

    async def scenario(analyzer):
        broken.error = ModelError("the detector ran out of memory")
        with pytest.raises(ModelFailed, match="ran out of memory"):
            await analyse(analyzer, picture)
        broken.error = None
        return await analyse(analyzer, picture)

    assert len(with_analyzer(networks, scenario, detector=broken).faces) == 1


def test_faces_of_frames_in_hand_share_runs(networks, picture):
    emotion = Watched(networks.models.classifiers["emotion"])

    async def scenario(analyzer):
        emotion.gate.clear()
        emotion.calls.clear()
        tasks = [asyncio.create_task(analyse(analyzer, picture, attributes=("emotion",))) for _ in range(6)]
        await until(lambda: analyzer._describer._batchers["emotion"].__len__() == 5)
        emotion.gate.set()
        return await asyncio.gather(*tasks)

    analyses = with_analyzer(networks, scenario, classifiers={"emotion": emotion})
    assert emotion.calls == [1, 5]
    assert all(len(analysis.faces) == 1 for analysis in analyses)


def test_a_deadline_ends_the_wait_and_the_work_is_never_begun(networks, picture):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        detector.calls.clear()
        detector.gate.clear()
        first = asyncio.create_task(analyse(analyzer, picture))
        await until(lambda: detector.calls)
        begin = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await analyse(analyzer, picture, begin + 0.05)
        assert 0.04 < time.monotonic() - begin < 0.5
        detector.gate.set()
        await first
        with pytest.raises(DeadlineExceeded):
            await analyse(analyzer, picture, time.monotonic() - 1)

    with_analyzer(networks, scenario, detector=detector)
    assert detector.calls == [1]


def test_a_cancelled_request_is_never_begun(networks, picture):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        detector.calls.clear()
        detector.gate.clear()
        first = asyncio.create_task(analyse(analyzer, picture))
        await until(lambda: detector.calls)
        second = asyncio.create_task(analyse(analyzer, picture))
        await asyncio.sleep(0.02)
        second.cancel()
        await asyncio.sleep(0.02)
        detector.gate.set()
        await first

    with_analyzer(networks, scenario, detector=detector)
    assert detector.calls == [1]


def test_before_its_start_and_after_its_end_it_is_not_ready(networks, picture):
    async def scenario():
        analyzer = Analyzer(networks.models, Settings(), known_attributes=networks.known_attributes)
        with pytest.raises(NotReady, match="starting"):
            await analyse(analyzer, picture)
        await analyzer.start()
        await analyse(analyzer, picture)
        await analyzer.close()
        with pytest.raises(NotReady, match="stopping"):
            await analyse(analyzer, picture)

    asyncio.run(scenario())


def test_what_waits_when_it_ends_is_not_ready(networks, picture, monkeypatch):
    """Frames that wait for a place, for a thread, or for the detector: all may come again elsewhere."""
    detector, decoded = Watched(networks.models.detector), []

    def slowly(*wanted, **limits):
        decoded.append(time.sleep(0.1))
        return decode(*wanted, **limits)

    monkeypatch.setattr("faced_service.analyzer.decode", slowly)

    async def scenario():
        models = replace(networks.models, detector=detector)
        analyzer = Analyzer(models, Settings(queue_limit=12), known_attributes=networks.known_attributes)
        await analyzer.start()
        detector.calls.clear()
        request = AnalysisRequest(picture, AnalysisOptions(), "caller", 0, patient=True)
        frames = [asyncio.create_task(analyzer.analyze(request)) for _ in range(40)]
        await until(lambda: detector.calls)
        await analyzer.close()
        return await asyncio.gather(*frames, return_exceptions=True)

    ended = asyncio.run(scenario())
    assert {type(one) for one in ended if isinstance(one, Exception)} == {NotReady}
    assert len(decoded) < 40


def test_the_loop_stays_free_while_a_network_works(networks, picture):
    async def scenario(analyzer):
        task = asyncio.create_task(analyse(analyzer, picture))
        worst = 0.0
        while not task.done():
            begin = time.monotonic()
            await asyncio.sleep(0.001)
            worst = max(worst, time.monotonic() - begin)
        return worst

    assert with_analyzer(networks, scenario) < 0.1


# Streams


async def outcomes_of(analyzer, config, frames, between=None):
    started = start_stream(config, analyzer, credits=4)
    found = []
    async for outcome in Stream(started, analyzer, caller="caller").outcomes(frames):
        found.append(outcome)
        if between is not None:
            between()
    return found


async def somebody_elses(analyzer, detector, picture):
    """A frame that is being searched until the gate opens, so that those of a stream wait."""
    detector.calls.clear()
    detector.gate.clear()
    other = asyncio.create_task(analyse(analyzer, picture))
    await until(lambda: detector.calls)
    return other


def test_a_live_stream_begins_with_the_newest_of_those_that_wait(networks, picture):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        detector.calls.clear()
        detector.gate.clear()

        async def frames():
            yield StreamFrame(1, picture)
            await until(lambda: detector.calls)
            for number in (2, 3, 4):
                yield StreamFrame(number, picture)
            detector.gate.set()

        # The gate opens when the reader asks for a fifth frame, which takes the credit of the first answer.
        opener = asyncio.get_running_loop().call_later(0.2, detector.gate.set)
        found = await outcomes_of(analyzer, StreamConfig(mode=StreamMode.LIVE), frames())
        opener.cancel()
        return found

    found = with_analyzer(networks, scenario, detector=detector)
    assert [outcome.frame_id for outcome in found] == [1, 2, 3, 4]
    dropped = FrameDropped(DropReason.SUPERSEDED)
    assert [outcome.result == dropped for outcome in found] == [False, True, True, False]
    assert detector.calls == [1, 1]


def test_a_live_stream_leaves_out_frames_that_still_wait_for_the_detector(networks, picture):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        other = await somebody_elses(analyzer, detector, picture)

        async def frames():
            for number in (1, 2, 3):
                yield StreamFrame(number, picture)
                await until(lambda: len(analyzer._finder) == 1)
                await asyncio.sleep(0.05)
            assert len(analyzer._finder) == 1
            detector.gate.set()
            await other

        return await outcomes_of(analyzer, StreamConfig(mode=StreamMode.LIVE, track=True), frames())

    found = with_analyzer(networks, scenario, detector=detector)
    dropped = FrameDropped(DropReason.SUPERSEDED)
    assert [outcome.frame_id for outcome in found] == [1, 2, 3]
    assert [outcome.result == dropped for outcome in found] == [True, True, False]
    assert len(found[-1].result.faces) == 1
    # None of those that were left out was searched.
    assert detector.calls == [1, 1]


def test_of_many_live_streams_each_is_answered_for_its_newest_frame(networks, picture):
    """Ten cameras share a detector, each sending far more than its share: no frame waits for the other nine."""
    detect_s, streams, send_s = 0.05, 10, 0.02

    class Slow(Watched):
        def detect(self, images, plan, thresholds):
            self.calls.append(len(images))
            time.sleep(detect_s)
            return [() for _ in images]

    async def scenario(analyzer):
        end = time.monotonic() + 4
        ages, answered = [], [0] * streams

        async def one(stream):
            sent = {}

            async def frames():
                number = 0
                while time.monotonic() < end:
                    sent[number] = time.monotonic()
                    yield StreamFrame(number, picture)
                    number += 1
                    await asyncio.sleep(send_s)

            started = start_stream(StreamConfig(mode=StreamMode.LIVE), analyzer, credits=4)
            async for outcome in Stream(started, analyzer, caller="host").outcomes(frames()):
                # At the end no newer ones come.
                if not isinstance(outcome.result, FrameDropped) and time.monotonic() < end:
                    ages.append(time.monotonic() - sent[outcome.frame_id])
                    answered[stream] += 1

        await asyncio.gather(*map(one, range(streams)))
        return ages, answered

    ages, answered = with_analyzer(networks, scenario, detector=Slow(networks.models.detector))
    assert min(answered) >= max(answered) - 2 >= 4
    # Its own search, a rest of the one before, and the time between two frames; a round of all ten takes 0.5 s.
    assert sorted(ages)[int(0.95 * len(ages))] < 3 * detect_s
    assert sum(answered) * detect_s > 0.8 * 4


def test_a_live_frame_that_waits_too_long_for_its_turn_is_too_old_and_holds_up_nobody(networks, picture):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        other = await somebody_elses(analyzer, detector, picture)

        async def frames():
            yield StreamFrame(1, picture)
            await asyncio.sleep(0.3)
            detector.gate.set()
            await other
            yield StreamFrame(2, picture)

        config = StreamConfig(mode=StreamMode.LIVE, max_frame_age=0.1)
        found = await outcomes_of(analyzer, config, frames())
        assert len(analyzer._finder) == 0
        return found

    first, second = with_analyzer(networks, scenario, detector=detector)
    assert first.result == FrameDropped(DropReason.TOO_OLD)
    assert len(second.result.faces) == 1


def test_a_live_stream_whose_turns_are_rare_gets_each_of_them(networks, picture):
    turns = []

    async def scenario(analyzer):
        async def turn():
            await asyncio.sleep(0.1)
            turns.append(time.monotonic())

        async def frames():
            end = time.monotonic() + 2
            number = 0
            while time.monotonic() < end:
                number += 1
                yield StreamFrame(number, picture)
                await asyncio.sleep(0.005)

        started = start_stream(StreamConfig(mode=StreamMode.LIVE), analyzer, credits=4)
        stream = Stream(started, analyzer, caller="caller", allowance=turn)
        return [outcome async for outcome in stream.outcomes(frames())]

    found = with_analyzer(networks, scenario)
    dropped = FrameDropped(DropReason.SUPERSEDED)
    analysed = [outcome for outcome in found if outcome.result != dropped]
    # Newer frames, which come faster than turns do, take over the turn of those that they supersede.
    assert len(analysed) == len(turns)
    assert len(found) > len(analysed) >= 3


def test_an_every_frame_stream_has_as_many_frames_under_way_as_credits(networks, picture):
    detector = Watched(networks.models.detector)
    read = []

    async def scenario(analyzer):
        detector.calls.clear()
        detector.gate.clear()

        async def frames():
            for number in range(1, 11):
                read.append(number)
                yield StreamFrame(number, picture)

        task = asyncio.create_task(outcomes_of(analyzer, StreamConfig(), frames()))
        await until(lambda: len(analyzer._finder) == 3)
        await asyncio.sleep(0.05)
        assert read == [1, 2, 3, 4]
        detector.gate.set()
        return await task

    found = with_analyzer(networks, scenario, detector=detector)
    assert [outcome.frame_id for outcome in found] == list(range(1, 11))
    assert sum(detector.calls) == 10


def test_streams_wait_where_single_requests_are_refused(networks, picture):
    async def scenario(analyzer):
        async def frames():
            for number in range(1, 6):
                yield StreamFrame(number, picture)

        streams = await asyncio.gather(*(outcomes_of(analyzer, StreamConfig(), frames()) for _ in range(3)))
        return [outcome.result for found in streams for outcome in found]

    results = with_analyzer(networks, scenario, queue_limit=2)
    assert len(results) == 15
    assert not any(isinstance(result, FrameFailure) for result in results)


def test_bytes_in_hand_bound_how_far_streams_are_read_and_no_frame_is_lost(networks, picture):
    detector = Watched(networks.models.detector)
    detector.gate.clear()
    message = picture.size

    async def scenario(analyzer):
        read = []

        async def frames(stream):
            for number in range(1, 6):
                read.append(stream)
                yield StreamFrame(number, picture)

        tasks = [asyncio.create_task(outcomes_of(analyzer, StreamConfig(), frames(n))) for n in range(3)]
        await until(lambda: len(analyzer._finder) or analyzer.admission.bytes > message)
        await asyncio.sleep(0.1)
        # Three streams could have four frames each; the message and the pixels of one fill the limit.
        assert len(read) <= 4
        assert analyzer.admission.bytes <= 2 * message + 3 * message
        request = AnalysisRequest(picture, AnalysisOptions(), "another", 0)
        with pytest.raises(Overloaded, match="max_in_flight_bytes is"):
            await analyzer.analyze(request)
        detector.gate.set()
        return await asyncio.gather(*tasks)

    found = with_analyzer(networks, scenario, detector=detector, max_in_flight_bytes=2 * message)
    assert [[outcome.frame_id for outcome in stream] for stream in found] == [[1, 2, 3, 4, 5]] * 3
    assert not any(isinstance(outcome.result, FrameFailure) for stream in found for outcome in stream)


def test_ending_a_stream_early_ends_what_is_under_way(networks, picture):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        async def frames():
            for number in range(1, 100):
                yield StreamFrame(number, picture)

        stream = Stream(start_stream(StreamConfig(), analyzer, credits=4), analyzer, caller="caller")
        outcomes = stream.outcomes(frames())
        assert (await anext(outcomes)).frame_id == 1
        await outcomes.aclose()
        assert len(analyzer._finder) == 0
        others = asyncio.all_tasks() - {asyncio.current_task()}
        return {task.get_name() for task in others}

    names = with_analyzer(networks, scenario, detector=detector)
    assert all(name.startswith(("detect", "describe")) for name in names)


def test_a_mistake_of_the_server_fails_its_frame_only(networks, picture, caplog):
    detector = Watched(networks.models.detector)

    async def scenario(analyzer):
        async def frames():
            yield StreamFrame(1, picture)
            yield StreamFrame(2, picture)

        def mend():
            detector.error = None

        detector.error = ZeroDivisionError("secret detail")
        started = replace(start_stream(StreamConfig(), analyzer, credits=1))
        found = []
        async for outcome in Stream(started, analyzer, caller="caller").outcomes(frames()):
            found.append(outcome.result)
            mend()
        return found

    failed, fine = with_analyzer(networks, scenario, detector=detector)
    assert failed.reason is ErrorReason.INTERNAL
    assert "secret" not in failed.message
    assert "secret detail" in caplog.text
    assert len(fine.faces) == 1


def test_a_frame_that_held_no_readable_picture_fails_with_its_reason(networks):
    async def scenario(analyzer):
        async def frames():
            yield StreamFrame(1, RawLayoutError("no format"))

        return await outcomes_of(analyzer, StreamConfig(), frames())

    (outcome,) = with_analyzer(networks, scenario)
    assert outcome.result == FrameFailure(ErrorReason.RAW_LAYOUT, "no format")
