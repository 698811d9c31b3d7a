import cv2
import dlib
import numpy as np
import pytest

from faced_models.chips import chip_to_picture, cut_chip, similarity

POINTS = np.array([[243, 96], [227, 98], [188, 102], [204, 102], [219, 125]])


def dlibs_chip(image, points, size, padding):
    shape = dlib.full_object_detection(
        dlib.rectangle(168, 69, 263, 164), [dlib.point(int(x), int(y)) for x, y in points]
    )
    return dlib.get_face_chip(image, shape, size, padding).astype(int)


@pytest.mark.parametrize(("size", "padding"), [(32, 0.2), (64, 0.2), (64, 0.1), (150, 0.25)])
@pytest.mark.parametrize("factor", [0.5, 1, 2, 4])
def test_chips_are_dlibs_up_to_its_truncation(astronaut, factor, size, padding):
    image = np.ascontiguousarray(cv2.resize(astronaut, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR))
    points = np.round(POINTS * factor).astype(int)
    ours = cut_chip(image, chip_to_picture(points, size, padding), size).astype(int)
    difference = ours - dlibs_chip(image, points, size, padding)
    # dlib cuts fractions off where OpenCV rounds: half a grey level each time a picture is halved or sampled.
    assert np.abs(difference).mean() < 2.1
    assert np.median(np.abs(difference - np.round(difference.mean()))) <= 1


def test_a_face_at_the_border_is_black_outside(astronaut):
    chip = cut_chip(astronaut, chip_to_picture(POINTS - (200, 90), 64, 0.2), 64)
    assert (chip[:, :10] == 0).all()
    assert chip[40:, 50:].mean() > 50


def test_a_face_wholly_outside_is_black(astronaut):
    assert (cut_chip(astronaut, chip_to_picture(POINTS + 5000, 64, 0.2), 64) == 0).all()


def test_similarity_recovers_rotation_scale_and_shift():
    angle, scale = 0.4, 1.7
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = POINTS @ matrix.T + (3.0, -8.0)
    found = similarity(POINTS.astype(float), target)
    np.testing.assert_allclose(found, np.column_stack((matrix, (3.0, -8.0))), atol=1e-9)
