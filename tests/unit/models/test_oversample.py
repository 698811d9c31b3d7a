import numpy as np
import pytest

from faced_models.oversample import Oversample, crop_size, views

PLANES = np.arange(2 * 1 * 9 * 9, dtype=np.float32).reshape(2, 1, 9, 9)


def test_a_flip_follows_the_crop_itself():
    both = views(PLANES, Oversample.FLIP)
    assert (both[:2] == PLANES).all()
    assert (both[2:] == PLANES[..., ::-1]).all()


def test_ten_crops_are_corners_and_centre_and_their_mirrors():
    assert crop_size(Oversample.TEN_CROP, 8) == 9
    assert crop_size(Oversample.TEN_CROP, 64) == 72
    crops = views(PLANES, Oversample.TEN_CROP).reshape(10, 2, 1, 8, 8)
    assert (crops[0] == PLANES[:, :, :8, :8]).all()
    assert (crops[3] == PLANES[:, :, 1:, 1:]).all()
    assert (crops[8] == crops[3][..., ::-1]).all()


@pytest.mark.parametrize("size", range(8, 300))
def test_views_are_of_the_size_that_the_crop_was_made_for(size):
    crop = crop_size(Oversample.TEN_CROP, size)
    assert views(np.zeros((1, 1, crop, crop), np.float32), Oversample.TEN_CROP).shape == (10, 1, size, size)


def test_without_oversampling_nothing_is_copied():
    assert views(PLANES, Oversample.NONE) is PLANES
