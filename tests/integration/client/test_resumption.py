"""Streams that break are taken up again: every frame gets one outcome, in order, whatever happens to the calls."""

import asyncio
import itertools
import logging
import threading
import time

import grpc
import numpy as np
import pytest

import faced_client
from faced_client import AsyncClient, Client, StreamFrame
from faced_proto.types import ErrorReason, FrameFailure, StreamConfig, StreamMode


def frames(count):
    for i in range(count):
        yield np.full((8, 8, 3), i, np.uint8)


def collect_sync(address, source, seen, **options):
    with Client(address) as client:
        for outcome in client.stream(source, **options):
            seen.append(outcome)


def collect_async(address, source, seen, **options):
    async def run():
        async with AsyncClient(address) as client:
            async for outcome in client.stream(source, **options):
                seen.append(outcome)

    asyncio.run(run())


@pytest.fixture(params=[collect_sync, collect_async], ids=["sync", "async"])
def collect(request, running):
    def run(source, seen=None, **options):
        seen = [] if seen is None else seen
        request.param(running.address, source, seen, **options)
        return seen

    return run


def breaking(service, every, code=grpc.StatusCode.UNAVAILABLE, reason=None):
    """The call breaks before each `every`th answer, counted over all calls."""
    answers = itertools.count(1)

    def before_answer(frame_id, context):
        if next(answers) % every == 0:
            if reason:
                context.set_trailing_metadata([("faced-reason", reason)])
            context.abort(code, "gone")

    service.before_answer = before_answer


def assert_whole(outcomes, count):
    assert [outcome.frame_id for outcome in outcomes] == list(range(count))
    # The double's score is the mean of the pixels, which are the frame's number.
    assert [outcome.result.faces[0].detection.score for outcome in outcomes] == list(range(count))


def test_a_stream_that_breaks_again_and_again_answers_every_frame_once_and_in_order(collect, service, caplog):
    breaking(service, every=4)
    with caplog.at_level(logging.WARNING, "faced_client"):
        assert_whole(collect(frames(20)), 20)
    assert len(service.configs) == 7
    sent = [frame.frame_id for frame in service.frames]
    assert len(sent) > 20
    assert set(sent) == set(range(20))
    assert service.most_unanswered <= service.max_in_flight
    assert "broke (no server answers at localhost" in caplog.text
    assert "frames are sent again" in caplog.text


@pytest.mark.parametrize(
    ("code", "reason"),
    [(grpc.StatusCode.CANCELLED, None), (grpc.StatusCode.UNAVAILABLE, "not_ready")],
)
def test_calls_that_a_stopping_server_ends_are_followed_by_others(collect, service, code, reason):
    breaking(service, every=5, code=code, reason=reason)
    assert_whole(collect(frames(12)), 12)


def test_a_draining_server_is_left_for_the_next_one(collect, service):
    service.drain_after = 4
    assert_whole(collect(frames(18)), 18)
    assert len(service.configs) >= 3


def test_a_frame_that_is_drawn_while_the_call_breaks_is_not_lost(collect, service):
    breaking(service, every=3)

    def slow():
        for frame in frames(8):
            time.sleep(0.15)
            yield frame

    assert_whole(collect(slow()), 8)


def test_frames_keep_their_numbers_and_times(collect, service):
    breaking(service, every=3)
    given = [StreamFrame(np.zeros((4, 4, 3), np.uint8), media_time_us=40 * i, frame_id=10 * i) for i in range(7)]
    outcomes = collect(given, mode=StreamMode.LIVE)
    assert [(o.frame_id, o.media_time_us) for o in outcomes] == [(10 * i, 40 * i) for i in range(7)]
    assert {config.mode for config in service.configs} == {StreamMode.LIVE}


@pytest.mark.parametrize("error", [RuntimeError("unplugged"), TimeoutError("no picture")])
def test_what_the_frames_raise_comes_after_the_answers_to_those_before(collect, service, error):
    breaking(service, every=4)

    def broken():
        yield from frames(6)
        raise error

    seen = []
    with pytest.raises(type(error), match=str(error)):
        collect(broken(), seen)
    assert_whole(seen, 6)


def test_a_server_that_breaks_every_call_is_given_up_in_time(collect, service):
    breaking(service, every=1)
    begun = time.monotonic()
    with pytest.raises(faced_client.Unavailable, match="gone"):
        collect(frames(3), reconnect=0.8)
    assert 0.3 < time.monotonic() - begun < 2.5
    assert len(service.configs) > 2


def test_errors_that_another_call_would_meet_again_are_final(collect, service):
    breaking(service, every=3, code=grpc.StatusCode.INTERNAL, reason="internal")
    seen = []
    # As many as are sent before the first answer: where a message is sent while the call ends, grpc.aio loses the code.
    with pytest.raises(faced_client.ServerFailure, match="gone"):
        collect(frames(3), seen)
    assert_whole(seen, 2)
    assert len(service.configs) == 1


def test_a_full_server_is_tried_again_only_once_it_took_the_stream(collect, service):
    def full(context):
        context.set_trailing_metadata([("faced-reason", "overloaded"), ("retry-after-ms", "10")])
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    service.before_stream = full
    with pytest.raises(faced_client.Overloaded, match="full"):
        collect(frames(3))

    calls = itertools.count()
    service.before_stream = lambda context: full(context) if next(calls) in (1, 2) else None
    breaking(service, every=4)
    assert_whole(collect(frames(5)), 5)


def test_a_server_that_is_started_anew_finds_the_stream_again(collect, service, restart):
    def kill_once(frame_id, context):
        if frame_id == 5 and not restart.happened.is_set():
            threading.Thread(target=restart).start()
            restart.happened.wait(5)

    service.before_answer = kill_once
    assert_whole(collect(frames(12)), 12)


def test_tracked_streams_bring_their_newest_outcomes_along(collect, service):
    breaking(service, every=4)
    given = (StreamFrame(np.zeros((4, 4, 3), np.uint8), media_time_us=i * 1000) for i in range(5))
    outcomes = collect(given, config=StreamConfig(track=True))
    first, second = service.configs
    assert first.history == ()
    assert [(row.frame_id, row.media_time_us) for row in second.history] == [(0, 0), (1, 1000), (2, 2000)]
    assert second.history[0].result.faces[0]["age"].labels == outcomes[0].result.faces[0]["age"].labels
    assert [outcome.frame_id for outcome in outcomes] == list(range(5))


def test_without_tracks_nothing_is_brought_along(collect, service):
    breaking(service, every=4)
    collect(frames(6))
    assert [config.history for config in service.configs] == [(), ()]


def test_a_picture_that_cannot_be_sent_fails_once(collect, service):
    breaking(service, every=3)
    results = [outcome.result for outcome in collect([b"", b"", b"", b""])]
    assert [(result.reason, result.message) for result in results] == [(ErrorReason.IMAGE_EMPTY, "image: is empty")] * 4


def test_a_file_that_the_server_would_not_take_fails_alone(collect, service):
    service.max_message_bytes = 1 << 16
    small, large = next(frames(1)), b"\xff" * 70_000
    results = [outcome.result for outcome in collect([small, small, large, small])]
    assert [isinstance(result, FrameFailure) for result in results] == [False, False, True, False]
    assert results[2].reason is ErrorReason.MESSAGE_TOO_LARGE


def test_closing_the_client_ends_the_waiting(running, service):
    breaking(service, every=1)
    client = Client(running.address)
    threading.Timer(0.5, client.close).start()
    begun = time.monotonic()
    with pytest.raises(faced_client.Cancelled, match="closed"):
        list(client.stream(frames(3)))
    assert time.monotonic() - begun < 3
