import threading
import time

import cv2
import numpy as np
import pytest

from faced_cli.camera_file import CameraFile
from faced_cli.cameras import open_camera
from faced_cli.errors import InputError
from faced_cli.live_source import ThreadedSource
from faced_cli.pace import Pace


def test_file_plays_at_its_own_rate(make_video):
    feed = CameraFile(make_video(pts=(0, 40, 80, 200, 240)))
    begun = time.monotonic()
    arrivals = [(time_s, time.monotonic() - begun) for _, time_s in feed.pictures(threading.Event())]
    feed.close()
    assert [time_s for time_s, _ in arrivals] == pytest.approx([0, 0.04, 0.08, 0.2, 0.24], abs=1e-3)
    first = arrivals[0][1]
    for time_s, arrived in arrivals:
        assert time_s - 0.002 < arrived - first < time_s + 0.2
    assert feed.rate == 25


def test_slow_reader_gets_the_newest_frame_and_its_number_tells_of_the_others(make_video):
    source = open_camera(str(make_video(pts=tuple(range(0, 800, 40)))))
    assert isinstance(source, ThreadedSource)
    source.start()
    first = source.newest.take(timeout=5)
    time.sleep(0.3)
    second = source.newest.take(timeout=5)
    assert first.index == 0
    assert 5 <= second.index <= 9
    assert second.time_s == pytest.approx(0.04 * second.index, abs=1e-3)
    assert 0 <= time.monotonic() - second.captured < 0.1
    assert source.newest.replaced == second.index - 1
    grey = 8 * second.index % 240
    assert abs(second.image.astype(int) - grey).max() <= 2  # the picture is that frame's
    source.close()
    assert source.newest.ended


def test_end_of_the_file_is_the_end(make_video):
    source = open_camera(str(make_video(pts=(0, 20))))
    source.start()
    while source.newest.take(timeout=5) is not None:
        pass
    assert source.newest.ended
    source.close()


def test_closing_does_not_wait_for_the_next_frame(make_video):
    source = open_camera(str(make_video(pts=(0, 60_000))))
    source.start()
    source.newest.take(timeout=5)
    begun = time.monotonic()
    source.close()
    assert time.monotonic() - begun < 0.9


def test_folder_of_pictures_in_the_order_of_names_upright_and_without_the_broken(tmp_path):
    for i, name in enumerate(("b.png", "a.png", "c.png")):
        cv2.imwrite(str(tmp_path / name), np.full((20 + i, 30, 3), (0, 0, 100 + i), np.uint8))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    feed = CameraFile(tmp_path)
    pictures = list(feed.pictures(threading.Event()))
    assert [image.shape for image, _ in pictures] == [(21, 30, 3), (20, 30, 3), (22, 30, 3)]
    assert [tuple(image[0, 0]) for image, _ in pictures] == [(101, 0, 0), (100, 0, 0), (102, 0, 0)]
    assert [time_s for _, time_s in pictures] == [0, 0.04, 0.08]


def test_folders_without_a_readable_picture(tmp_path):
    with pytest.raises(InputError, match="without pictures"):
        CameraFile(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="none of its pictures"):
        list(CameraFile(tmp_path).pictures(threading.Event()))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        open_camera(str(tmp_path / "none.mp4"))


def test_who_falls_far_behind_goes_on_from_there():
    pace, stop = Pace(), threading.Event()
    pace.wait(0.0, stop)
    time.sleep(0.7)
    begun = time.monotonic()
    pace.wait(0.04, stop)  # 0.66 s late: counts as due now
    assert time.monotonic() - begun < 0.03
    pace.wait(0.14, stop)
    assert 0.09 < time.monotonic() - begun < 0.3
