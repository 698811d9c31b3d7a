import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from faced_cli.errors import InputError
from faced_cli.frames import VideoSource, turned


def read(path):
    with VideoSource(path) as source:
        return list(source.frames()), source


def test_every_frame_with_its_true_time(make_video):
    frames, source = read(make_video())
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([0.04 * i for i in range(10)], abs=1e-4)
    assert source.frame_estimate == 10
    assert source.form.rate == 25
    assert source.damaged == 0
    for i, frame in enumerate(frames):
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert abs(frame.image.astype(int) - 8 * i).max() <= 2


def test_variable_frame_rate_is_kept(make_video):
    pts = (0, 40, 50, 300, 310, 1000)
    frames, _ = read(make_video(pts=pts))
    assert [frame.time_s for frame in frames] == pytest.approx([moment / 1000 for moment in pts], abs=1e-3)


def test_red_first(make_video):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 255
    frames, _ = read(make_video(picture=red))
    assert frames[0].image[24, 32, 0] > 240
    assert frames[0].image[24, 32, 2] < 20


@pytest.mark.parametrize(("turn", "corner"), [(90, (40, 8)), (-90, (8, 24)), (180, (40, 40))])
def test_rotation_metadata_is_applied(make_video, turn, corner):
    # White at the top left of the stored 64x48 picture; FFmpeg turns anticlockwise.
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    frames, _ = read(make_video(picture=picture, turn=turn))
    image = frames[0].image
    assert image.shape == ((64, 48, 3) if abs(turn) == 90 else (48, 64, 3))
    expected = np.rot90(picture, turn // 90)
    assert abs(image.astype(int) - expected).mean() < 12
    assert image[corner].min() > 200 if expected[corner].min() == 255 else image[corner].max() < 60


def test_frames_are_freed_without_the_garbage_collector(make_video):
    """Else a long video needs more memory than a short one. Asked in a process where nobody else makes garbage."""
    code = (
        "import gc, sys; from pathlib import Path; from faced_cli.frames import VideoSource\n"
        "gc.collect(); gc.disable()\n"
        "with VideoSource(Path(sys.argv[1])) as source:\n"
        "    count = sum(1 for _ in source.frames())\n"
        "print(count > 5, gc.collect())"
    )
    done = subprocess.run([sys.executable, "-c", code, make_video()], capture_output=True, text=True, check=True)
    assert done.stdout == "True 0\n"


def test_display_matrix_may_mirror():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    mirror = np.array([-1, 0, 0, 0, 1, 0, 0, 0, 1], np.int32) << 16
    assert (turned(image, mirror) == image[:, ::-1]).all()
    transpose = np.array([0, 1, 0, 1, 0, 0, 0, 0, 1], np.int32) << 16
    assert (turned(image, transpose) == image.transpose(1, 0, 2)).all()


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "name"), [("libx264", "yuv420p10le", "a.mp4"), ("qtrle", "argb", "a.mov")]
)
def test_ten_bit_and_alpha(make_video, codec, pix_fmt, name):
    picture = np.full((48, 64, 3), 100, np.uint8)
    frames, _ = read(make_video(name, codec=codec, pix_fmt=pix_fmt, picture=picture))
    assert len(frames) == 10
    assert abs(frames[5].image.astype(int) - 100).max() <= 2


def test_odd_sizes(make_video):
    frames, _ = read(make_video("odd.mkv", width=63, height=47, codec="ffv1", pix_fmt="yuv444p"))
    assert frames[0].image.shape == (47, 63, 3)


@pytest.mark.parametrize("name", ["cut.ts", "cut.mkv", "cut.mp4"])
def test_broken_middle_is_counted_and_the_rest_is_read(tmp_path, name):
    path = tmp_path / name
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = 10
        for _ in range(50):
            picture = noise.integers(0, 255, (240, 320, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    middle = slice(len(data) // 2, len(data) // 2 + len(data) // 10)
    data[middle] = bytes(middle.stop - middle.start)
    path.write_bytes(data)
    frames, source = read(path)
    assert 35 <= len(frames) < 50
    assert frames[-1].time_s == pytest.approx(1.96)
    assert source.damaged >= 1
    missing = sum(end - begin for begin, end in source.gaps)
    assert missing >= (50 - len(frames)) / 25 - 0.041, source.gaps
    assert all(0.5 < begin < end < 1.5 for begin, end in source.gaps)


def test_start_is_that_of_the_earliest_stream(make_video):
    frames, source = read(make_video("late.ts", pts=tuple(range(400, 800, 40))))
    assert source.start == Fraction(400, 1000)
    assert frames[0].time_s == 0
    assert frames[0].pts == 0
    assert frames[9].time_s == pytest.approx(0.36)


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "no video that can be read"), (b"no video at all " * 99, "no video that can be read")]
)
def test_what_is_no_video(tmp_path, content, told):
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told) as error:
        VideoSource(path)
    assert str(path) in str(error.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        VideoSource(tmp_path / "none.mp4")
    with pytest.raises(InputError, match=str(tmp_path)):
        VideoSource(tmp_path)


def test_truncated_header(make_video):
    path = make_video()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="no video that can be read"):
        VideoSource(path)


def test_sound_only(tmp_path):
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="no video in it, only audio"):
        VideoSource(path)


def test_video_without_frames(tmp_path):
    path = tmp_path / "none.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.start_encoding()
    with VideoSource(path) as source, pytest.raises(InputError, match="no frame that can be read"):
        list(source.frames())
