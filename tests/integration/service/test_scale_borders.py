"""The rules of scale at their borders, through a whole server; see `faced_models.scale` for the rules alone."""

import cv2
import numpy as np
import pytest

from faced_client import Client, InvalidImage, InvalidRequest


@pytest.fixture(scope="module")
def client(target):
    with Client(target) as client:
        yield client


@pytest.fixture
def analyze(client):
    """Boxes only: attributes have no part in this."""

    def of(image, **options):
        return client.analyze(image, attributes=[], timeout=120.0, **options)

    return of


@pytest.fixture(scope="module")
def head(astronaut):
    """256 x 256 pixels; a face of 96 px with its corner at (72, 49)."""
    return np.ascontiguousarray(astronaut[20:276, 96:352])


def blank(width, height):
    return np.zeros((height, width, 3), np.uint8)


# One doubling of 999 x 499 has 1,998,000 pixels, of 999 x 500 2,002,000; two of 352 x 352 1,995,490, of 353 x 352
# 2,001,140. 8,300,000 pixels are searched at scale 1; smallest faces of 1,000 px make the search quick there.
@pytest.mark.parametrize(
    ("size", "options", "scale", "smallest"),
    [
        ((999, 499), {}, 2.0, 40.0),
        ((999, 500), {}, 1.0, 80.0),
        ((999, 500), {"upsample_times": 1}, 1.0, 80.0),
        ((352, 352), {"upsample_times": 2}, 4.0, 20.0),
        ((353, 352), {"upsample_times": 2}, 2.0, 40.0),
        ((352, 352), {"min_face_px": 20}, 4.0, 20.0),
        ((353, 352), {"min_face_px": 20}, 2.0, 40.0),
        ((60, 60), {"upsample_times": 8}, 16.0, 5.0),
        ((1920, 1080), {}, 1.0, 80.0),
        ((1920, 1080), {"upsample_times": 1}, 1.0, 80.0),
        ((3840, 2160), {"min_face_px": 1000}, 1.0, 80 * 1.2**13),
        ((3320, 2500), {"min_face_px": 1000}, 1.0, 80 * 1.2**13),
        ((3321, 2500), {"min_face_px": 1000}, (8_300_000 / (3321 * 2500)) ** 0.5, 80 * 1.2**13),
    ],
)
def test_the_reply_says_which_scale_a_cap_left(analyze, size, options, scale, smallest):
    reply = analyze(blank(*size), **options)
    assert (reply.width, reply.height, reply.faces) == (*size, ())
    assert reply.applied_scale == pytest.approx(scale, rel=1e-6)
    assert reply.min_detectable_px == pytest.approx(smallest, rel=3e-4)


@pytest.mark.parametrize(
    ("size", "scale"), [((3840, 2160), 1.0), ((8000, 5000), (8.3e6 / 40e6) ** 0.5)], ids=["4K", "40 megapixels"]
)
def test_large_pictures_are_searched_and_boxes_are_in_their_own_pixels(analyze, head, size, scale):
    picture = blank(*size)
    picture[1000 : 1000 + 1024, 2000 : 2000 + 1024] = cv2.resize(head, (1024, 1024), interpolation=cv2.INTER_LINEAR)
    reply = analyze(picture)
    assert reply.applied_scale == pytest.approx(scale, rel=1e-6)
    assert reply.min_detectable_px == pytest.approx(80 / scale, rel=1e-6)
    (face,) = reply.faces
    box = face.detection.box
    assert box.left == pytest.approx(2000 + 4 * 72, abs=60)
    assert box.top == pytest.approx(1000 + 4 * 49, abs=60)
    assert box.width == pytest.approx(4 * 96, rel=0.2)


@pytest.mark.parametrize("size", [(8000, 8000), (8000, 5001)])
def test_above_the_pixel_limit_pictures_are_refused_by_their_header(analyze, head, size):
    written, data = cv2.imencode(".jpg", np.zeros(size[::-1], np.uint8))
    assert written
    with pytest.raises(InvalidImage, match=rf"{size[0]} x {size[1]}.*max_pixels is 40000000"):
        analyze(data.tobytes())
    assert len(analyze(head).faces) == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 600), (600, 1), (1, 40_000), (40_000, 1)])
@pytest.mark.parametrize("options", [{}, {"upsample_times": 8}, {"min_face_px": 1}, {"min_face_px": 10_000}])
def test_a_width_or_height_of_one_holds_no_face(analyze, size, options):
    reply = analyze(blank(*size), **options)
    assert (reply.width, reply.height, reply.faces) == (*size, ())
    assert reply.min_detectable_px > 0


def test_strides_that_are_not_contiguous_change_nothing(analyze, head):
    expected = analyze(head, upsample_times=0).faces
    wide = np.zeros((256, 300, 3), np.uint8)
    wide[:, 20:276] = head
    every_second = np.repeat(np.repeat(head, 2, axis=0), 2, axis=1)[::2, ::2]
    backwards = np.ascontiguousarray(head[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]
    columns_first = np.asfortranarray(head)
    for picture in (wide[:, 20:276], every_second, backwards, columns_first):
        assert not picture.flags.c_contiguous
        assert analyze(picture, upsample_times=0).faces == expected
    assert len(expected) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"upsample_times": 9}, "upsample_times is 9, must be 0 to 8"),
        ({"upsample_times": -1}, "upsample_times: .*-1"),
        ({"min_face_px": 0}, "min_face_px is 0, must be 1 to 10000"),
        ({"min_face_px": -5}, "min_face_px: .*-5"),
        ({"min_face_px": 10_001}, "min_face_px is 10001, must be 1 to 10000"),
        ({"min_face_px": 40, "upsample_times": 1}, "at most one of upsample_times and min_face_px"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_by_name_and_the_next_request_works(analyze, head, options, words):
    with pytest.raises(InvalidRequest, match=words):
        analyze(head, **options)
    assert len(analyze(head).faces) == 1
