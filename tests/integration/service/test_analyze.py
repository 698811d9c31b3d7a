import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc

from faced_proto.v1 import face_pb2, image_pb2, options_pb2, service_pb2, service_pb2_grpc
from faced_service.embedded import EmbeddedServer
from faced_service.settings import Settings

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def request(image, deadline=None, **options):
    names = options.pop("attributes", None)
    if names is not None:
        options["attributes"] = options_pb2.AttributeSelection(names=names)
    message = service_pb2.AnalyzeRequest(image=image, options=options_pb2.AnalysisOptions(**options))
    if deadline is not None:
        message.deadline.CopyFrom(Duration(nanos=int(deadline * 1e9)))
    return message


def without_timing(analysis):
    copy = type(analysis).FromString(analysis.SerializeToString())
    copy.ClearField("timing")
    return copy


def test_the_face_of_a_picture_gets_box_points_and_distributions(stub, as_file, astronaut):
    analysis = stub.Analyze(request(as_file(astronaut, ".png"))).analysis
    assert (analysis.width, analysis.height, analysis.rotation) == (512, 512, image_pb2.ROTATION_0)
    assert len(analysis.faces) == 1
    face = analysis.faces[0]
    box = np.array((face.box.left, face.box.top, face.box.right, face.box.bottom))
    assert np.abs(box - (165, 73, 264, 172)).max() <= 3
    assert 0.5 < face.score < 2.0
    assert [point.type for point in face.landmarks] == [1, 2, 3, 4, 5]
    assert all(face.box.left < point.x < face.box.right for point in face.landmarks)
    assert [result.attribute for result in face.attributes] == list(analysis.options.attributes)
    assert sorted(analysis.options.attributes) == ["age", "age_group", "emotion", "gender"]
    for result in face.attributes:
        assert result.WhichOneof("outcome") == "distribution"
        axis = result.distribution.axis
        count = len(axis.categories.labels) or axis.integer_bins.count
        assert len(result.distribution.probabilities) == count
        assert abs(sum(result.distribution.probabilities) - 1) < 1e-5
        assert result.distribution.calibrated


def test_auto_is_one_doubling_and_the_reply_says_so(stub, as_file, astronaut):
    image = as_file(astronaut, ".png")
    auto = stub.Analyze(request(image, attributes=[])).analysis
    assert (auto.options.upsample_times, auto.applied_scale, auto.min_detectable_px) == (1, 2.0, 40.0)
    none = stub.Analyze(request(image, attributes=[], upsample_times=0)).analysis
    assert (none.options.upsample_times, none.applied_scale, none.min_detectable_px) == (0, 1.0, 80.0)
    large = stub.Analyze(request(image, attributes=[], min_face_px=100)).analysis
    assert large.options.upsample_times == 0
    assert 80 < large.min_detectable_px <= 100
    assert len(none.faces) == len(large.faces) == 1


def test_files_without_loss_and_raw_pixels_give_equal_numbers(stub, as_file, as_raw, astronaut):
    replies = [
        without_timing(stub.Analyze(request(image)).analysis)
        for image in (as_file(astronaut, ".png"), as_file(astronaut, ".bmp"), as_raw(astronaut))
    ]
    assert replies[0] == replies[1] == replies[2]


def test_a_turned_picture_gives_the_same_face(stub, as_raw, astronaut):
    turned = as_raw(np.rot90(astronaut, 1).copy())
    assert stub.Analyze(request(turned, attributes=[])).analysis.rotation == image_pb2.ROTATION_0
    turned.rotation = image_pb2.ROTATION_90
    upright = stub.Analyze(request(turned, attributes=[])).analysis
    straight = stub.Analyze(request(as_raw(astronaut), attributes=[])).analysis
    assert upright.rotation == image_pb2.ROTATION_90
    assert upright.faces == straight.faces


def test_options_shape_the_reply(stub, raw_face):
    boxes = stub.Analyze(request(raw_face, attributes=[])).analysis
    assert [len(face.attributes) for face in boxes.faces] == [0]
    bare = stub.Analyze(request(raw_face, attributes=["age_group"], include_labels=False, include_landmarks=False))
    (face,) = bare.analysis.faces
    assert [result.attribute for result in face.attributes] == ["age_group"]
    assert not face.attributes[0].distribution.HasField("axis")
    assert not face.landmarks
    nobody = stub.Analyze(request(raw_face, threshold=10.0)).analysis
    assert (len(nobody.faces), nobody.options.threshold) == (0, 10.0)


def test_gender_alone_is_guarded_by_an_age_that_nobody_sees(raw_face):
    with (
        EmbeddedServer(Settings(gender_guard_threshold=0.0, allowed_attributes=("gender",))) as target,
        grpc.insecure_channel(target) as channel,
    ):
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
        (face,) = stub.Analyze(request(raw_face)).analysis.faces
        (result,) = face.attributes
        assert (result.attribute, result.withheld.reason) == ("gender", face_pb2.WITHHELD_REASON_MAY_BE_MINOR)
        info = stub.GetServerInfo(service_pb2.GetServerInfoRequest())
        assert list(info.attributes) == ["gender"]
        assert [model.attribute for model in info.models] == ["", "", "gender"]
        with pytest.raises(grpc.RpcError) as caught:
            stub.Analyze(request(raw_face, attributes=["age"]))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_time_is_measured(stub, raw_face):
    timing = stub.Analyze(request(raw_face)).analysis.timing
    stages = timing.detect_us, timing.align_us, timing.describe_us
    assert all(stage > 0 for stage in stages)
    assert timing.detect_us < timing.total_us
    assert timing.decode_us + timing.queue_us < timing.total_us


def test_equal_calls_at_once_get_equal_numbers(stub, raw_face):
    alone = without_timing(stub.Analyze(request(raw_face)).analysis)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: stub.Analyze(request(raw_face)).analysis, range(16)))
    for reply in replies:
        faces = without_timing(reply)
        assert faces.faces[0].box == alone.faces[0].box
        for ours, theirs in zip(faces.faces[0].attributes, alone.faces[0].attributes, strict=True):
            assert np.allclose(ours.distribution.probabilities, theirs.distribution.probabilities, atol=1e-6)


def raw(**fields):
    plane = image_pb2.Plane(data=fields.pop("data", bytes(12)))
    return image_pb2.Image(raw=image_pb2.RawImage(planes=[plane], **fields))


@pytest.mark.parametrize(
    ("image", "options", "status", "reason", "words"),
    [
        (image_pb2.Image(), {}, INVALID, "image_empty", "no picture"),
        (image_pb2.Image(encoded=b""), {}, INVALID, "image_empty", "no bytes"),
        (image_pb2.Image(encoded=b"hello world, no picture"), {}, INVALID, "image_unsupported", "no JPEG"),
        (image_pb2.Image(encoded=b"\xff\xd8\xff\xe0\x00"), {}, INVALID, "image_truncated", "JPEG"),
        (raw(width=2, height=2), {}, INVALID, "raw_layout", "pixel_format is not set"),
        (raw(width=2, height=2, pixel_format=77), {}, INVALID, "raw_layout", "77"),
        (raw(width=2, height=3, pixel_format=1), {}, INVALID, "raw_layout", "18 bytes expected, 12 given"),
        (raw(width=30_000, height=30_000, pixel_format=1), {}, INVALID, "image_too_large", "max_pixels is 40000000"),
        (image_pb2.Image(rotation=9), {}, INVALID, "invalid_option", "rotation"),
        (None, {"threshold": float("nan")}, INVALID, "invalid_option", "threshold is nan"),
        (None, {"upsample_times": 9}, INVALID, "invalid_option", "0 to 8"),
        (None, {"min_face_px": 0}, INVALID, "invalid_option", "1 to 10000"),
        (None, {"max_faces": 0}, INVALID, "invalid_option", "at least 1"),
        (None, {"attributes": ["mood"]}, INVALID, "unknown_attribute", "emotion"),
        (None, {"attributes": ["x" * 100_000]}, INVALID, "unknown_attribute", "emotion"),
        (None, {"deadline": -0.5}, INVALID, "invalid_option", "deadline is -0.5 s"),
        (None, {"deadline": 0.0001}, grpc.StatusCode.DEADLINE_EXCEEDED, "deadline", "deadline"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong_and_the_next_one_works(
    stub, raw_face, failure, image, options, status, reason, words
):
    code, given, details = failure(stub.Analyze, request(image or raw_face, **options))
    assert (code, given) == (status, reason)
    assert words in details
    assert len(stub.Analyze(request(raw_face)).analysis.faces) == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (9, 9), (11, 400)])
def test_tiny_and_narrow_pictures_hold_no_face(stub, as_raw, size):
    analysis = stub.Analyze(request(as_raw(np.full((*size, 3), 90, np.uint8)))).analysis
    assert (analysis.height, analysis.width, len(analysis.faces)) == (*size, 0)


def test_grpcs_own_deadline_ends_the_wait(stub, as_file, astronaut):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Analyze(request(as_file(astronaut, ".png")), timeout=0.005)
    # Where the server hears of it in time, it says at once that the answer would come too late.
    assert caught.value.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)


def test_beyond_the_queue_limit_requests_are_refused_at_once(raw_face):
    with EmbeddedServer(Settings(queue_limit=1)) as target, grpc.insecure_channel(target) as channel:
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
        calls = [stub.Analyze.future(request(raw_face)) for _ in range(6)]
        refused = [call.exception() for call in calls if call.exception() is not None]
        assert 1 <= len(refused) <= 5
        for error in refused:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            metadata = dict(error.trailing_metadata())
            assert metadata["faced-reason"] == "overloaded"
            assert int(metadata["retry-after-ms"]) > 0
        begin = time.monotonic()
        assert len(stub.Analyze(request(raw_face)).analysis.faces) == 1
        assert time.monotonic() - begin < 5


def test_the_server_tells_what_it_is(stub):
    info = stub.GetServerInfo(service_pb2.GetServerInfoRequest())
    assert sorted(info.attributes) == ["age", "age_group", "emotion", "gender"]
    assert [model.attribute for model in info.models] == ["", "", *info.attributes]
    assert info.limits.max_message_bytes == 128 * 1024 * 1024
    assert info.engine.device == "cpu"
    assert info.version


@pytest.mark.not_on_ray("grpc.health.v1")
@pytest.mark.parametrize("service", ["", "faced.v1.FaceAnalysisService"])
def test_health_says_serving(channel, service):
    health = health_pb2_grpc.HealthStub(channel)
    answer = health.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
