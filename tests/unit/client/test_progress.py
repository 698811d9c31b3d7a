"""Which frames a call may send, and which replies it may read."""

import numpy as np
import pytest

from faced_client import StreamFrame
from faced_client.errors import ProtocolError, Unavailable
from faced_client.history import History
from faced_client.images import image_form
from faced_client.progress import StreamProgress
from faced_proto import convert
from faced_proto.types import (
    DropReason,
    ErrorReason,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    StreamConfig,
    StreamStarted,
)
from faced_proto.v1 import service_pb2

PICTURE = np.zeros((2, 2), np.uint8)
FAILED = FrameFailure(ErrorReason.MODEL_FAILED, "a" * 100)


def started():
    message = convert.stream_started_to_proto(StreamStarted("s", 4, StreamConfig(), (), ()))
    return service_pb2.AnalyzeStreamResponse(started=message)


def outcome(number, result=FAILED):
    row = FrameOutcome(number, None, result)
    message = convert.frame_outcome_to_proto(row, include_labels=False, include_landmarks=False)
    return service_pb2.AnalyzeStreamResponse(outcome=message)


@pytest.fixture
def progress():
    progress = StreamProgress(StreamConfig(), image_form("rgb", "raw", 0, False), 1 << 20)
    for _ in range(3):
        progress.add(PICTURE)
    return progress


def sent(progress, call):
    numbers = []
    while (request := progress.next_request(call)) is not None:
        numbers.append(request.frame.frame_id)
    return numbers


def test_only_the_newest_call_sends_and_what_is_unanswered_first(progress):
    progress.begin("first")
    assert sent(progress, "first") == [0, 1, 2]
    progress.read(started())
    progress.read(outcome(0))
    progress.begin("second")
    progress.add(PICTURE)
    assert sent(progress, "first") == []
    assert sent(progress, "second") == [1, 2, 3]
    assert progress.unanswered == 3
    progress.end()
    assert not progress.is_newest("second")
    assert sent(progress, "second") == []


def test_an_answer_out_of_order_is_refused_also_to_a_frame_that_was_answered(progress):
    progress.begin("call")
    sent(progress, "call")
    progress.read(started())
    with pytest.raises(ProtocolError, match="answered frame 1 where 0 is the next"):
        progress.read(outcome(1))
    progress.read(outcome(0))
    with pytest.raises(ProtocolError, match="answered frame 0 where 1 is the next"):
        progress.read(outcome(0))


def test_an_answer_to_a_frame_that_this_call_did_not_send_is_refused(progress):
    progress.begin("call")
    progress.read(started())
    with pytest.raises(ProtocolError, match="answered frame 0 where None is the next"):
        progress.read(outcome(0))


@pytest.mark.parametrize(
    "given_back", [FrameDropped(DropReason.DRAINING), FrameFailure(ErrorReason.NOT_READY, "the server is stopping")]
)
def test_a_frame_that_is_given_back_stays_unanswered(progress, given_back):
    progress.begin("first")
    sent(progress, "first")
    progress.read(started())
    progress.read(outcome(0))
    with pytest.raises(Unavailable, match="the server is stopping"):
        progress.read(outcome(1, given_back))
    progress.begin("second")
    assert sent(progress, "second") == [1, 2]


def test_nothing_is_sent_to_a_server_that_drains(progress):
    progress.begin("call")
    progress.read(started())
    progress.read(service_pb2.AnalyzeStreamResponse(draining=service_pb2.Draining()))
    assert sent(progress, "call") == []
    with pytest.raises(Unavailable):
        progress.check_end(all_frames_drawn=True)


def test_numbers_go_on_where_the_callers_own_ended(progress):
    progress.add(StreamFrame(PICTURE, frame_id=9))
    progress.add(PICTURE)
    progress.begin("call")
    assert sent(progress, "call") == [0, 1, 2, 9, 10]


def row(number, time_us=None, text="x"):
    return FrameOutcome(number, time_us, FrameFailure(ErrorReason.INTERNAL, text))


def test_history_is_as_long_as_tracks_can_live():
    history = History(StreamConfig(track=True), 1 << 20)
    for i in range(100):
        history.add(row(i, i * 1_000_000))
    assert [kept.frame_id for kept in history.rows()] == list(range(69, 100))
    untimed = History(StreamConfig(track=True), 1 << 20)
    for i in range(5000):
        untimed.add(row(i))
    assert [kept.frame_id for kept in untimed.rows()] == list(range(904, 5000))
    history.keep(10.0)
    history.add(row(100, 100_000_000))
    assert [kept.frame_id for kept in history.rows()] == list(range(90, 101))


def test_history_takes_half_a_message_at_most():
    history = History(StreamConfig(track=True), 4000)
    for i in range(50):
        history.add(row(i, text="x" * 190))
    rows = history.rows()
    assert 8 <= len(rows) <= 10
    assert rows[-1].frame_id == 49


def test_history_begins_with_the_callers_own():
    given = tuple(row(i) for i in range(3))
    history = History(StreamConfig(track=True, history=given), 1 << 20)
    assert history.rows() == given
    history.add(row(7))
    assert [kept.frame_id for kept in history.rows()] == [0, 1, 2, 7]
    assert History(StreamConfig(history=given), 1 << 20).rows() == given
