import numpy as np
import pytest

from faced_cli.blur import blur_all, blur_faces
from faced_proto.types import Box


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8)


def test_face_and_its_surroundings_keep_a_few_blots_and_the_rest_is_untouched(noise):
    image = noise.copy()
    blur_faces(image, [Box(100, 80, 200, 180)])
    changed = (image != noise).any(axis=2)
    assert changed[60:200, 80:220].mean() > 0.99
    changed[55:205, 75:225] = False
    assert not changed.any()
    # Noise of 256 levels averages out: what is left are blots of 25 px.
    assert image[60:200, 80:220].std() < 12
    assert noise[60:200, 80:220].std() > 70


def test_what_differs_only_within_blots_cannot_be_told_apart(noise):
    shuffled = noise.copy()
    shuffled[80:105, 100:125] = noise[80:105, 100:125][::-1, ::-1]
    blurred = [image.copy() for image in (noise, shuffled)]
    for image in blurred:
        blur_all(image, [])
    apart = np.abs(blurred[0].astype(int) - blurred[1])
    assert apart.max() < 25


def test_all_hides_faces_that_were_not_found(noise):
    image = noise.copy()
    blur_all(image, [])
    assert image.std() < 25


@pytest.mark.parametrize(
    "box", [Box(-50, -50, 10, 10), Box(310, 230, 500, 400), Box(400, 400, 500, 500), Box(5, 5, 5, 5)]
)
def test_faces_at_and_beyond_the_border(noise, box):
    blur_faces(noise, [box])


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2)])
def test_smallest_pictures(size):
    image = np.zeros((*size, 3), np.uint8)
    blur_all(image, [Box(0, 0, 1, 1)])
    assert (image == 0).all()
