import time

import av
import numpy as np
import pytest

from faced_cli.errors import InputError
from faced_cli.live_recording import LiveRecording, fitted
from faced_cli.live_source import LiveFrame


def frame(index: int, captured: float) -> LiveFrame:
    return LiveFrame(index, captured, captured, np.zeros((48, 64, 3), np.uint8))


def record(path, moments, size=lambda i: (48, 64)) -> LiveRecording:
    recording = LiveRecording(path, 25.0)
    for i, moment in enumerate(moments):
        while not recording.add(frame(i, moment), np.full((*size(i), 3), 20 * i, np.uint8)):
            pytest.fail("cannot be written")
        time.sleep(0.02)
    recording.end()
    return recording


def read(path) -> tuple[list[float], list[np.ndarray], float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(float(f.pts * stream.time_base), f.to_ndarray(format="rgb24")) for f in container.decode(stream)]
        duration = float(stream.duration * stream.time_base)
    return [time_s for time_s, _ in frames], [image for _, image in frames], duration


def test_frames_have_the_times_at_which_they_came(tmp_path):
    moments = (100.0, 100.04, 100.2, 100.25, 101.0)
    recording = record(tmp_path / "out.mp4", moments)
    times, images, duration = read(tmp_path / "out.mp4")
    assert times == pytest.approx([moment - 100 for moment in moments], abs=1e-3)
    assert [round(float(image.mean()) / 20) for image in images] == [0, 1, 2, 3, 4]
    assert duration == pytest.approx(1.04, abs=0.01)
    assert (recording.frames, recording.skipped, recording.seconds) == (5, 0, pytest.approx(1.0))


def test_camera_that_changes_its_size_stays_in_the_same_picture(tmp_path):
    record(tmp_path / "out.mp4", (0.0, 0.04, 0.08), size=lambda i: (48, 64) if i < 2 else (100, 50))
    _, images, _ = read(tmp_path / "out.mp4")
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert images[2][24, 32].min() > 30  # the picture in the middle, black beside it
    assert images[2][24, 2].max() < 10


def test_odd_sizes(tmp_path):
    record(tmp_path / "out.mp4", (0.0, 0.04), size=lambda i: (47, 63))
    assert read(tmp_path / "out.mp4")[1][0].shape == (48, 64, 3)


def test_slow_encoder_costs_frames_of_the_recording_and_no_waiting(tmp_path, monkeypatch):
    slow = lambda self, frame, image: time.sleep(0.2)  # noqa: E731
    monkeypatch.setattr("faced_cli.video_file.VideoFile.write", slow)
    recording = LiveRecording(tmp_path / "out.mp4", 25.0)
    begun = time.monotonic()
    for i in range(20):
        recording.add(frame(i, 0.04 * i), np.zeros((48, 64, 3), np.uint8))
    assert time.monotonic() - begun < 0.2
    recording.end()
    assert recording.skipped >= 14


def test_folder_that_is_not_there(tmp_path):
    recording = LiveRecording(tmp_path / "none" / "out.mp4", None)
    end = time.monotonic() + 10
    i = 0
    while recording.add(frame(i, 0.04 * i), np.zeros((48, 64, 3), np.uint8)):
        assert time.monotonic() < end
        i += 1
        time.sleep(0.01)
    with pytest.raises(InputError, match=r"out\.mp4"):
        recording.end()


def test_fitted_keeps_proportions():
    image = np.full((100, 200, 3), 255, np.uint8)
    assert fitted(image, 200, 100) is image
    small = fitted(image, 100, 100)
    assert small.shape == (100, 100, 3)
    assert (small[26:74] == 255).all()
    assert (small[:25] == 0).all()
