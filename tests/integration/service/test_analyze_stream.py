import queue

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from faced_proto.v1 import errors_pb2, image_pb2, options_pb2, service_pb2

BACKWARDS = [
    service_pb2.FrameOutcome(frame_id=i, media_time_us=5 - i, dropped=service_pb2.Dropped(reason=1)) for i in (1, 2)
]
LIVE = service_pb2.STREAM_MODE_LIVE


def config(**fields):
    return service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig(**fields))


def frame(number, image, **fields):
    return service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=number, image=image, **fields))


def run(stub, *messages):
    replies = list(stub.AnalyzeStream(iter(messages)))
    assert replies[0].HasField("started")
    return replies[0].started, [reply.outcome for reply in replies[1:]]


def test_every_frame_is_answered_once_and_in_order(stub, raw_face):
    numbers = [3 * i + 1 for i in range(12)]
    started, outcomes = run(stub, config(), *(frame(n, raw_face, media_time_us=1000 * n) for n in numbers))
    assert started.max_in_flight == 4
    assert started.stream_id
    assert [outcome.frame_id for outcome in outcomes] == numbers
    assert [outcome.media_time_us for outcome in outcomes] == [1000 * n for n in numbers]
    for outcome in outcomes:
        (face,) = outcome.analysis.faces
        assert len(face.attributes) == 4
        assert not face.attributes[0].distribution.HasField("axis")
        assert outcome.analysis.applied_scale == 1.0


def test_stream_and_single_call_give_equal_faces(stub, raw_face):
    options = options_pb2.AnalysisOptions(upsample_times=0, include_labels=True)
    single = stub.Analyze(service_pb2.AnalyzeRequest(image=raw_face, options=options)).analysis
    _, (outcome,) = run(stub, config(options=options), frame(1, raw_face))
    assert outcome.analysis.faces == single.faces


def test_the_start_says_what_is_in_force(stub):
    options = options_pb2.AnalysisOptions(attributes=options_pb2.AttributeSelection(names=["age"]))
    history = [service_pb2.FrameOutcome(frame_id=1, dropped=service_pb2.Dropped(reason=1))]
    half_life = Duration(seconds=1)
    started, outcomes = run(
        stub, config(options=options, track=True, scan_interval=5, smoothing_half_life=half_life, history=history)
    )
    assert outcomes == []
    effective = started.effective_config
    assert (effective.track, effective.scan_interval, len(effective.history)) == (True, 5, 0)
    assert effective.smoothing_half_life == half_life
    assert started.history_span == Duration(seconds=26)
    assert (effective.mode, effective.options.upsample_times) == (service_pb2.STREAM_MODE_EVERY_FRAME, 0)
    assert [model.attribute for model in started.models] == ["age"]
    assert started.models[0].axis.integer_bins.count == 81
    assert list(started.ignored) == []


def test_without_tracks_a_history_is_of_no_use_and_said_to_be(stub):
    history = [service_pb2.FrameOutcome(frame_id=1, dropped=service_pb2.Dropped(reason=1))]
    started, _ = run(stub, config(history=history))
    assert list(started.ignored) == ["history"]
    assert not started.HasField("history_span")
    assert not started.effective_config.track


def test_a_bad_frame_fails_alone(stub, raw_face):
    bad = image_pb2.Image(encoded=b"\x89PNG\r\n\x1a\n")
    unset = image_pb2.Image(raw=image_pb2.RawImage(width=1, height=1))
    _, outcomes = run(stub, config(), *(frame(i, image) for i, image in enumerate((raw_face, bad, unset, raw_face))))
    kinds = [outcome.WhichOneof("outcome") for outcome in outcomes]
    assert kinds == ["analysis", "error", "error", "analysis"]
    assert outcomes[1].error.reason == errors_pb2.ERROR_REASON_IMAGE_TRUNCATED
    assert outcomes[2].error.reason == errors_pb2.ERROR_REASON_RAW_LAYOUT


def test_media_time_that_runs_backwards_fails_its_frame(stub, raw_face):
    times = (5, 4, 5)
    _, outcomes = run(stub, config(), *(frame(i, raw_face, media_time_us=t) for i, t in enumerate(times)))
    assert [outcome.WhichOneof("outcome") for outcome in outcomes] == ["analysis", "error", "analysis"]
    assert "media_time_us is 4 after 5" in outcomes[1].error.message


@pytest.mark.parametrize("second", [7, 6, 0])
def test_ids_that_do_not_increase_end_the_stream_after_the_frames_before(stub, raw_face, second):
    call = stub.AnalyzeStream(iter([config(), frame(7, raw_face), frame(second, raw_face)]))
    replies = []
    with pytest.raises(grpc.RpcError) as caught:
        replies.extend(call)
    assert [reply.WhichOneof("kind") for reply in replies] == ["started", "outcome"]
    assert replies[1].outcome.HasField("analysis")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert dict(caught.value.trailing_metadata())["faced-reason"] == "stream_order"
    assert f"frame_id is {second} after 7" in caught.value.details()


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "stream_order"),
        ([frame(1, image_pb2.Image())], "stream_order"),
        ([service_pb2.AnalyzeStreamRequest()], "stream_order"),
        ([config(), config()], "stream_order"),
        ([config(), service_pb2.AnalyzeStreamRequest()], "stream_order"),
        ([config(mode=9)], "invalid_option"),
        ([config(scan_interval=0)], "invalid_option"),
        ([config(scan_interval=1001)], "invalid_option"),
        ([config(smoothing_half_life=Duration(seconds=1))], "invalid_option"),
        ([config(track=True, smoothing_half_life=Duration(seconds=3601))], "invalid_option"),
        ([config(track=True, smoothing_half_life=Duration())], "invalid_option"),
        ([config(track=True, history=BACKWARDS)], "invalid_option"),
        ([config(max_frame_age=Duration())], "invalid_option"),
        ([config(frame_deadline=Duration(seconds=-1))], "invalid_option"),
        ([config(options=options_pb2.AnalysisOptions(threshold=float("nan")))], "invalid_option"),
        (
            [config(options=options_pb2.AnalysisOptions(attributes=options_pb2.AttributeSelection(names=["mood"])))],
            "unknown_attribute",
        ),
        ([config(history=[service_pb2.FrameOutcome()])], "invalid_option"),
        ([config(history=BACKWARDS[:1] * 8193)], "invalid_option"),
    ],
)
def test_streams_that_begin_or_go_on_wrongly_end_with_a_reason(stub, failure, messages, reason):
    code, given, details = failure(stub.AnalyzeStream, iter(messages))
    assert (code, given) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert details


def test_a_live_stream_analyses_the_newest_and_tells_the_others(stub, raw_face):
    numbers = list(range(1, 31))
    _, outcomes = run(stub, config(mode=LIVE), *(frame(n, raw_face) for n in numbers))
    assert [outcome.frame_id for outcome in outcomes] == numbers
    kinds = [outcome.WhichOneof("outcome") for outcome in outcomes]
    assert set(kinds) == {"analysis", "dropped"}
    assert kinds[-1] == "analysis"
    for outcome in outcomes:
        if outcome.HasField("dropped"):
            assert outcome.dropped.reason == service_pb2.DROP_REASON_SUPERSEDED


@pytest.mark.parametrize("limit", ["max_frame_age", "frame_deadline"])
def test_frames_that_wait_too_long_are_dropped(stub, raw_face, limit):
    _, outcomes = run(stub, config(**{limit: Duration(nanos=20_000)}), *(frame(n, raw_face) for n in range(1, 7)))
    assert len(outcomes) == 6
    reasons = [outcome.dropped.reason for outcome in outcomes if outcome.HasField("dropped")]
    assert len(reasons) >= 5
    assert set(reasons) == {service_pb2.DROP_REASON_TOO_OLD}


def test_a_client_that_goes_away_leaves_the_server_working(stub, raw_face):
    for _ in range(3):
        messages = queue.SimpleQueue()
        messages.put(config())
        for n in range(1, 4):
            messages.put(frame(n, raw_face))
        call = stub.AnalyzeStream(iter(messages.get, None))
        assert next(call).HasField("started")
        call.cancel()
        messages.put(None)
    _, outcomes = run(stub, config(), frame(1, raw_face))
    assert outcomes[0].HasField("analysis")


def test_no_more_than_the_credits_are_taken_from_a_client_that_ignores_them(stub, raw_face):
    sent = []

    def messages():
        yield config()
        for n in range(1, 101):
            sent.append(n)
            yield frame(n, raw_face)

    call = stub.AnalyzeStream(messages())
    assert next(call).HasField("started")
    assert next(call).outcome.frame_id == 1
    # What is under way, and what the transport's window of bytes holds; far from all hundred.
    assert len(sent) < 60
    assert [reply.outcome.frame_id for reply in call] == list(range(2, 101))
