"""`faced-cli webcam` with files that play the part of a camera."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from faced_cli.palette import FACES

FACED_CLI = (sys.executable, "-m", "faced_cli.main")


@pytest.fixture(scope="session")
def long_clip(head, tmp_path_factory) -> Path:
    """20 s of 256x256 px at 25 frames/s; the face moves right by 2 px a frame for 12 frames, then back."""
    path = tmp_path_factory.mktemp("camera") / "camera.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "14", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for i in range(500):
            frame = av.VideoFrame.from_ndarray(np.roll(head, shift_of(i), axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shift_of(frame: int) -> int:
    return 4 * min(frame % 24, 24 - frame % 24)


def rows_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_of_the_newest_frames_on_standard_output(cli, long_clip, server):
    code, out, err = cli("webcam", "--camera", long_clip, "--no-display", "--max-frames", "10", "--server", server)
    assert code == 0
    rows = rows_of(out)
    assert len(rows) == 10
    frames = [row["frame"] for row in rows]
    assert frames == sorted(set(frames))
    assert [row["time_s"] for row in rows] == pytest.approx([frame / 25 for frame in frames], abs=1e-3)
    assert {row["source"] for row in rows} == {str(long_clip)}
    assert all(row["age_ms"] > row["timing_ms"]["total"] > 0 for row in rows)
    assert f"faced-cli: {long_clip}: 10 frames, " in err
    assert "age when shown: median " in err


@pytest.fixture
def every_frame_recorded(monkeypatch):
    """However busy this computer is: a live recording would leave out what its encoder has no time for."""
    monkeypatch.setattr("faced_cli.video_threads._FRAMES_BETWEEN", 1000)


@pytest.mark.usefixtures("every_frame_recorded")
def test_box_and_picture_are_of_the_same_frame(cli, long_clip, server, tmp_path):
    rows_path, recorded = tmp_path / "rows.jsonl", tmp_path / "out.mp4"
    code, out, _ = cli(
        *("webcam", "--camera", long_clip, "--no-display", "--max-frames", "40", "--attributes", "none"),
        *("--jsonl", rows_path, "--record", recorded, "--panel", "none", "--encode", "raw", "--server", server),
        *("--scan-interval", "1"),
    )
    assert code == 0
    assert out.splitlines()[1:3] == [f"  -> {recorded} (40 frames)", f"  -> {rows_path} (40 rows)"]
    rows = rows_of(rows_path.read_text())
    # The face moves by 4 px a frame: a box of the frame before or after would be off by as much.
    offsets = [row["faces"][0]["landmarks"][4][0] - shift_of(row["frame"]) for row in rows]
    assert max(offsets) - min(offsets) < 3
    with av.open(str(recorded)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 40
    for row, picture in zip(rows, pictures, strict=True):
        box = row["faces"][0]["box"]
        edge = picture[int(box["top"]) + 10 : int(box["bottom"]) - 10, int(box["left"])].astype(int)
        assert abs(edge - FACES[row["faces"][0]["track_id"] % len(FACES)]).mean() < 60


def test_file_that_ends_ends_the_run(cli, clip, server):
    code, out, err = cli("webcam", "--camera", clip, "--no-display", "--attributes", "none", "--server", server)
    assert code == 0
    assert rows_of(out)[-1]["frame"] >= 20
    assert "dropped" in err


def test_duration(cli, long_clip, server):
    begun = time.monotonic()
    command = ("webcam", "--camera", long_clip, "--no-display", "--duration", "1.5", "--attributes", "none")
    code, out, _ = cli(*command, "--server", server)
    assert code == 0
    assert 1.4 < time.monotonic() - begun < 60
    assert rows_of(out)[-1]["time_s"] > 0.5


def test_folder_of_pictures(cli, portrait, server):
    code, out, _ = cli("webcam", "--camera", portrait.parent, "--no-display", "--server", server)
    assert code == 0
    (row,) = rows_of(out)
    assert row["faces"][0]["attributes"]["emotion"]["label"] == "happy"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_with_the_recording_whole(long_clip, server, tmp_path, sent, code):
    recorded = tmp_path / "out.mp4"
    command = [*FACED_CLI, "webcam", "--camera", long_clip, "--no-display", "--record", recorded, "--server", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        rows = [json.loads(process.stdout.readline()) for _ in range(10)]
        process.send_signal(sent)
        rest, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "interrupted" in err
    count = len(rows) + len(rest.splitlines())
    told = int(err.split(f"{recorded} (")[1].split(" frames")[0])
    assert 0 < told <= count
    with av.open(str(recorded)) as container:
        assert sum(1 for _ in container.decode(video=0)) == told


def test_reader_that_leaves(long_clip, server):
    command = [*FACED_CLI, "webcam", "--camera", long_clip, "--no-display", "--server", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 141
    assert "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_ends_the_recording_and_not_the_rows(cli, long_clip, server, tmp_path):
    full = tmp_path / "out.mp4"
    full.symlink_to("/dev/full")
    code, out, err = cli(
        *("webcam", "--camera", long_clip, "--no-display", "--record", full, "--force", "--max-frames", "60"),
        *("--attributes", "none", "--server", server),
    )
    assert code == 3
    assert len(rows_of(out)) == 60
    assert f"{full}: no space left on the device" in err


def test_what_exists_is_kept(cli, long_clip, server, tmp_path):
    precious = tmp_path / "out.mp4"
    precious.write_text("precious")
    code, _, err = cli("webcam", "--camera", long_clip, "--no-display", "--record", precious, "--server", server)
    assert code == 2
    assert "--force" in err
    assert precious.read_text() == "precious"


def test_bad_cameras_are_bad_input(cli, server, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    cameras = {
        "97": "camera 97: there is no /dev/video97",
        "99999999999": "camera 99999999999: no camera has such a number",
        "/dev/video97": "/dev/video97: there is no /dev/video97",
        "/dev/null": "/dev/null: gives no picture",
        str(tmp_path / "none.mp4"): "there is no such file",
        str(text): "is no video that can be read",
        str(tmp_path / "empty"): "without pictures",
        "rtsp://joe:geheim@127.0.0.1:1/": "rtsp://***@127.0.0.1:1/: cannot be opened (connection refused)",
    }
    (tmp_path / "empty").mkdir()
    for camera, told in cameras.items():
        code, out, err = cli("webcam", "--camera", camera, "--no-display", "--server", server)
        assert (code, out) == (3, "")
        assert told in err
        assert "geheim" not in err


@pytest.mark.usefixtures("every_frame_recorded")
def test_camera_that_goes_away_is_told_and_what_was_recorded_is_kept(cli, clip, server, tmp_path, monkeypatch):
    # OpenCV reads a file as it reads a camera; its end is as if the camera were unplugged.
    monkeypatch.setattr("faced_cli.cameras.Path.is_char_device", lambda self: self == clip)
    recorded = tmp_path / "out.mp4"
    code, out, err = cli(
        *("webcam", "--camera", clip, "--no-display", "--record", recorded, "--attributes", "none", "--server", server)
    )
    assert code == 3
    assert f"faced-cli: {clip}: gives no more pictures; is it still plugged in?" in err
    rows = rows_of(out)
    assert rows
    with av.open(str(recorded)) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(rows)


def test_server_that_is_not_there(cli, long_clip):
    code, out, err = cli("webcam", "--camera", long_clip, "--no-display", "--server", "127.0.0.1:1")
    assert (code, out) == (4, "")
    assert "127.0.0.1:1" in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere windows need no display server")
@pytest.mark.parametrize("display", [None, ":9876"])
def test_no_display_says_what_to_do(long_clip, server, display):
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if display is not None:
        environment["DISPLAY"] = display
    command = [*FACED_CLI, "webcam", "--camera", long_clip, "--server", server]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("faced-cli: no window can be opened (")
    assert "give --no-display for JSON lines" in line
