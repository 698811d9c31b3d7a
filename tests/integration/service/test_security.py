"""Tokens, certificates and allowances over a real channel."""

import threading
import time
from contextlib import suppress

import grpc
import pytest
import trustme

from faced_proto.v1 import service_pb2, service_pb2_grpc

UNAUTHENTICATED, EXHAUSTED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.RESOURCE_EXHAUSTED
INFO = service_pb2.GetServerInfoRequest()
CONFIG = service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig())


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls(tmp_path, authority):
    exchange(tmp_path, authority)
    return {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem"}


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("door:t0k-door\nhall:t0k-hall\n")
    return path


def exchange(folder, authority):
    """A new certificate, as a rotation puts it there: file by file."""
    issued = authority.issue_cert("localhost")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    for name, content in (("key.pem", issued.private_key_pem.bytes()), ("cert.pem", chain)):
        (folder / "new").write_bytes(content)
        (folder / "new").replace(folder / name)


def bearer(token):
    return (("authorization", f"Bearer {token}"),)


def secure_channel(address, authority, pair=None):
    key, chain = (None, None) if pair is None else (pair.private_key_pem.bytes(), pair.cert_chain_pems[0].bytes())
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes(), key, chain)
    # A pool of its own: each channel makes a connection, and so a handshake.
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.secure_channel(address.replace("127.0.0.1", "localhost"), credentials, options)


def stub_of(channel):
    return service_pb2_grpc.FaceAnalysisServiceStub(channel)


def opened(stub, metadata=()):
    """A stream that has begun: its call, and how to send and end it."""
    go, frames = threading.Event(), []

    def requests():
        yield CONFIG
        while go.wait(30) and frames:
            frame = frames.pop(0)
            go.clear()
            yield frame

    def send(*messages):
        frames.extend(messages)
        go.set()

    call = stub.AnalyzeStream(requests(), metadata=metadata, timeout=30)
    assert next(call).HasField("started")
    return call, send


def test_a_token_is_needed_for_everything_but_health(serving, token_file, raw_face, failure):
    request = service_pb2.AnalyzeRequest(image=raw_face)
    with serving(token_file=token_file) as (address, metrics), grpc.insecure_channel(address) as channel:
        stub = stub_of(channel)
        assert len(stub.Analyze(request, metadata=bearer("t0k-door")).analysis.faces) == 1
        for metadata in ((), bearer("t0k-doo"), (("authorization", "Basic t0k-door"),)):
            for call, argument in ((stub.Analyze, request), (stub.AnalyzeStream, iter([CONFIG]))):
                assert failure(call, argument, metadata=metadata)[:2] == (UNAUTHENTICATED, "unauthenticated")
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"") == b"\x08\x01"

    def counted(method, code, caller):
        labels = {"method": method, "code": code, "caller": caller}
        return metrics.registry.get_sample_value("faced_requests_total", labels)

    assert counted("Analyze", "OK", "door") == 1
    assert counted("Analyze", "UNAUTHENTICATED", "") == counted("AnalyzeStream", "UNAUTHENTICATED", "") == 3


def test_who_may_not_call_is_refused_before_a_message_is_read(serving, token_file):
    with serving(token_file=token_file) as (address, _), grpc.insecure_channel(address) as channel:
        upload = channel.stream_unary("/faced.v1.FaceAnalysisService/Analyze")
        never = threading.Event()
        begin = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            upload(iter(lambda: never.wait(20), True), timeout=20)
        assert caught.value.code() is UNAUTHENTICATED
        assert time.monotonic() - begin < 5
        never.set()


def test_tokens_are_exchanged_while_serving_and_streams_of_old_ones_end(serving, token_file, raw_face):
    frame = service_pb2.Frame(image=raw_face)
    with serving(token_file=token_file) as (address, metrics), grpc.insecure_channel(address) as channel:
        stub = stub_of(channel)
        door, send_door = opened(stub, bearer("t0k-door"))
        hall, send_hall = opened(stub, bearer("t0k-hall"))
        token_file.write_text("door:n3w-door\nhall:t0k-hall\n")
        assert stub.GetServerInfo(INFO, metadata=bearer("n3w-door")).version
        send_hall(service_pb2.AnalyzeStreamRequest(frame=frame))
        assert len(next(hall).outcome.analysis.faces) == 1
        send_door(service_pb2.AnalyzeStreamRequest(frame=frame))
        with pytest.raises(grpc.RpcError) as caught:
            next(door)
        assert (caught.value.code(), dict(caught.value.trailing_metadata())["faced-reason"]) == (
            UNAUTHENTICATED,
            "unauthenticated",
        )
        # A file that is no such thing leaves the tokens before in force.
        token_file.write_text("nonsense")
        assert stub.GetServerInfo(INFO, metadata=bearer("n3w-door")).version
        for usable in ("true", "false"):
            labels = {"what": "tokens", "usable": usable}
            assert metrics.registry.get_sample_value("faced_reloads_total", labels) == 1
        send_hall()


def test_certificates_are_exchanged_while_serving(serving, tls, tmp_path, authority):
    next_authority = trustme.CA()
    with serving(**tls) as (address, _), secure_channel(address, authority) as first:
        assert stub_of(first).GetServerInfo(INFO).version
        exchange(tmp_path, next_authority)
        with secure_channel(address, next_authority) as second:
            assert stub_of(second).GetServerInfo(INFO, timeout=10).version
        with secure_channel(address, authority) as third, pytest.raises(grpc.RpcError, match="CERTIFICATE_VERIFY"):
            stub_of(third).GetServerInfo(INFO, timeout=10)
        # The connection that was there goes on.
        assert stub_of(first).GetServerInfo(INFO).version
        # Half of a rotation leaves the pair before in force.
        authority.issue_cert("localhost").private_key_pem.write_to_path(tmp_path / "key.pem")
        with secure_channel(address, next_authority) as fourth:
            assert stub_of(fourth).GetServerInfo(INFO, timeout=10).version


def test_mutual_tls_takes_the_certificates_of_its_authority_only(serving, tls, tmp_path, authority):
    callers = trustme.CA()
    callers.cert_pem.write_to_path(tmp_path / "callers.pem")
    with serving(**tls, tls_client_ca=tmp_path / "callers.pem", streams_per_caller=1) as (address, _):
        camera = callers.issue_cert(common_name="camera 7")
        with secure_channel(address, authority, camera) as channel:
            call, send = opened(stub_of(channel))
            # Another connection of the same certificate is the same caller, another certificate is not.
            with secure_channel(address, authority, camera) as again, pytest.raises(grpc.RpcError) as caught:
                next(stub_of(again).AnalyzeStream(iter([CONFIG])))
            assert caught.value.code() is EXHAUSTED
            other = callers.issue_cert(common_name="camera 8")
            with secure_channel(address, authority, other) as another:
                opened(stub_of(another))[1]()
            send()
            assert list(call) == []
        for pair in (None, authority.issue_cert(common_name="camera 7")):
            with secure_channel(address, authority, pair) as channel, pytest.raises(grpc.RpcError) as caught:
                stub_of(channel).GetServerInfo(INFO, timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_streams_beyond_a_callers_are_refused_until_one_ends(serving, failure):
    with serving(streams_per_caller=2) as (address, _), grpc.insecure_channel(address) as channel:
        stub = stub_of(channel)
        streams = [opened(stub) for _ in range(2)]
        code, reason, text = failure(stub.AnalyzeStream, iter([CONFIG]))
        assert (code, reason) == (EXHAUSTED, "quota")
        assert text == "2 streams of this caller are open, and streams_per_caller is 2"
        call, send = streams[0]
        send()
        assert list(call) == []
        opened(stub)[1]()
        streams[1][1]()


def test_streams_beyond_all_callers_are_overload(serving, token_file, failure):
    with serving(token_file=token_file, max_streams=1) as (address, _), grpc.insecure_channel(address) as channel:
        stub = stub_of(channel)
        _, send = opened(stub, bearer("t0k-door"))
        code, reason, text = failure(stub.AnalyzeStream, iter([CONFIG]), metadata=bearer("t0k-hall"))
        assert (code, reason, text) == (EXHAUSTED, "overloaded", "1 streams are open, and max_streams is 1")
        send()


def test_requests_beyond_the_rate_are_refused_before_they_are_read(serving, token_file):
    with (
        serving(token_file=token_file, requests_per_second=2) as (address, _),
        grpc.insecure_channel(address) as channel,
    ):
        stub = stub_of(channel)
        for _ in range(2):
            stub.GetServerInfo(INFO, metadata=bearer("t0k-door"))
        never = threading.Event()
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary("/faced.v1.FaceAnalysisService/Analyze")(
                iter(lambda: never.wait(20), True), metadata=bearer("t0k-door"), timeout=20
            )
        never.set()
        trailer = dict(caught.value.trailing_metadata())
        assert (caught.value.code(), trailer["faced-reason"]) == (EXHAUSTED, "quota")
        assert 0 < int(trailer["retry-after-ms"]) <= 500
        assert stub.GetServerInfo(INFO, metadata=bearer("t0k-hall")).version
        time.sleep(int(trailer["retry-after-ms"]) / 1000 + 0.02)
        assert stub.GetServerInfo(INFO, metadata=bearer("t0k-door")).version


def test_frames_beyond_the_rate_are_slowed_and_none_is_lost(serving, raw_face):
    frames = [
        CONFIG,
        *(service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=n, image=raw_face)) for n in range(9)),
    ]
    with serving(requests_per_second=5) as (address, _), grpc.insecure_channel(address) as channel:
        begin = time.monotonic()
        _, *outcomes = stub_of(channel).AnalyzeStream(iter(frames))
    assert [len(answer.outcome.analysis.faces) for answer in outcomes] == [1] * 9
    # The opening and four frames at once, five more at 5 a second.
    assert 0.9 < time.monotonic() - begin < 4


def test_a_picture_that_does_not_arrive_is_given_up(serving):
    with serving(upload_timeout_s=0.3) as (address, _), grpc.insecure_channel(address) as channel:
        never = threading.Event()
        with pytest.raises(grpc.RpcError, match=r"did not arrive within 0\.3 s") as caught:
            channel.stream_unary("/faced.v1.FaceAnalysisService/Analyze")(
                iter(lambda: never.wait(20), True), timeout=20
            )
        never.set()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert stub_of(channel).GetServerInfo(INFO).version


def test_a_stream_that_does_not_begin_is_given_up_and_leaves_its_place_to_others(serving):
    with serving(upload_timeout_s=1.0, max_streams=1) as (address, _), grpc.insecure_channel(address) as channel:
        never = threading.Event()
        with pytest.raises(grpc.RpcError, match=r"no configuration came within 1 s \(upload_timeout_s\)") as caught:
            list(stub_of(channel).AnalyzeStream(iter(lambda: never.wait(20), True), timeout=20))
        never.set()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert dict(caught.value.trailing_metadata())["faced-reason"] == "deadline"
        # One that has begun may be silent for longer.
        _, send = opened(stub_of(channel))
        time.sleep(1.3)
        send()


def test_a_caller_that_vanishes_while_its_picture_arrives_gives_its_place_back(serving, raw_face):
    with serving(queue_limit=1) as (address, _), grpc.insecure_channel(address) as channel:
        never = threading.Event()
        uploads = channel.stream_unary("/faced.v1.FaceAnalysisService/Analyze")
        vanishing = uploads.future(iter(lambda: never.wait(20), True), timeout=20)
        # It has come, and nothing of it is answered.
        time.sleep(0.5)
        assert not vanishing.done()
        with pytest.raises(grpc.RpcError) as caught:
            stub_of(channel).Analyze(service_pb2.AnalyzeRequest(image=raw_face))
        refused, end = caught.value, time.monotonic() + 10
        assert refused.details() == "1 pictures are arriving, and queue_limit is 1"
        assert dict(refused.trailing_metadata())["faced-reason"] == "overloaded"
        vanishing.cancel()
        never.set()
        answered = None
        while answered is None and time.monotonic() < end:
            with suppress(grpc.RpcError):
                answered = stub_of(channel).Analyze(service_pb2.AnalyzeRequest(image=raw_face))
        assert len(answered.analysis.faces) == 1


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_messages_beyond_the_limit_are_refused_also_where_they_grow_when_unpacked(serving, compression):
    large = service_pb2.AnalyzeRequest()
    large.image.encoded = bytes(3_000_000)
    frame = service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(image=large.image))
    with serving(max_message_bytes=1_000_000) as (address, _), grpc.insecure_channel(address) as channel:
        stub = stub_of(channel)
        for call in (
            lambda: stub.Analyze(large, compression=compression, timeout=20),
            lambda: list(stub.AnalyzeStream(iter([CONFIG, frame]), compression=compression, timeout=20)),
        ):
            with pytest.raises(grpc.RpcError, match="message larger than max") as caught:
                call()
            assert caught.value.code() is EXHAUSTED
        assert stub.GetServerInfo(INFO).version


def test_request_ids_of_callers_come_back_if_they_may_stand_in_a_log(serving):
    with serving() as (address, _), grpc.insecure_channel(address) as channel:
        for given, kept in (("cam-7.42", True), ("two words", False), ("x" * 65, False)):
            _, call = stub_of(channel).GetServerInfo.with_call(INFO, metadata=(("x-request-id", given),))
            answer = dict(call.trailing_metadata())["x-request-id"]
            assert (answer == given) is kept
            assert kept or len(answer) == 32
