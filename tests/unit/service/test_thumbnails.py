import numpy as np
import pytest

from faced_service.thumbnails import is_cut, thumbnail


@pytest.fixture
def scene(astronaut):
    return astronaut[:384, :]


def test_a_thumbnail_has_the_mean_colours(scene):
    small = np.frombuffer(thumbnail(scene), np.uint8).reshape(8, 8, 3)
    cells = scene.reshape(8, 48, 8, 64, 3).mean(axis=(1, 3))
    assert abs(small - cells).mean() < 4


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (480, 640)])
def test_any_size_has_one(size):
    assert thumbnail(np.full((*size, 3), 7, np.uint8)) == bytes([7] * 192)


def test_motion_light_and_noise_are_no_cut(scene):
    before = thumbnail(scene)
    noise = np.random.default_rng(0).normal(0, 12, scene.shape)
    for after in (
        scene,
        np.roll(scene, 40, axis=1),
        np.clip(scene + 60.0, 0, 255),
        scene * 0.5,
        np.clip(scene + noise, 0, 255),
    ):
        assert not is_cut(before, thumbnail(after.astype(np.uint8)))


def test_another_scene_is_a_cut(scene):
    ramp = np.linspace(0, 255, 512, dtype=np.uint8)[None, :, None].repeat(384, 0).repeat(3, 2)
    assert is_cut(thumbnail(scene), thumbnail(scene[::-1]))
    assert is_cut(thumbnail(scene), thumbnail(ramp))
    assert is_cut(thumbnail(ramp), thumbnail(ramp[:, ::-1]))


def test_nothing_known_and_nothing_to_see_are_no_cut(scene):
    grey = np.random.default_rng(0).integers(118, 123, (480, 640, 3), dtype=np.uint8)
    assert not is_cut(b"", thumbnail(scene))
    assert not is_cut(thumbnail(scene), b"")
    assert not is_cut(thumbnail(grey), thumbnail(grey[::-1, ::-1]))
