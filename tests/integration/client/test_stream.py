"""Streams over a real channel: credits, order, and every way to end."""

import itertools
import threading
import time

import grpc
import numpy as np
import pytest

import faced_client
from faced_client import StreamFrame
from faced_proto.types import AnalysisOptions, ErrorReason, FrameFailure, StreamConfig, StreamMode


def frames(count):
    for i in range(count):
        yield np.full((8, 8, 3), i, np.uint8)


def test_one_outcome_for_each_frame_in_order(client, service):
    outcomes = list(client.stream(frames(10)))
    assert [outcome.frame_id for outcome in outcomes] == list(range(10))
    assert [outcome.result.faces[0].detection.score for outcome in outcomes] == list(range(10))
    assert outcomes[3].result.faces[0]["emotion"].top == ("glad", 0.75)
    assert service.configs == [StreamConfig()]


def test_no_more_frames_are_unanswered_than_the_server_allows(client, service):
    service.answer_after = 0.02
    service.max_in_flight = 4
    assert len(list(client.stream(frames(20)))) == 20
    assert service.most_unanswered == 4


def test_frames_are_drawn_no_further_ahead_than_the_credits(client, service):
    drawn = []
    stream = client.stream(drawn.append(i) or frame for i, frame in enumerate(frames(50)))
    next(stream)
    time.sleep(0.2)
    assert len(drawn) == 1 + service.max_in_flight
    stream.close()


def test_configuration_and_frames_carry_what_was_said(client, service):
    config = StreamConfig(options=AnalysisOptions(attributes=("age",)), max_frame_age=0.5, track=True)
    given = [
        StreamFrame(np.zeros((4, 6, 3), np.uint8), media_time_us=-5, frame_id=7),
        np.zeros((4, 6, 3), np.uint8),
        StreamFrame(np.zeros((4, 6, 3), np.uint8), media_time_us=40),
    ]
    outcomes = list(client.stream(given, config, mode=StreamMode.LIVE, rotation=180))
    assert [(o.frame_id, o.media_time_us) for o in outcomes] == [(7, -5), (8, None), (9, 40)]
    assert service.configs[0].mode is StreamMode.LIVE
    assert service.configs[0].max_frame_age == 0.5
    assert [o.attribute for o in outcomes[0].result.faces[0].attributes] == ["age"]
    assert {frame.image.rotation for frame in service.frames} == {3}


def test_an_empty_source_is_an_empty_stream(client):
    assert list(client.stream([])) == []


def test_stopping_early_ends_the_call_and_the_drawing(client, service):
    drawn = []
    endless = (drawn.append(i) or np.zeros((4, 4, 3), np.uint8) for i in itertools.count())
    stream = client.stream(endless)
    for outcome in stream:
        if outcome.frame_id == 5:
            break
    stream.close()
    assert service.stream_ended.wait(2)
    time.sleep(0.1)
    seen = len(drawn)
    time.sleep(0.1)
    assert len(drawn) == seen <= 6 + 2 * service.max_in_flight
    assert len(list(client.stream(frames(3)))) == 3


def test_an_exception_of_the_frames_reaches_the_caller_after_the_frames_before_it(client):
    class CameraError(Exception):
        pass

    def broken():
        yield from frames(4)
        raise CameraError("unplugged")

    seen = []
    with pytest.raises(CameraError, match="unplugged"):
        _noting(client.stream(broken()), seen)
    assert seen == [0, 1, 2, 3]
    assert len(list(client.stream(frames(2)))) == 2


def _noting(stream, seen):
    for outcome in stream:
        seen.append(outcome.frame_id)


@pytest.mark.parametrize(
    ("bad", "kind", "said"),
    [
        (StreamFrame(np.zeros((2, 2), np.uint8), frame_id=1), faced_client.InvalidRequest, "frame_id: 1 after 1"),
        (StreamFrame(np.zeros((2, 2), np.uint8), media_time_us=2**63), faced_client.InvalidRequest, "media_time_us"),
    ],
)
def test_a_frame_that_cannot_be_sent_is_an_error_after_those_before_it(client, bad, kind, said):
    seen = []
    with pytest.raises(kind, match=said):
        _noting(client.stream([*frames(2), bad, *frames(2)]), seen)
    assert seen == [0, 1]


def test_a_picture_that_cannot_be_sent_fails_alone_and_in_turn(client, service):
    whole = np.zeros((4, 4, 3), np.uint8)
    outcomes = list(client.stream([b"", whole, np.zeros((2, 2, 3), np.float32), "missing.jpg", whole, b"", b"", b""]))
    assert [outcome.frame_id for outcome in outcomes] == list(range(8))
    failures = {o.frame_id: o.result for o in outcomes if isinstance(o.result, FrameFailure)}
    assert {number: failure.reason for number, failure in failures.items()} == {
        0: ErrorReason.IMAGE_EMPTY,
        2: ErrorReason.RAW_LAYOUT,
        3: ErrorReason.IMAGE_UNSUPPORTED,
        5: ErrorReason.IMAGE_EMPTY,
        6: ErrorReason.IMAGE_EMPTY,
        7: ErrorReason.IMAGE_EMPTY,
    }
    assert "float32" in failures[2].message
    assert "missing.jpg" in failures[3].message
    assert service.most_unanswered <= service.max_in_flight


def test_a_call_that_fails_in_mid_stream_raises_after_what_was_answered(client, service):
    def fail_at_three(frame_id, context):
        if frame_id == 3:
            context.set_trailing_metadata([("faced-reason", "internal")])
            context.abort(grpc.StatusCode.INTERNAL, "broken")

    service.before_answer = fail_at_three
    seen = []
    with pytest.raises(faced_client.ServerFailure, match="broken") as caught:
        _noting(client.stream(frames(10)), seen)
    assert seen == [0, 1, 2]
    assert caught.value.reason is ErrorReason.INTERNAL


def test_a_stream_that_is_refused_raises(client, service):
    service.before_stream = lambda context: context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many streams")
    with pytest.raises(faced_client.Overloaded, match="too many streams"):
        next(client.stream(frames(1)))


def test_a_server_that_does_not_begin_is_given_up(client, service):
    service.before_stream = lambda context: time.sleep(1.0)
    begun = time.monotonic()
    with pytest.raises(faced_client.DeadlineExceeded, match="no stream from localhost"):
        next(client.stream(frames(1), timeout=0.3))
    assert time.monotonic() - begun < 0.9


def test_a_server_that_is_not_there_is_named():
    with (
        faced_client.Client("localhost:1") as client,
        pytest.raises(faced_client.Unavailable, match="no server answers at localhost:1"),
    ):
        next(client.stream(frames(1)))


def test_without_reconnecting_a_draining_server_answers_what_it_has_and_the_rest_is_unavailable(client, service):
    service.drain_after = 4
    seen = []
    with pytest.raises(faced_client.Unavailable, match="server is stopping"):
        _noting(client.stream(frames(50), reconnect=0), seen)
    assert seen == list(range(len(seen)))
    assert 4 <= len(seen) <= 4 + 2 * service.max_in_flight


def test_a_server_that_drains_after_the_last_frame_loses_nothing(client, service):
    service.drain_after = 5
    assert len(list(client.stream(frames(5)))) == 5


def test_closing_the_client_ends_a_stream(running, service):
    service.answer_after = 0.05
    client = faced_client.Client(running.address)
    threading.Timer(0.3, client.close).start()
    with pytest.raises(faced_client.Cancelled):
        list(client.stream(frames(1000)))


def test_bad_configurations_are_refused_by_name(client):
    for config, said in [
        (StreamConfig(frame_deadline=float("nan")), "frame_deadline"),
        (StreamConfig(scan_interval=-2), "scan_interval"),
    ]:
        with pytest.raises(faced_client.InvalidRequest, match=said):
            next(client.stream(frames(1), config))
    for seconds in (-1.0, float("inf"), float("nan")):
        with pytest.raises(faced_client.InvalidRequest, match="reconnect: "):
            next(client.stream(frames(1), reconnect=seconds))


def test_several_streams_share_a_client(client):
    results = {}

    def run(count):
        results[count] = [outcome.frame_id for outcome in client.stream(frames(count))]

    threads = [threading.Thread(target=run, args=(count,)) for count in (3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == {count: list(range(count)) for count in (3, 5, 7)}
