"""The camera socket: order, credits, options, endings."""

import socket
import threading
import time

import pytest


def test_pictures_are_answered_in_order_with_tracks(camera, face_jpeg):
    for _ in range(3):
        camera.send(face_jpeg)
    answers = [camera.hear() for _ in range(3)]
    assert [answer["frame"] for answer in answers] == [0, 1, 2]
    analysed = [answer for answer in answers if "faces" in answer]
    # Live: of those that wait only the newest is looked at.
    assert "faces" in answers[-1]
    assert all(answer["dropped"] == "superseded" for answer in answers if answer not in analysed)
    assert {answer["faces"][0]["track_id"] for answer in analysed} == {1}


def test_the_start_says_what_is_in_force(page, camera_of):
    wishes = {"attributes": ["age"], "min_face": 115, "smoothing_half_life": 0.5, "scan_interval": 5}
    with camera_of(page, wishes) as camera:
        started = camera.hear()
    assert started["type"] == "started"
    assert started["credits"] == 4
    assert (started["attributes"], started["min_face"]) == (["age"], 115)
    assert (started["smoothing_half_life"], started["scan_interval"]) == (0.5, 5)


def test_values_are_smoothed_where_asked(page, camera_of, face_jpeg):
    with camera_of(page, {"smoothing_half_life": 0.5, "attributes": ["emotion"]}) as camera:
        camera.hear()
        camera.send(face_jpeg)
        (face,) = camera.hear()["faces"]
    assert set(face["attributes"]["emotion"]["raw"]["probabilities"]) == set(
        face["attributes"]["emotion"]["probabilities"]
    )


@pytest.mark.parametrize(
    ("first", "code", "reason", "words"),
    [
        ("no json", 4400, "stream_order", "JSON"),
        ("[]", 4400, "stream_order", "start"),
        ('{"type": "frame"}', 4400, "stream_order", "start"),
        (b"\xff\xd8\xff", 4400, "stream_order", "text"),
        ('{"type": "start", "colour": 1}', 4400, "invalid_option", "colour"),
        ('{"type": "start", "min_face": 1.5}', 4400, "invalid_option", "min_face"),
        ('{"type": "start", "attributes": "all"}', 4400, "invalid_option", "attributes"),
        ('{"type": "start", "attributes": ["mood"]}', 4400, "unknown_attribute", "mood"),
        ('{"type": "start", "smoothing_half_life": 0}', 4400, "invalid_option", "smoothing_half_life"),
        ('{"type": "start", "token": 7}', 4400, "invalid_option", "token"),
        ("[" * 60_000, 4400, "stream_order", "JSON"),
    ],
)
def test_a_wrong_start_is_named(page, camera_of, first, code, reason, words):
    with camera_of(page) as camera:
        camera.send(first)
        refusal = camera.hear()
        assert (refusal["type"], refusal["error"]) == ("error", reason)
        assert words in refusal["message"]
        assert camera.end() == code


def test_a_forbidden_attribute_is_named(web_serving, camera_of):
    with web_serving(allowed_attributes=("emotion",)) as (url, _), camera_of(url, {"attributes": ["gender"]}) as camera:
        refusal = camera.hear()
        assert refusal["error"] == "forbidden_attribute"
        assert "gender" in refusal["message"]
        assert camera.end() == 4403


def test_text_after_the_start_ends_the_socket_by_name(camera):
    camera.send("a picture")
    refusal = camera.hear()
    assert (refusal["error"], camera.end()) == ("stream_order", 4400)


def test_a_broken_picture_costs_itself_alone(camera, face_jpeg):
    for content, reason in (
        (b"", "image_empty"),
        (b"hello", "image_unsupported"),
        (face_jpeg[:500], "image_truncated"),
    ):
        camera.send(content)
        assert camera.hear()["error"] == reason
    camera.send(face_jpeg)
    assert len(camera.hear()["faces"]) == 1


def test_a_camera_that_vanishes_gives_its_place_back(web_serving, camera_of, face_jpeg, wait_for):
    with web_serving() as (url, metrics):
        camera = camera_of(url, {})
        camera.hear()
        assert metrics.registry.get_sample_value("faced_streams") == 1
        camera.send(face_jpeg)
        camera.socket.socket.shutdown(socket.SHUT_RDWR)
        assert wait_for(lambda: metrics.registry.get_sample_value("faced_streams") == 0)


def test_a_server_that_stops_tells_its_cameras(web_serving, camera_of, face_jpeg):
    heard = []
    with web_serving() as (url, _):
        camera = camera_of(url, {})
        camera.hear()
        camera.send(face_jpeg)
        assert len(camera.hear()["faces"]) == 1

        def listen():
            heard.append(camera.hear())
            heard.append(camera.end())

        listener = threading.Thread(target=listen)
        listener.start()
    listener.join(30)
    assert heard == [{"type": "draining", "grace_s": 1.0}, 1012]


def test_a_socket_without_a_start_does_not_hold_up_a_server_that_stops(web_serving, camera_of):
    heard = []
    with web_serving(drain_grace_s=8) as (url, _):
        camera = camera_of(url)

        def listen():
            heard.append(camera.hear()["error"])
            heard.append(camera.end())

        listener = threading.Thread(target=listen)
        listener.start()
        begun = time.monotonic()
    assert time.monotonic() - begun < 4
    listener.join(30)
    assert heard == ["not_ready", 4503]
