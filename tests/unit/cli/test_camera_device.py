"""OpenCV reads files as it reads cameras, so a file stands in for one here."""

import time
from pathlib import Path

import pytest

from faced_cli.camera_device import CameraDevice
from faced_cli.cameras import open_camera
from faced_cli.errors import InputError


@pytest.fixture
def camera(make_video):
    device = CameraDevice(str(make_video(pts=tuple(range(0, 4000, 40)))))
    yield device
    device.close()


def test_newest_frame_red_first_with_the_time_of_its_capture(make_video):
    import numpy as np

    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 255
    camera = CameraDevice(str(make_video(picture=red)))
    camera.start()
    frame = camera.newest.take(timeout=5)
    assert frame.image[24, 32, 0] > 240
    assert frame.image[24, 32, 2] < 20
    assert 0 <= time.monotonic() - frame.captured < 1
    assert camera.rate == 25
    camera.close()


def test_camera_that_gives_no_more_pictures_is_told_after_the_last_one(camera):
    camera.start()
    taken = iter(lambda: camera.newest.take(timeout=5), None)
    with pytest.raises(InputError, match="gives no more pictures; is it still plugged in"):
        list(taken)


def test_closing_lets_go_of_the_camera_at_once_and_twice_is_fine(camera):
    camera.start()
    assert camera.newest.take(timeout=5) is not None
    capture = camera._capture._capture
    begun = time.monotonic()
    camera.close()
    camera.close()
    assert time.monotonic() - begun < 1
    assert not capture.isOpened()


@pytest.mark.skipif(Path("/dev/video97").exists(), reason="there is such a camera")
def test_missing_camera_is_named_with_what_there_is(capfd):
    told = r"camera 97: there is no /dev/video97; (no camera is connected|there are /dev)"
    with pytest.raises(InputError, match=told):
        open_camera("97")
    with pytest.raises(InputError, match="/dev/video97: there is no /dev/video97"):
        open_camera("/dev/video97")
    assert capfd.readouterr() == ("", "")  # nothing of OpenCV's own


def test_device_that_is_no_camera():
    with pytest.raises(InputError, match="/dev/null: gives no picture"):
        open_camera("/dev/null")


@pytest.mark.parametrize("number", ["2147483648", "99999999999", "9" * 5000])
def test_number_that_no_camera_can_have(number):
    with pytest.raises(InputError, match=f"camera {number}: no camera has such a number"):
        open_camera(number)
