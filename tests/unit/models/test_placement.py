import cv2
import numpy as np
import pytest

from faced_models.chips import chip_to_picture
from faced_models.placement import blend_to_picture, box_to_picture, cut_smoothly, eyes_to_picture
from faced_proto.types import Box

# dlib's five points of an upright face whose chip without padding is 100 px, from (100, 100) to (200, 200).
POINTS = 100 + 100 * np.array([[0.8596, 0.2135], [0.6461, 0.229], [0.1206, 0.2137], [0.3341, 0.2291], [0.49, 0.6278]])


def turned(points, degrees, centre=(150.0, 150.0)):
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - centre) @ matrix.T + centre


def place(transform, x, y):
    """Continuous pixels of a crop to continuous pixels of the picture."""
    return transform @ (x - 0.5, y - 0.5, 1) + 0.5


def test_a_box_with_its_margin_fills_the_crop():
    transform = box_to_picture(Box(100, 50, 200, 150), 64, 0.1)
    assert place(transform, 0, 0) == pytest.approx((90, 40))
    assert place(transform, 64, 64) == pytest.approx((210, 160))


def test_a_blend_of_box_and_chip_that_agree_is_the_box():
    # The box that lies to the chip as MMOD's does: 133 px, its centre 11.7 px above the chip's.
    box = Box(150 - 66.5, 150 - 11.7 - 66.5, 150 + 66.5, 150 - 11.7 + 66.5)
    blend = blend_to_picture(box, POINTS, 64, 0.2)
    middle = place(blend, 32, 32)
    assert middle == pytest.approx((150, 138.3), abs=0.8)
    assert np.hypot(*blend[:, 0]) * 64 == pytest.approx(100 * 1.4, rel=0.01)


def test_a_blend_lies_halfway_and_turns_with_the_face():
    box = Box(90, 80, 230, 220)
    upright, tilted = (blend_to_picture(box, turned(POINTS, degrees), 64, 0.2) for degrees in (0, 25))
    chip = chip_to_picture(turned(POINTS, 25), 64, 0.2)
    assert np.degrees(np.arctan2(tilted[1, 0], tilted[0, 0])) == pytest.approx(25, abs=0.1)
    assert np.arctan2(tilted[1, 0], tilted[0, 0]) == pytest.approx(np.arctan2(chip[1, 0], chip[0, 0]), abs=1e-6)
    assert np.hypot(*tilted[:, 0]) == pytest.approx(np.hypot(*upright[:, 0]), rel=0.01)
    assert np.hypot(*upright[:, 0]) * 64 == pytest.approx(np.sqrt(100 * 140 / 1.33) * 1.4, rel=0.01)


def test_the_face_aligner_puts_level_eyes_where_imutils_does():
    transform = eyes_to_picture(turned(POINTS, 20), 100, 0.35)
    inverse = cv2.invertAffineTransform(transform)
    points = turned(POINTS, 20)
    left, right = (inverse @ (*points[rows].mean(axis=0), 1) + 0.5 for rows in (slice(2, 4), slice(0, 2)))
    assert left == pytest.approx((35, 35), abs=0.01)
    assert right == pytest.approx((65, 35), abs=0.01)


@pytest.mark.parametrize("turn", [0, 17, 45])
@pytest.mark.parametrize("side", [40, 300, 2200])
def test_a_crop_is_that_of_the_whole_picture(side, turn):
    """Also at its border and outside; only what is around the crop is looked at."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    picture = cv2.resize(noise, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    for centre in ((2000.5, 1500), (3900, 200), (5 + side / 2, 1500), (5000, 1500)):
        box = Box(*(centre[0] - side / 2, centre[1] - side / 2), *(centre[0] + side / 2, centre[1] + side / 2))
        points = turned((POINTS - 150) * side / 140, turn, (0, 0)) + np.array(centre)
        transform = blend_to_picture(box, points, 40, 0.2)
        samples = min(8, max(1, int(np.ceil(np.hypot(*transform[:, 0]) - 0.01))))
        matrix = transform.copy()
        matrix[:, :2] /= samples
        matrix[:, 2] += transform[:, :2] @ np.full(2, 0.5 / samples - 0.5)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        fine = cv2.warpAffine(picture, matrix, (40 * samples, 40 * samples), flags=flags)
        whole = cv2.resize(fine, (40, 40), interpolation=cv2.INTER_AREA) if samples > 1 else fine
        apart = np.abs(cut_smoothly(picture, transform, 40).astype(int) - whole)
        assert apart.max() <= 1


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 4.0])
def test_a_smooth_crop_keeps_a_gradient_in_place(scale):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, axis=0).repeat(3, axis=2)
    box = Box(64, 64, 64 + 32 * scale, 64 + 32 * scale)
    crop = cut_smoothly(ramp, box_to_picture(box, 32, 0.0), 32)
    expected = 64 + (np.arange(32) + 0.5) * scale - 0.5
    np.testing.assert_allclose(crop[16, :, 0], expected, atol=1.0)


def test_a_smooth_crop_does_not_alias_and_is_black_outside():
    stripes = np.tile(np.array([0, 255], np.uint8), 128)[None, :, None].repeat(256, axis=0).repeat(3, axis=2)
    crop = cut_smoothly(stripes, box_to_picture(Box(0, 0, 256, 256), 32, 0.0), 32)
    np.testing.assert_allclose(crop, 127.5, atol=8)
    outside = cut_smoothly(stripes, box_to_picture(Box(-200, -200, -100, -100), 32, 0.0), 32)
    assert not outside.any()
