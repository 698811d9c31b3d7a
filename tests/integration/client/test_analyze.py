"""Pictures over a real channel: what is sent, what comes back, and what failures become."""

import time

import cv2
import grpc
import numpy as np
import pytest

import faced_client
from faced_client import Client
from faced_proto.types import Box, ErrorReason, Rotation

RGB = np.random.default_rng(7).integers(0, 256, (40, 60, 3), np.uint8)
LAST = Box(*map(float, RGB[-1, -1]), 0.0)


def test_an_rgb_array_arrives_pixel_by_pixel(client, service):
    result = client.analyze(RGB)
    assert (result.width, result.height) == (60, 40)
    assert result.faces[0].detection.box == LAST
    assert result.faces[0].detection.score == float(np.float32(RGB.mean()))
    assert service.requests[0].image.raw.planes[0].data == RGB.tobytes()
    assert result.faces[0]["emotion"].top == ("glad", 0.75)
    assert result.faces[0]["age"].expectation() == 0.75


@pytest.mark.parametrize("encode", ["raw", "png"])
@pytest.mark.parametrize(
    ("array", "channels", "box"),
    [
        (RGB, "rgb", LAST),
        (RGB[:, :, ::-1], "bgr", LAST),
        (np.dstack([RGB, RGB[:, :, 0]]), "rgb", LAST),
        (np.dstack([RGB[:, :, ::-1], RGB[:, :, 0]]), "bgr", LAST),
        (RGB[:, :, 0], "rgb", Box(LAST.left, LAST.left, LAST.left, 0.0)),
        (RGB[::2, 1::3], "rgb", Box(*map(float, RGB[::2, 1::3][-1, -1]), 0.0)),
        (RGB.transpose(1, 0, 2), "rgb", LAST),
    ],
    ids=["rgb", "bgr", "rgba", "bgra", "grey", "strided", "transposed"],
)
def test_every_layout_arrives_as_the_same_colours(client, array, channels, box, encode):
    result = client.analyze(array, channels=channels, encode=encode)
    assert result.faces[0].detection.box == box
    assert (result.height, result.width) == array.shape[:2]


def test_jpeg_is_close_and_smaller_with_less_quality(client, service):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 9)
    fine = client.analyze(smooth, encode="jpeg:100").faces[0].detection
    assert fine.score == pytest.approx(smooth.mean(), abs=1.0)
    client.analyze(smooth, encode="jpeg:10")
    sizes = [len(request.image.encoded) for request in service.requests]
    assert sizes[1] < sizes[0]


def test_files_are_sent_as_they_are(client, service, tmp_path):
    content = cv2.imencode(".png", RGB[:, :, ::-1])[1].tobytes()
    path = tmp_path / "face.png"
    path.write_bytes(content)
    for image in (str(path), path, content, bytearray(content), memoryview(content)):
        assert client.analyze(image, encode="jpeg:10").faces[0].detection.box == LAST
    assert {request.image.encoded for request in service.requests} == {content}


def test_limits_are_asked_for_once(client, service):
    client.analyze(RGB)
    client.analyze(RGB)
    assert service.info_calls == 1


def test_a_raw_array_above_the_servers_limit_goes_as_png(client, service):
    service.max_message_bytes = 1 << 18
    large = np.zeros((400, 400, 3), np.uint8)
    large[-1, -1] = (1, 2, 3)
    assert client.analyze(large).faces[0].detection.box == Box(1, 2, 3, 0)
    assert service.requests[0].image.encoded.startswith(b"\x89PNG")


def test_what_exceeds_the_limit_as_png_too_is_refused_here(client, service):
    service.max_message_bytes = 1 << 16
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    with pytest.raises(faced_client.RequestTooLarge, match="bytes as png, and the server takes 61440"):
        client.analyze(noise)
    assert service.requests == []


def test_a_file_above_the_limit_is_refused_here(client, service, tmp_path):
    service.max_message_bytes = 1 << 16
    path = tmp_path / "large.jpg"
    path.write_bytes(b"\xff" * 70_000)
    for image, name in ((path, str(path)), (path.read_bytes(), "image")):
        with pytest.raises(
            faced_client.RequestTooLarge, match=f"{name}: 70000 bytes, and the server takes 65472 at most"
        ) as caught:
            client.analyze(image)
        assert caught.value.reason is ErrorReason.MESSAGE_TOO_LARGE
    assert service.requests == []
    assert client.analyze(RGB).width == 60


def test_options_travel(client, service):
    result = client.analyze(
        RGB,
        upsample_times=2,
        threshold=0.5,
        max_faces=3,
        attributes=["age"],
        rotation=90,
        ignore_exif=True,
        timeout=20,
    )
    request = service.requests[0]
    assert request.options.upsample_times == 2
    assert not request.options.HasField("include_labels")
    assert request.image.ignore_exif
    assert result.rotation is Rotation.QUARTER
    assert result.options.threshold == 0.5
    assert result.options.max_faces == 3
    assert [outcome.attribute for outcome in result.faces[0].attributes] == ["age"]
    assert 19 < request.deadline.ToMilliseconds() / 1000 <= 20
    # gRPC sends what is left rounded up to a tenth of a second.
    assert 19 < service.deadlines[0] <= 20.2


def test_nothing_is_sent_that_was_not_said(client, service):
    client.analyze(RGB, min_face_px=30, attributes=[])
    options, image = service.requests[0].options, service.requests[0].image
    assert options.WhichOneof("scale") == "min_face_px"
    assert options.HasField("attributes")
    assert [field.name for field, _ in options.ListFields()] == ["min_face_px", "attributes"]
    assert [field.name for field, _ in image.ListFields()] == ["raw"]
    assert 29 < service.deadlines[0] <= 30.2


def fail(code, details, *metadata):
    def before(request, context):
        context.set_trailing_metadata(metadata)
        context.abort(code, details)

    return before


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "image_truncated", faced_client.InvalidImage),
        (grpc.StatusCode.INVALID_ARGUMENT, "unknown_attribute", faced_client.InvalidRequest),
        (grpc.StatusCode.PERMISSION_DENIED, "forbidden_attribute", faced_client.PermissionDenied),
        (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated", faced_client.Unauthenticated),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "quota", faced_client.QuotaExceeded),
        (grpc.StatusCode.INTERNAL, "model_failed", faced_client.ModelFailure),
        (grpc.StatusCode.INTERNAL, "internal", faced_client.ServerFailure),
        (grpc.StatusCode.CANCELLED, "internal", faced_client.Cancelled),
    ],
)
def test_failures_become_exceptions_and_the_next_call_works(client, service, code, reason, kind):
    service.before_analyze = fail(code, "threshold: 99 is above 10", ("faced-reason", reason))
    with pytest.raises(faced_client.FacedError, match="threshold: 99 is above 10") as caught:
        client.analyze(RGB)
    assert type(caught.value) is kind
    assert caught.value.reason is ErrorReason(reason)
    assert len(service.requests) == 1
    service.before_analyze = None
    assert client.analyze(RGB).width == 60


def test_overload_says_when_to_come_again(client, service):
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    service.before_analyze = fail(code, "queue full", ("faced-reason", "overloaded"), ("retry-after-ms", "250"))
    with pytest.raises(faced_client.Overloaded) as caught:
        client.analyze(RGB)
    assert caught.value.retry_after == 0.25


def test_unavailable_is_tried_four_times_with_pictures_of_any_size(client, service):
    large = np.zeros((500, 600, 3), np.uint8)
    client.server_info()

    def refuse_thrice(request, context):
        if len(service.requests) < 4:
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")

    service.before_analyze = refuse_thrice
    assert client.analyze(large).width == 600
    assert len(service.requests) == 4


def test_unavailable_for_good_is_raised_after_five_tries(client, service):
    service.before_analyze = fail(grpc.StatusCode.UNAVAILABLE, "starting", ("faced-reason", "not_ready"))
    with pytest.raises(faced_client.Unavailable, match=r"^starting$") as caught:
        client.analyze(b"x")
    assert caught.value.reason is ErrorReason.NOT_READY
    assert len(service.requests) == 5


def test_a_slow_reply_ends_with_the_deadline(client, service):
    service.before_analyze = lambda request, context: time.sleep(0.8)
    client.server_info()
    begun = time.monotonic()
    with pytest.raises(faced_client.DeadlineExceeded):
        client.analyze(RGB, timeout=0.2)
    assert time.monotonic() - begun < 0.6
    with pytest.raises(TimeoutError):
        client.analyze(RGB, timeout=0.2)


def test_a_server_that_is_not_there_is_named(monkeypatch):
    with (
        Client("localhost:1") as client,
        pytest.raises(faced_client.Unavailable, match="no server answers at localhost:1"),
    ):
        client.analyze(b"x", timeout=10)
    monkeypatch.setenv("FACED_SERVER", "localhost:2")
    with Client() as client, pytest.raises(ConnectionError, match="localhost:2"):
        client.analyze(RGB, timeout=10)


def test_a_broken_reply_is_a_protocol_error(client, service):
    service.reply_empty = True
    with pytest.raises(faced_client.ProtocolError, match=r"analysis\.options: missing"):
        client.analyze(b"x")


def test_bad_arguments_never_reach_the_server(client, service, tmp_path):
    empty = tmp_path / "empty.jpg"
    empty.touch()
    for image, said in [
        (RGB.astype(np.float64), r"not float64 \[40, 60, 3\]"),
        (np.zeros((2, 3, 5), np.uint8), r"not uint8 \[2, 3, 5\]"),
        (np.zeros(4, np.uint8), r"not uint8 \[4\]"),
        (np.zeros((0, 5, 3), np.uint8), "no pixels, 5x0"),
        (b"", "image: is empty"),
        (empty, "empty.jpg: is empty"),
        (tmp_path / "none.jpg", "none.jpg: cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        ("a\0b", "cannot be read"),
        ([1, 2], "not list"),
    ]:
        with pytest.raises(faced_client.InvalidImage, match=said):
            client.analyze(image)
    for options, said in [
        ({"upsample_times": -1}, "upsample_times"),
        ({"upsample_times": 1, "min_face_px": 2}, "at most one of"),
        ({"attributes": "emotion"}, r"as in \['emotion'\]"),
        ({"encode": "jpeg:0"}, "jpeg:0"),
        ({"encode": "webp"}, "webp"),
        ({"channels": "grb"}, "grb"),
        ({"rotation": 45}, "45"),
        ({"timeout": 0}, "timeout: 0"),
        ({"timeout": float("nan")}, "timeout: nan"),
    ]:
        with pytest.raises(faced_client.InvalidRequest, match=said):
            client.analyze(RGB, **options)
    assert service.requests == []


def test_server_info(client):
    info = client.server_info()
    assert info.version == "1.2.3"
    assert info.attributes == ("emotion", "age")
    assert info.notices == ("a notice",)
    assert info.models[0].axis.labels == ("calm", "glad")


def test_a_closed_client_says_so(running):
    client = Client(running.address)
    client.close()
    client.close()
    for call in (lambda: client.analyze(RGB), client.server_info, lambda: list(client.stream([RGB]))):
        with pytest.raises(faced_client.Cancelled, match="closed"):
            call()
