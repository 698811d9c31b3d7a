"""Messages that hold more than any caller has a use for, and the first message of a stream."""

import asyncio
import threading

import pytest

from faced_client.history import History
from faced_proto.convert import frame_outcome_from_proto
from faced_proto.types import DropReason, FrameDropped, FrameOutcome, StreamConfig
from faced_proto.v1 import analysis_pb2, image_pb2, options_pb2, service_pb2
from faced_service.errors import DeadlineExceeded, InvalidOption, NotReady, RawLayoutError
from faced_service.requests import first_config, frames, options_from_proto, picture_from_proto
from faced_service.stream_start import MAX_HISTORY_ROWS

DROPPED = service_pb2.Dropped(reason=service_pb2.DROP_REASON_TOO_OLD)


def raw(planes):
    image = image_pb2.RawImage(pixel_format=image_pb2.PIXEL_FORMAT_I420, width=2, height=2)
    image.planes.extend([image_pb2.Plane()] * planes)
    return image_pb2.Image(raw=image)


def row(number, tracks=(), time_us=0):
    analysis = analysis_pb2.FrameAnalysis(options={}, engine={"precision": "PRECISION_EXACT"})
    for track in tracks:
        analysis.faces.add(box={}, track_id=track)
    return service_pb2.FrameOutcome(frame_id=number, media_time_us=time_us, analysis=analysis)


def first(*messages, limit_s=10.0, ended=False):
    """The configuration with which a stream of these messages begins, after which its sender is silent."""

    async def run():
        ending = asyncio.Event()

        async def sent():
            for config in messages:
                yield service_pb2.AnalyzeStreamRequest(config=config)
            if ended:
                ending.set()
            await asyncio.Event().wait()

        return await first_config(sent(), (), limit_s=limit_s, ending=ending)

    return asyncio.run(asyncio.wait_for(run(), 30))


def test_more_planes_than_any_format_has_are_refused_before_they_are_looked_at():
    assert len(picture_from_proto(raw(3)).content.planes) == 3
    with pytest.raises(RawLayoutError, match=r"image\.raw has 4 planes, no format has more than 3"):
        picture_from_proto(raw(4))


def test_what_is_wrong_with_a_frame_does_not_hold_its_message():
    async def run():
        async def sent():
            yield service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=7, image=raw(4)))

        return [frame async for frame in frames(sent())]

    (frame,) = asyncio.run(run())
    assert isinstance(frame.picture, RawLayoutError)
    assert frame.picture.__traceback__ is None


def test_more_names_than_there_can_be_attributes_are_refused_before_they_are_looked_at():
    def named(count):
        return options_pb2.AnalysisOptions(attributes=options_pb2.AttributeSelection(names=["age"] * count))

    assert len(options_from_proto(named(1024)).attributes) == 1024
    for read in (options_from_proto, lambda options: first(service_pb2.StreamConfig(options=options))):
        with pytest.raises(InvalidOption, match=r"options\.attributes has 1025 names, there may be 1024"):
            read(named(1025))


def test_a_history_of_more_rows_than_anybody_keeps_is_refused_before_it_is_looked_at():
    rows = [service_pb2.FrameOutcome(frame_id=1, dropped=DROPPED)] * MAX_HISTORY_ROWS
    assert len(first(service_pb2.StreamConfig(history=rows)).history) == MAX_HISTORY_ROWS
    # Rows that say nothing: what is wrong with the first is not seen.
    with pytest.raises(InvalidOption, match="history has 8193 rows, there may be 8192"):
        first(service_pb2.StreamConfig(history=[service_pb2.FrameOutcome()] * (MAX_HISTORY_ROWS + 1)))


def test_a_history_of_more_faces_than_there_is_memory_for_is_refused_before_they_are_looked_at():
    # Without a box, none of them can be read.
    crowd = service_pb2.FrameOutcome(frame_id=1)
    for _ in range(1024):
        crowd.analysis.faces.add()
    with pytest.raises(InvalidOption, match=r"history\[0\]"):
        first(service_pb2.StreamConfig(history=[crowd] * 256))
    with pytest.raises(InvalidOption, match="history has 263168 faces, there may be 262144"):
        first(service_pb2.StreamConfig(history=[crowd] * 257))


@pytest.mark.parametrize("highest", [False, True])
def test_as_many_rows_as_the_sdk_keeps_are_taken(highest):
    history = History(StreamConfig(track=True), 1 << 30)
    if highest:
        # Kept beside all others.
        history.add(frame_outcome_from_proto(row(0, [9]), {}))
    for number in range(1, 2 * MAX_HISTORY_ROWS):
        history.add(FrameOutcome(number, number, FrameDropped(DropReason.TOO_OLD)))
    assert len(history.rows()) == 4096 + highest <= MAX_HISTORY_ROWS


def test_a_history_with_more_tracks_at_a_time_than_can_be_learnt_is_refused():
    def numbered(rows, step_us):
        return [row(i, range(1 + 500 * i, 501 + 500 * i), step_us * i) for i in range(rows)]

    # Those of eight rows are within two seconds.
    assert len(first(service_pb2.StreamConfig(history=numbered(30, 260_000))).history) == 30
    with pytest.raises(InvalidOption, match="history: 4500 tracks within 2 s, there may be 4096"):
        first(service_pb2.StreamConfig(history=numbered(30, 250_000)))


def test_while_a_history_is_read_others_are_served(monkeypatch):
    served = threading.Event()

    def slow(message, axes):
        assert served.wait(5), "the event loop stood still"
        return StreamConfig()

    monkeypatch.setattr("faced_service.requests.stream_config_from_proto", slow)

    async def run():
        async def sent():
            yield service_pb2.AnalyzeStreamRequest(config={"history": [{"frame_id": 1, "dropped": DROPPED}]})

        reading = asyncio.create_task(first_config(sent(), (), limit_s=10.0, ending=asyncio.Event()))
        await asyncio.sleep(0.1)
        served.set()
        return await reading

    assert asyncio.run(run()) == StreamConfig()


def test_a_configuration_that_does_not_come_in_time_is_given_up():
    with pytest.raises(DeadlineExceeded, match=r"no configuration came within 0\.1 s \(upload_timeout_s\)"):
        first(limit_s=0.1)


def test_a_stream_that_has_not_begun_ends_when_streams_are_told_to():
    with pytest.raises(NotReady, match="no configuration had come"):
        first(ended=True)


def test_a_configuration_that_came_is_taken_also_where_streams_are_told_to_end():
    assert first(service_pb2.StreamConfig(track=True), ended=True).track
