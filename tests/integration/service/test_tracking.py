"""Tracks and smoothing on the real networks: made clips with known motion, and streams that go on from their rows."""

import asyncio
from dataclasses import replace
from importlib import import_module
from threading import Event

import grpc
import numpy as np
import pytest

from faced_proto import convert
from faced_proto.types import AnalysisOptions, IntegerBins, StreamConfig, StreamMode
from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service.analyzer import Analyzer
from faced_service.bench.clip import video_frames
from faced_service.errors import InvalidOption
from faced_service.images import EncodedImage, Picture
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.settings import Settings
from faced_service.stream import Stream
from faced_service.stream_frame import StreamFrame
from faced_service.stream_start import start_stream

TRACKED = StreamConfig(StreamMode.EVERY_FRAME, AnalysisOptions(attributes=(), upsample_times=0), track=True)
STEP_US = 40_000


@pytest.fixture(scope="module")
def head(astronaut):
    return astronaut[20:220, 120:320]  # a face of 96 px, its centre at 96, 97


def scene(*placed, background=120):
    """640 x 240 pixels with heads at these places; they may be partly outside."""
    wide = np.empty((240, 640 + 800, 3), np.uint8)
    wide[:, 400:1040] = background
    for left, head in placed:
        wide[20:220, 400 + left : 600 + left] = head
    return np.ascontiguousarray(wide[:, 400:1040])


def picture(rgb):
    height, width, _ = rgb.shape
    return Picture(RawLayout(PixelFormat.RGB24, width, height, (Plane(rgb.tobytes()),)))


def answers(networks, pictures, config=TRACKED, *, first=0, step_us=STEP_US):
    """What the stream answers; frames are numbered, and timed, from `first`."""

    async def run():
        analyzer = Analyzer(networks.models, Settings(), known_attributes=networks.known_attributes)
        await analyzer.start()

        async def frames():
            for i, given in enumerate(pictures, first):
                yield StreamFrame(i, given, i * step_us)

        try:
            started = start_stream(config, analyzer, credits=4)
            stream = Stream(started, analyzer, caller="caller", history=config.history)
            return [outcome async for outcome in stream.outcomes(frames())]
        finally:
            await analyzer.close()

    return asyncio.run(asyncio.wait_for(run(), 120))


def numbers(rows):
    """The track ids of each row, from left to right."""
    return [
        [face.track_id for face in sorted(row.result.faces, key=lambda face: face.detection.box.left)] for row in rows
    ]


@pytest.mark.parametrize("interval", [1, 10])
def test_two_people_who_cross_keep_their_numbers(networks, head, interval):
    """One passes in front of the other, who is hidden for a third of a second and more."""
    one, other = head, head[:, ::-1]
    clip = [picture(scene((11 * i, one), (440 - 11 * i, other))) for i in range(41)]
    found = numbers(answers(networks, clip, replace(TRACKED, scan_interval=interval)))
    assert (found[0], found[-1]) == ([1, 2], [2, 1])
    assert sum(len(row) == 1 for row in found) >= 8
    assert {number for row in found for number in row} == {1, 2}


@pytest.mark.parametrize(("away", "number"), [(25, 1), (60, 2)])
def test_a_face_that_leaves_over_the_border_and_returns(networks, head, away, number):
    leaving = [scene((440 + 12 * i, head)) for i in range(15)]
    clip = [picture(rgb) for rgb in (*leaving, *[scene()] * away, *reversed(leaving))]
    found = [row for row in numbers(answers(networks, clip, replace(TRACKED, scan_interval=5))) if row]
    assert (found[0], found[-1]) == ([1], [number])


def test_after_a_cut_the_same_place_is_another_person(networks, head):
    ramp = np.linspace(0, 200, 640, dtype=np.uint8)[None, :, None]
    one, other = scene((200, head), background=ramp), scene((210, head[:, ::-1]), background=255 - ramp)
    clip = [picture(rgb) for rgb in [one] * 5 + [other] * 5 + [one] * 3]
    assert numbers(answers(networks, clip)) == [[1]] * 5 + [[2]] * 5 + [[3]] * 3


def test_frames_that_fail_leave_the_tracks(networks, head):
    clip = [picture(scene((100 + 4 * i, head))) for i in range(8)]
    clip[3] = Picture(EncodedImage(b"\x89PNG\r\n\x1a\n"))
    rows = answers(networks, clip)
    assert numbers(row for row in rows if row.frame_id != 3) == [[1]] * 7


def test_without_a_wish_there_are_no_tracks(networks, head):
    (row,) = answers(networks, [picture(scene((100, head)))], replace(TRACKED, track=None))
    assert numbers([row]) == [[None]]
    assert row.result.thumbnail == b""
    assert all(not face.raw for face in row.result.faces)


SMOOTH = replace(TRACKED, options=AnalysisOptions(upsample_times=0), smoothing_half_life=0.2)


@pytest.fixture(scope="module")
def jittery(head):
    """Two people who cross, in changing light, then a cut; the people move by whole pixels."""
    frames = []
    for i in range(34):
        rgb = scene((14 * i, head), (470 - 14 * i, head[:, ::-1])).astype(float) * (0.8 + 0.3 * (i % 3))
        frames.append(picture(np.clip(rgb, 0, 255).astype(np.uint8)))
    ramp = np.linspace(0, 200, 640, dtype=np.uint8)[None, :, None]
    return frames + [picture(scene((60 + 3 * i, head), background=ramp)) for i in range(6)]


@pytest.fixture(scope="module")
def unbroken(networks, jittery):
    return answers(networks, jittery, SMOOTH)


def test_smoothed_values_move_less_and_keep_their_raw_ones(networks, jittery, unbroken):
    plain = answers(networks, jittery, replace(TRACKED, options=SMOOTH.options))
    moved = {"smoothed": 0.0, "raw": 0.0}
    last = {}
    for row, other in zip(unbroken, plain, strict=True):
        for face, own in zip(row.result.faces, other.result.faces, strict=True):
            assert face.detection == own.detection
            assert face.track_id == own.track_id
            assert own.raw == ()
            values = {outcome.attribute: outcome for outcome in face.raw}
            assert {k: v.probabilities for k, v in values.items()} == {
                o.attribute: o.probabilities for o in own.attributes if o.attribute in values
            }
            for attribute, raw in values.items():
                for name, value in (("smoothed", face[attribute]), ("raw", raw)):
                    before = last.get((name, attribute, face.track_id))
                    if before is not None:
                        moved[name] += abs(np.subtract(value.probabilities, before)).sum()
                    last[name, attribute, face.track_id] = value.probabilities
    assert moved["smoothed"] < 0.4 * moved["raw"]
    axis = unbroken[0].result.faces[0]["age"].axis
    assert axis == IntegerBins(0, 1, True, 81)


@pytest.mark.parametrize("broken_after", [17, 30, 35])
def test_a_stream_that_goes_on_from_its_rows_is_as_if_unbroken(networks, jittery, unbroken, broken_after):
    # Rows as a client has them: over the wire.
    rows = [
        convert.frame_outcome_from_proto(
            convert.frame_outcome_to_proto(row, include_labels=True, include_landmarks=True), {}
        )
        for row in unbroken[:broken_after]
    ]
    rest = answers(networks, jittery[broken_after:], replace(SMOOTH, history=rows), first=broken_after)
    for row, whole in zip(rest, unbroken[broken_after:], strict=True):
        assert len(row.result.faces) == len(whole.result.faces)
        for face, expected in zip(row.result.faces, whole.result.faces, strict=True):
            assert (face.detection, face.track_id) == (expected.detection, expected.track_id)
            for one, other in zip((*face.attributes, *face.raw), (*expected.attributes, *expected.raw), strict=True):
                assert getattr(one, "probabilities", None) == pytest.approx(
                    getattr(other, "probabilities", None), abs=1e-6
                )


def test_rows_older_than_the_span_only_keep_their_numbers(networks, jittery, unbroken):
    old = [replace(row, media_time_us=row.media_time_us - 100_000_000) for row in unbroken[:10]]
    newest = replace(unbroken[36], result=replace(unbroken[36].result, faces=()))
    timeless = [replace(row, media_time_us=None) for row in unbroken[:10]]
    for history in ((*old, newest), timeless):
        (row,) = answers(networks, jittery[:1], replace(TRACKED, history=history), first=61)
        assert numbers([row]) == [[3, 4]]


def test_history_that_runs_backwards_is_refused(networks, unbroken):
    with pytest.raises(InvalidOption, match="history: media_time_us"):
        answers(networks, [], replace(TRACKED, history=(unbroken[1], unbroken[0])))


@pytest.mark.parametrize("step", ["requests.stream_config_from_proto", "stream.StreamTracks"])
def test_while_a_stream_takes_its_history_in_others_are_served(serving, networks, unbroken, monkeypatch, step):
    """Neither reading it nor learning it, each of which is made to last until another call was answered."""
    begun, served = Event(), Event()
    original = getattr(import_module(f"faced_service.{step.partition('.')[0]}"), step.partition(".")[2])

    def slow(*arguments):
        begun.set()
        assert served.wait(10), "the event loop stood still"
        return original(*arguments)

    config = convert.stream_config_to_proto(replace(TRACKED, history=unbroken[:3]))
    with serving(networks=networks) as (address, _), grpc.insecure_channel(address) as channel:
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
        monkeypatch.setattr(f"faced_service.{step}", slow)
        call = stub.AnalyzeStream(iter([service_pb2.AnalyzeStreamRequest(config=config)]), timeout=20)
        assert begun.wait(10)
        assert stub.GetServerInfo(service_pb2.GetServerInfoRequest(), timeout=5).version
        served.set()
        (answer,) = call
        assert answer.HasField("started")


@pytest.mark.data
@pytest.mark.parametrize("interval", [1, 10])
@pytest.mark.parametrize("frames", [24, pytest.param(None, marks=pytest.mark.slow)])
def test_two_people_on_a_clip_are_two_tracks(networks, data_dir, interval, frames):
    clip = [picture(rgb) for rgb in video_frames(data_dir / "video" / "two-people.mp4", frames)]
    rows = answers(networks, clip, replace(TRACKED, scan_interval=interval))
    found = numbers(rows)
    assert sum(row == [1, 2] for row in found) >= 0.97 * len(found)
    assert {number for row in found for number in row} == {1, 2}
