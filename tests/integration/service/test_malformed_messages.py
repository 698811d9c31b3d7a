"""Bytes that are no message, and durations that are none."""

import logging

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from faced_proto.v1 import service_pb2

SERVICE = "/faced.v1.FaceAnalysisService/"
BROKEN = b"\xff\xff\xff\xff"


def asis(data):
    return data


@pytest.mark.parametrize(("method", "kind"), [("Analyze", "AnalyzeRequest"), ("GetServerInfo", "GetServerInfoRequest")])
def test_bytes_that_are_no_message_are_an_invalid_argument(channel, failure, caplog, method, kind):
    with caplog.at_level(logging.WARNING):
        answer = failure(channel.unary_unary(SERVICE + method, asis, asis), BROKEN)
    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "invalid_option", f"the bytes of the message are no {kind}")
    assert caplog.records == []


def test_a_stream_of_such_bytes_is_an_invalid_argument(channel, failure, caplog, stub, raw_face):
    call = channel.stream_stream(SERVICE + "AnalyzeStream", asis, asis)
    wanted = (
        grpc.StatusCode.INVALID_ARGUMENT,
        "invalid_option",
        "the bytes of the message are no AnalyzeStreamRequest",
    )
    config = service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig()).SerializeToString()
    with caplog.at_level(logging.WARNING):
        assert failure(call, iter([BROKEN])) == wanted
        assert failure(call, iter([config, BROKEN])) == wanted
    assert caplog.records == []
    assert len(stub.Analyze(service_pb2.AnalyzeRequest(image=raw_face)).analysis.faces) == 1


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(1, -1), (-1, 1), (0, 1_000_000_000), (0, 2**31 - 1), (315_576_000_001, 0), (2**63 - 1, 0)]
)
def test_durations_that_are_none_are_refused_by_name(stub, failure, raw_face, seconds, nanos):
    duration = Duration(seconds=seconds, nanos=nanos)
    code, reason, text = failure(stub.Analyze, service_pb2.AnalyzeRequest(image=raw_face, deadline=duration))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "invalid_option")
    assert "deadline" in text
    for field in ("max_frame_age", "frame_deadline", "smoothing_half_life"):
        config = service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig(**{field: duration}))
        code, reason, text = failure(stub.AnalyzeStream, iter([config]))
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "invalid_option")
        assert field in text
