"""POST /v1/analyze and what lies around it."""

import httpx
import pytest


def error_of(answer):
    return answer.status_code, answer.json()["error"]


@pytest.fixture(scope="module")
def narrow(web_serving):
    """A server with small limits and two attributes."""
    limits = {"max_message_bytes": 50_000, "max_pixels": 100_000, "allowed_attributes": ("emotion", "age")}
    with web_serving(**limits) as (url, metrics), httpx.Client(base_url=url, timeout=60) as client:
        client.metrics = metrics
        yield client


def test_a_picture_as_the_body_and_as_a_form_have_one_answer(http, face_jpeg):
    body = http.post("v1/analyze", content=face_jpeg).json()
    form = http.post("v1/analyze", files={"image": ("face.jpg", face_jpeg)}, data={"other": "ignored"}).json()
    assert body["timing_ms"].pop("total") > 0
    for answer in (body, form):
        answer.pop("timing_ms")
    assert body == form
    (face,) = body["faces"]
    assert 80 < face["box"]["right"] - face["box"]["left"] < 130
    assert list(face["attributes"]) == ["emotion", "gender", "age", "age_group"]
    assert sum(face["attributes"]["emotion"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert len(face["landmarks"]) == 5


def test_it_is_the_answer_of_grpc(http, stub, raw_face, astronaut):
    import cv2

    from faced_proto.convert import axes_of, frame_analysis_from_proto, server_info_from_proto
    from faced_proto.json_values import analysis_fields
    from faced_proto.v1 import service_pb2

    png = cv2.imencode(".png", astronaut[:256, 96:352, ::-1])[1].tobytes()
    web = http.post("v1/analyze", content=png).json()
    info = server_info_from_proto(stub.GetServerInfo(service_pb2.GetServerInfoRequest()))
    reply = stub.Analyze(service_pb2.AnalyzeRequest(image=raw_face)).analysis
    rpc = analysis_fields(frame_analysis_from_proto(reply, axes_of(info.models)))
    for answer in (web, rpc):
        answer.pop("timing_ms")
    assert web == rpc


def test_options_are_those_of_grpc(http, face_jpeg):
    answer = http.post("v1/analyze?attributes=emotion,age&landmarks=false&upsample=0", content=face_jpeg).json()
    (face,) = answer["faces"]
    assert list(face["attributes"]) == ["emotion", "age"]
    assert face["landmarks"] == []
    assert answer["applied_scale"] == 1
    assert http.post("v1/analyze?attributes=none", content=face_jpeg).json()["faces"][0]["attributes"] == {}


@pytest.mark.parametrize(
    ("query", "status", "reason", "words"),
    [
        ("upsample=two", 400, "invalid_option", "upsample"),
        ("upsample=1&min_face=40", 400, "invalid_option", "min_face_px"),
        ("min_face=-1", 400, "invalid_option", "min_face"),
        ("threshold=nan", 400, "invalid_option", "threshold"),
        ("landmarks=maybe", 400, "invalid_option", "landmarks"),
        ("colour=red", 400, "invalid_option", "colour"),
        ("attributes=mood", 400, "unknown_attribute", "mood"),
        ("deadline_ms=0", 400, "invalid_option", "deadline_ms"),
        ("deadline_ms=0.001", 504, "deadline", "deadline"),
    ],
)
def test_a_wrong_option_is_named(http, face_jpeg, query, status, reason, words):
    answer = http.post(f"v1/analyze?{query}", content=face_jpeg)
    assert error_of(answer) == (status, reason)
    assert words in answer.json()["message"]
    assert answer.headers["faced-reason"] == reason


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [(b"", 400, "image_empty"), (b"hello", 415, "image_unsupported"), (b"\xff\xd8\xff\xe0", 400, "image_truncated")],
)
def test_a_wrong_picture_is_named_and_the_next_one_is_answered(http, face_jpeg, content, status, reason):
    assert error_of(http.post("v1/analyze", content=content)) == (status, reason)
    assert len(http.post("v1/analyze", content=face_jpeg).json()["faces"]) == 1


def test_a_form_without_the_field_or_without_sense_is_refused(http, face_jpeg):
    answer = http.post("v1/analyze", files={"picture": face_jpeg})
    assert error_of(answer) == (400, "invalid_option")
    assert "image" in answer.json()["message"]
    broken = http.post("v1/analyze", content=b"--x\r\n", headers={"content-type": "multipart/form-data; boundary=y"})
    assert error_of(broken) == (400, "invalid_option")
    none = http.post("v1/analyze", content=b"--x\r\n", headers={"content-type": "multipart/form-data"})
    assert error_of(none) == (400, "invalid_option")


def test_limits_of_bytes_and_pixels_hold(narrow, http, face_jpeg, astronaut):
    import cv2

    assert error_of(narrow.post("v1/analyze", content=b"x" * 50_001)) == (413, "message_too_large")
    chunks = (b"x" * 10_000 for _ in range(20))
    assert error_of(narrow.post("v1/analyze", content=chunks)) == (413, "message_too_large")
    assert error_of(narrow.post("v1/analyze", files={"image": b"x" * 60_000})) == (413, "message_too_large")
    large = cv2.imencode(".jpg", astronaut[:400, :400], [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()
    assert error_of(narrow.post("v1/analyze", content=large)) == (413, "image_too_large")
    assert len(narrow.post("v1/analyze", content=face_jpeg).json()["faces"]) == 1


def test_an_attribute_that_is_not_allowed_is_forbidden_by_name(narrow, face_jpeg):
    answer = narrow.post("v1/analyze?attributes=gender", content=face_jpeg)
    assert error_of(answer) == (403, "forbidden_attribute")
    assert "gender" in answer.json()["message"]
    (face,) = narrow.post("v1/analyze", content=face_jpeg).json()["faces"]
    assert list(face["attributes"]) == ["emotion", "age"]
    assert narrow.get("v1/info").json()["attributes"] == ["emotion", "age"]


def test_calls_are_counted_as_those_of_grpc_are(narrow, face_jpeg):
    def count(code):
        labels = {"method": "POST /v1/analyze", "code": code, "caller": ""}
        return narrow.metrics.registry.get_sample_value("faced_requests_total", labels) or 0

    before = count("OK"), count("INVALID_ARGUMENT")
    narrow.post("v1/analyze", content=face_jpeg)
    narrow.post("v1/analyze", content=b"hello")
    assert (count("OK"), count("INVALID_ARGUMENT")) == (before[0] + 1, before[1] + 1)


def test_request_ids_are_taken_and_given_back(http, face_jpeg):
    answer = http.post("v1/analyze", content=face_jpeg, headers={"x-request-id": "door-7"})
    assert answer.headers["x-request-id"] == "door-7"


def test_the_openapi_document_describes_the_answer(http, face_jpeg):
    document = http.get("openapi.json").json()
    assert document["openapi"] == "3.1.0"
    answer = http.post("v1/analyze", content=face_jpeg).json()
    assert set(answer) == set(document["components"]["schemas"]["Analysis"]["properties"])
    assert set(answer["faces"][0]) == set(document["components"]["schemas"]["Face"]["properties"])
    assert {one["name"] for one in document["paths"]["/v1/analyze"]["post"]["parameters"]} == {
        *("attributes", "min_face", "upsample", "threshold", "max_faces", "landmarks", "deadline_ms")
    }


def test_a_caller_that_leaves_costs_nobody_anything(page, http, face_jpeg):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{page}v1/analyze", content=face_jpeg, timeout=0.01)
    assert len(http.post("v1/analyze", content=face_jpeg).json()["faces"]) == 1
