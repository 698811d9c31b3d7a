import numpy as np
import pytest

from faced_cli.live_strip import with_strip
from faced_cli.palette import ORANGE, PANEL, QUIET, VERMILLION

FACTS = "18.2 frames/s  latency 54 ms  212 dropped  cuda:0"


def near(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) < 25).all(axis=2)


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (1920, 1080), (48, 48)])
def test_strip_is_below_the_picture_which_stays_as_it_is(width, height):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    shown = with_strip(picture, FACTS, "", "")
    assert shown.shape[1] == width
    assert 1.01 * height < shown.shape[0] < max(1.1 * height, height + 20)
    assert (shown[:height] == picture).all()
    assert (shown[height:] != PANEL).any() == (width >= 320)


def test_notice_takes_the_place_of_the_keys_and_a_dot_tells_of_recording():
    picture = np.zeros((480, 800, 3), np.uint8)
    keys, notice = (with_strip(picture, FACTS, "", text)[480:] for text in ("", "paused"))
    assert near(keys[:, 400:], QUIET).any()
    assert not near(keys, ORANGE).any()
    assert near(notice[:, 700:], ORANGE).any()
    assert not near(notice[:, 400:600], QUIET).any()
    recording = with_strip(picture, FACTS, "REC 0:12", "")[480:]
    assert near(recording[:, :40], VERMILLION).any()
    assert not near(keys, VERMILLION).any()
